import { formatCheckpoint } from './checkpoint.js';
import { equalBytes } from './equal-bytes.js';
import type { AuditKeys } from './keys.js';
import { CompactRange } from './merkle-tree.js';
import { type NoteSigner, signNote } from './note-signer.js';
import { checkpointRefused, type HashedEntry, rehashLog } from './rehash-log.js';
import { checkHead } from './seal-batch.js';
import type { AuditStore } from './store.js';

/** The state of a tree that is known to be right: that of an earlier checkpoint whose signature verified, say. */
export interface TrustedRange {
  readonly size: number;
  /** The compact range of the tree, as `CompactRange.toBytes` gives it. */
  readonly range: Uint8Array;
}

export interface MakeCheckpointOptions {
  readonly signer: NoteSigner;
  /** The keys that the log is sealed with. Without them a log that has none is signed, and no other. */
  readonly keys?: AuditKeys | undefined;
  /** The index from which on entries must be keyed. @default 0 */
  readonly keyedFrom?: number | undefined;
  /** Only what comes behind it is hashed again. @default the empty tree: everything is */
  readonly since?: TrustedRange | undefined;
  /** Told of the entries that were hashed, in their order. */
  readonly onEntries?: ((entries: readonly HashedEntry[]) => void | Promise<void>) | undefined;
}

/** A signed statement of a log's size and root. */
export interface MadeCheckpoint {
  readonly log: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The compact range of the tree at this size. */
  readonly range: Uint8Array;
  /** The signed note. */
  readonly note: string;
}

/**
 * Signs what the log is now: checks the MAC of its head, hashes again every body behind the last state that is known to be right,
 * and signs only if both come to the same tree. So a signature never vouches for bytes that were not looked at.
 *
 * @returns null where the log has no entries
 * @throws AuditError `AUDIT_CHECKPOINT_REFUSED`, `AUDIT_HEAD_INVALID`, `AUDIT_KEY_MISSING` if the log is not what it says;
 * `AUDIT_SIGNATURE_INVALID` if the signer fails; `AUDIT_NOTE_INVALID` for a name that no checkpoint can have; what the store throws
 */
export async function makeCheckpoint(
  store: AuditStore,
  log: string,
  options: MakeCheckpointOptions,
): Promise<MadeCheckpoint | null> {
  const { signer, keys, keyedFrom = 0, since, onEntries } = options;
  const head = await store.head(log);
  if (head === null || head.size === 0) {
    if (since === undefined || since.size === 0) return null;
    throw checkpointRefused(log, `a checkpoint states ${since.size} entries, and the log is empty`);
  }
  checkHead(head, log, keys, keyedFrom);
  if (since !== undefined && since.size > head.size) {
    throw checkpointRefused(log, `a checkpoint states ${since.size} entries, and the log has ${head.size}`);
  }
  const range = since === undefined ? new CompactRange() : CompactRange.fromBytes(since.size, since.range);
  for await (const entries of rehashLog(store, log, range, head.size)) await onEntries?.(entries);
  if (!equalBytes(range.toBytes(), head.range)) {
    throw checkpointRefused(log, 'the head states another tree than the bodies give');
  }
  const { size } = head;
  const root = range.root();
  const note = await signNote(formatCheckpoint({ origin: log, size, root }), signer, log);
  return { log, size, root, range: range.toBytes(), note };
}
