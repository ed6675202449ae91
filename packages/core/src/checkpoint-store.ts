/** One row of `audit_checkpoint`. */
export interface StoredCheckpoint {
  readonly log: string;
  /** The number of entries that it states. */
  readonly size: number;
  /** The signed note, byte for byte. */
  readonly note: Uint8Array;
  /** The compact range of the tree at this size. Nothing protects it but the root in the note, which it must come to. */
  readonly range: Uint8Array;
  /** When it was stored, in microseconds since 1970-01-01 UTC. Nothing protects it: it only tells when the next one is due. */
  readonly madeAt: bigint;
}

/**
 * The signed checkpoints of the logs, in the same database.
 *
 * - `add` MUST be durable once it resolves. Where a checkpoint of this log and size stands there it MUST change nothing: two
 *   processes may make the same one, and what was signed first stays.
 * - Like entries, checkpoints are insert only, as far as `supports.insertOnly` says.
 */
export interface CheckpointStore {
  /** @returns false where one of this size was there */
  add(checkpoint: StoredCheckpoint): Promise<boolean>;
  /** The one of the most entries; null where there is none. */
  latest(log: string): Promise<StoredCheckpoint | null>;
  /** In the order of their sizes, `from` inclusive, in batches. Without a range it MUST give every row of the log. */
  list(log: string, range?: { readonly from?: number }): AsyncIterable<readonly StoredCheckpoint[]>;
}
