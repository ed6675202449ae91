import { readAnchors } from './anchors.js';
import { tryParse } from './entry-check.js';
import { Refused, refuse } from './finding.js';
import { hashLeaf, isContinued, rootByInclusion } from './merkle.js';
import type { Checkpoint } from './note.js';
import type { Policy } from './policy.js';
import { parseConsistencyProof, parseEventProof } from './proof-file.js';
import { openCurrent, type TrustedCheckpoint, tellCheckpoint } from './trusted-checkpoint.js';
import { alwaysUnchecked, Findings, type NotChecked, resultOf, type Verdict } from './verdict.js';

const OTHERS: NotChecked = { what: 'log', detail: 'the other entries of the log: this is the proof of one' };
const NO_ENTRIES: NotChecked = {
  what: 'log',
  detail: 'the entries themselves: this compares two states of the tree',
};

/**
 * Verifies that one event stands in the log.
 *
 * @param body the event, where the proof does not carry it
 */
export function verifyEventProof(file: Buffer, policy: Policy, body?: Buffer): Verdict {
  const run = new ProofRun(policy);
  run.attempt(() => {
    const { index, proof, extra, checkpoint } = parseEventProof(file);
    const trusted = run.open(checkpoint);
    const event = body ?? extra;
    if (event === null)
      throw refuse('AUDIT_PROOF_INVALID', 'the proof does not carry the event, and none was given');
    if (rootByInclusion(hashLeaf(event), index, trusted.size, proof)?.equals(trusted.root) !== true) {
      throw refuse(
        'AUDIT_PROOF_INVALID',
        'the proof does not lead from the event to the root of the checkpoint',
        index,
      );
    }
    run.event = { index, body: event.toString('utf8') };
    const parsed = tryParse(event);
    if (parsed === null)
      throw refuse('AUDIT_EVENT_UNREADABLE', 'the entry is not the JSON of an event', index);
    if (parsed.log !== trusted.origin) {
      throw refuse(
        'AUDIT_LOG_MISMATCH',
        `the event says that it is of the log ${JSON.stringify(parsed.log)}`,
        index,
      );
    }
    run.compareEqual();
  });
  return run.verdict('event', OTHERS);
}

/** Verifies that a checkpoint continues an earlier one that the auditor holds. */
export function verifyConsistencyProof(file: Buffer, policy: Policy): Verdict {
  const run = new ProofRun(policy);
  run.attempt(() => {
    const { oldSize, proof, checkpoint } = parseConsistencyProof(file);
    const trusted = run.open(checkpoint);
    const held = run.held.filter(({ size }) => size === oldSize);
    if (held.length === 0 && run.findings.count === 0) {
      run.incomplete = `the policy holds no checkpoint of ${oldSize} entries to compare with`;
    }
    for (const old of held) {
      if (!isContinued(old, trusted, proof)) {
        throw refuse(
          'AUDIT_CHECKPOINT_MISMATCH',
          `the log does not continue the checkpoint of ${oldSize} entries`,
        );
      }
      run.confirmed.push(oldSize);
    }
    run.compareEqual();
  });
  return run.verdict('consistency', NO_ENTRIES);
}

class ProofRun {
  readonly findings = new Findings();
  readonly confirmed: number[] = [];
  held: readonly Checkpoint[] = [];
  event: Verdict['event'] = null;
  /** Why it can not be told. */
  incomplete: string | null = null;
  readonly #policy: Policy;
  #checkpoint: TrustedCheckpoint | null = null;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.findings.add(error.finding);
    }
  }

  open(bytes: Buffer): TrustedCheckpoint {
    const checkpoint = openCurrent(bytes, this.#policy);
    this.#checkpoint = checkpoint;
    this.held = readAnchors(this.#policy, checkpoint.origin);
    for (const { size } of this.held) {
      if (size <= checkpoint.size) continue;
      const detail = `the auditor holds a checkpoint of ${size} entries, and this one is of ${checkpoint.size}`;
      this.findings.add({ code: 'AUDIT_CHECKPOINT_AHEAD', index: null, detail });
    }
    return checkpoint;
  }

  /** A checkpoint of the very same size needs no proof. */
  compareEqual(): void {
    const checkpoint = this.#checkpoint;
    for (const { size, root } of this.held) {
      if (size !== checkpoint?.size || this.confirmed.includes(size)) continue;
      if (root.equals(checkpoint.root)) this.confirmed.push(size);
      else {
        const detail = `the auditor holds another checkpoint of ${size} entries`;
        this.findings.add({ code: 'AUDIT_CHECKPOINT_MISMATCH', index: null, detail });
      }
    }
  }

  verdict(kind: 'event' | 'consistency', further: NotChecked): Verdict {
    const unchecked = alwaysUnchecked(this.#policy.hasQuorum, this.held.length > 0);
    const size = this.#checkpoint?.size ?? 0;
    const open = this.held
      .map((held) => held.size)
      .filter((held) => held <= size && !this.confirmed.includes(held));
    const uncompared = `whether the log continues your checkpoints of ${open.join(', ')} entries: that takes a bundle or a proof of consistency`;
    return {
      result: resultOf(this.findings, this.incomplete !== null),
      kind,
      checkpoint: this.#checkpoint === null ? null : tellCheckpoint(this.#checkpoint),
      entries: this.event === null ? 0 : 1,
      anchors: this.confirmed,
      event: this.event,
      findings: this.findings.sorted(),
      truncated: this.findings.truncated,
      notChecked: [
        ...(this.incomplete === null ? [] : [{ what: 'anchor' as const, detail: this.incomplete }]),
        ...(open.length === 0 ? [] : [{ what: 'anchor' as const, detail: uncompared }]),
        further,
        ...unchecked,
      ],
    };
  }
}
