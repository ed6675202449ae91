import { refuse } from './finding.js';
import { sha256 } from './merkle.js';
import { type Checkpoint, openNote, parseCheckpoint, type Signature } from './note.js';
import type { Policy } from './policy.js';
import type { Verdict } from './verdict.js';

/** A checkpoint that was signed by a key of the policy. */
export interface TrustedCheckpoint extends Checkpoint {
  readonly signatures: readonly Signature[];
}

/**
 * A checkpoint that a trusted key of its log has signed.
 *
 * @throws Refused `AUDIT_NOTE_INVALID`, `AUDIT_SIGNATURE_INVALID`, `AUDIT_CHECKPOINT_ORIGIN`
 */
export function openCheckpoint(bytes: Uint8Array, policy: Policy): TrustedCheckpoint {
  const { text, signatures } = openNote(bytes, policy.keys);
  const signed = signatures.filter(({ key }) => key.kind === 'log');
  if (signed.length === 0)
    throw refuse('AUDIT_SIGNATURE_INVALID', 'no log key of the policy has signed the checkpoint');
  const checkpoint = parseCheckpoint(text);
  const { origin, size, root } = checkpoint;
  // Or the key of one log could speak for another one.
  const accepted = policy.origins.length > 0 ? policy.origins : signed.map(({ key }) => key.name);
  if (!accepted.includes(origin)) {
    throw refuse(
      'AUDIT_CHECKPOINT_ORIGIN',
      `it is of the log ${origin}, and ${accepted.join(', ')} is expected`,
    );
  }
  if (size === 0 && !root.equals(sha256(''))) {
    throw refuse('AUDIT_TREE_MISMATCH', 'an empty log has another root than the checkpoint states');
  }
  return { ...checkpoint, signatures };
}

/** As `openCheckpoint`, and everything else that the policy asks of the state of the log. @throws Refused */
export function openCurrent(bytes: Uint8Array, policy: Policy): TrustedCheckpoint {
  const checkpoint = openCheckpoint(bytes, policy);
  if (checkpoint.size < policy.minimalSize) {
    throw refuse('POLICY_SIZE', `it has ${checkpoint.size} entries, and ${policy.minimalSize} are the least`);
  }
  const witnesses = checkpoint.signatures.map(({ key }) => key).filter(({ kind }) => kind === 'witness');
  if (!policy.isQuorum(witnesses)) {
    throw refuse('POLICY_QUORUM', `the ${witnesses.length} trusted witnesses that have cosigned are too few`);
  }
  return checkpoint;
}

/** The checkpoint as a verdict states it. */
export function tellCheckpoint(checkpoint: TrustedCheckpoint): NonNullable<Verdict['checkpoint']> {
  const { origin, size, root, signatures } = checkpoint;
  return {
    origin,
    size,
    root: root.toString('hex'),
    signers: signatures.filter(({ key }) => key.kind === 'log').map(({ key }) => key.name),
    witnesses: signatures.flatMap(({ key, time }) => (time === null ? [] : [{ name: key.name, time }])),
  };
}
