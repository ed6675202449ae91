import { randomInt } from 'node:crypto';
import { readAnchors } from './anchors.js';
import type { ByteReader } from './byte-reader.js';
import { EntryBatches } from './entry-batches.js';
import type { CheckedBatch, EntryBatch } from './entry-check.js';
import { type EntryChecker, ownThread, startThreads } from './entry-threads.js';
import { Refused, refuse } from './finding.js';
import { LogTree } from './log-tree.js';
import { MAX_NOTE_BYTES } from './note.js';
import type { Policy } from './policy.js';
import { readTar, type TarMember } from './tar-reader.js';
import { openCurrent, type TrustedCheckpoint, tellCheckpoint } from './trusted-checkpoint.js';
import { alwaysUnchecked, Findings, type NotChecked, resultOf, type Verdict } from './verdict.js';

export interface BundleOptions {
  /** Threads that hash; 0: this one alone. @default as many as there are cores, up to 8 */
  readonly threads?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const VERSION = 'indelible-bundle/1\n';
/** So few are checked sooner than a thread starts. */
const OWN_BATCHES = 4;

/** Verifies a bundle: all entries of a log up to a checkpoint. See FORMAT.md. */
export async function verifyBundle(
  reader: ByteReader,
  policy: Policy,
  options: BundleOptions = {},
): Promise<Verdict> {
  const run = new BundleRun(policy, options);
  try {
    await run.read(reader);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    run.findings.add(error.finding);
  } finally {
    await run.close();
  }
  return run.verdict();
}

class BundleRun {
  readonly findings = new Findings();
  readonly #policy: Policy;
  readonly #options: BundleOptions;
  readonly #seeds = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;
  #checkpoint: TrustedCheckpoint | null = null;
  #tree: LogTree | null = null;
  #batches = new EntryBatches(0);
  #begun = 0;
  #threads: EntryChecker | null = null;
  /** Batches that are being checked, in their order. */
  #underWay: { readonly batch: EntryBatch; readonly checked: Promise<CheckedBatch> }[] = [];
  #interrupted = false;

  constructor(policy: Policy, options: BundleOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  async read(reader: ByteReader): Promise<void> {
    let place = 0;
    for await (const member of readTar(reader)) {
      if (place === 0) await readVersion(member);
      else if (place === 1) await this.#readCheckpoint(member);
      else await this.#readEntries(member);
      place++;
      if (this.#interrupted) return;
    }
    const checkpoint = this.#checkpoint;
    if (checkpoint === null) throw refuse('BUNDLE_TRUNCATED', 'the bundle has no checkpoint');
    await this.#begin(this.#batches.flush());
    while (this.#underWay.length > 0) await this.#absorb();
    const { entries } = this.#batches;
    if (entries < checkpoint.size) {
      throw refuse('AUDIT_ENTRY_MISSING', `${checkpoint.size - entries} entries are missing`, entries);
    }
    if (this.#tree?.root.equals(checkpoint.root) !== true) {
      throw refuse('AUDIT_TREE_MISMATCH', 'the entries give another root than the checkpoint states');
    }
  }

  async close(): Promise<void> {
    // What fails in a thread that nobody waits for any more must not end the process.
    for (const { checked } of this.#underWay) checked.catch(() => {});
    await this.#threads?.close();
  }

  verdict(): Verdict {
    const notChecked: NotChecked[] = [];
    if (this.#interrupted) {
      notChecked.push({ what: 'interrupted', detail: `stopped after ${this.#batches.entries} entries` });
    }
    if (this.#tree?.findsDuplicates === false) {
      notChecked.push({
        what: 'duplicates',
        detail: 'the log is too large to look for events that stand in it twice',
      });
    }
    const anchors = this.#tree?.confirmed ?? [];
    return {
      result: resultOf(this.findings, this.#interrupted || this.#tree?.findsDuplicates === false),
      kind: 'bundle',
      checkpoint: this.#checkpoint === null ? null : tellCheckpoint(this.#checkpoint),
      entries: this.#batches.entries,
      anchors,
      event: null,
      findings: this.findings.sorted(),
      truncated: this.findings.truncated,
      notChecked: [...notChecked, ...alwaysUnchecked(this.#policy.hasQuorum, anchors.length > 0)],
    };
  }

  async #readCheckpoint(member: TarMember): Promise<void> {
    const checkpoint = openCurrent(await readWhole(member, 'checkpoint', MAX_NOTE_BYTES), this.#policy);
    this.#checkpoint = checkpoint;
    const held = readAnchors(this.#policy, checkpoint.origin);
    for (const { size } of held) {
      if (size <= checkpoint.size) continue;
      const detail = `the auditor holds a checkpoint of ${size} entries, and the bundle has ${checkpoint.size}`;
      this.findings.add({ code: 'AUDIT_CHECKPOINT_AHEAD', index: null, detail });
    }
    this.#tree = new LogTree(held, checkpoint.size, this.findings);
    this.#batches = new EntryBatches(checkpoint.size);
  }

  async #readEntries(member: TarMember): Promise<void> {
    const batches = this.#batches;
    const before = batches.entries;
    expectName(member, `entries/${String(before).padStart(12, '0')}.ndjson`);
    for await (const piece of member.content()) {
      for (const batch of batches.add(piece)) await this.#begin(batch);
      if (this.#options.signal?.aborted === true) {
        this.#interrupted = true;
        return;
      }
    }
    if (batches.isOpen) throw refuse('BUNDLE_LINE', 'the last line of a file has no end', batches.entries);
    if (batches.entries === before) throw refuse('BUNDLE_MEMBER_UNKNOWN', `${member.name} has no entries`);
  }

  async #begin(lines: Pick<EntryBatch, 'bytes' | 'first' | 'count'> | null): Promise<void> {
    if (lines === null || this.#checkpoint === null || this.#tree === null) return;
    const batch: EntryBatch = {
      ...lines,
      origin: this.#checkpoint.origin,
      leaves: this.#tree.needsLeaves(lines),
      seeds: this.#seeds,
    };
    const checker = this.#checker();
    while (this.#underWay.length >= checker.parallel) await this.#absorb();
    this.#underWay.push({ batch, checked: checker.check(batch) });
    this.#begun++;
  }

  async #absorb(): Promise<void> {
    const next = this.#underWay.shift();
    if (next === undefined) return;
    const { batch } = next;
    const checked = await next.checked;
    this.#tree?.add(batch, checked);
    this.#batches.recycle(checked.bytes);
    this.#options.onProgress?.(batch.first + batch.count, this.#checkpoint?.size ?? 0);
  }

  #checker(): EntryChecker {
    const { threads = 0 } = this.#options;
    if (threads === 0 || this.#begun < OWN_BATCHES) return ownThread;
    this.#threads ??= startThreads(threads);
    return this.#threads;
  }
}

async function readVersion(member: TarMember): Promise<void> {
  const version = await readWhole(member, 'indelible-bundle', 64);
  if (version.toString('latin1') !== VERSION)
    throw refuse('BUNDLE_VERSION', 'the bundle is of an unknown version');
}

async function readWhole(member: TarMember, name: string, most: number): Promise<Buffer> {
  expectName(member, name);
  if (member.size > most) throw refuse('BUNDLE_MEMBER_LARGE', `${name} has more than ${most} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of member.content()) pieces.push(piece);
  return Buffer.concat(pieces);
}

function expectName({ name }: TarMember, expected: string): void {
  if (name === expected) return;
  const shown = JSON.stringify(name.replace(/[^\x20-\x7e]/g, '?'));
  throw refuse('BUNDLE_MEMBER_UNKNOWN', `the archive holds ${shown} where ${expected} belongs`);
}
