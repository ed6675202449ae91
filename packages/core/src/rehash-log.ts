import { AuditError } from './audit-error.js';
import { isLeafOf } from './leaf.js';
import type { CompactRange } from './merkle-tree.js';
import type { AuditStore, StoredEntry, StoredEvent } from './store.js';

/** An entry whose event is there and hashes to its leaf. */
export interface HashedEntry extends StoredEntry {
  readonly event: StoredEvent;
}

/**
 * Reads the entries behind a tree up to a size, hashes each body again and lets the tree grow by it.
 *
 * @param range is grown: by each batch before it is given
 * @throws AuditError `AUDIT_CHECKPOINT_REFUSED` at the first entry that is not what was sealed, and what the store throws
 */
export async function* rehashLog(
  store: AuditStore,
  log: string,
  range: CompactRange,
  to: number,
): AsyncGenerator<readonly HashedEntry[]> {
  if (range.size >= to) return;
  for await (const batch of store.entries(log, { from: range.size, to })) {
    const hashed = batch.map((entry) => {
      const checked = checkEntry(entry, log, range.size);
      range.append(entry.leaf);
      return checked;
    });
    if (hashed.length > 0) yield hashed;
  }
  if (range.size < to) throw checkpointRefused(log, `the entry ${range.size} is missing`);
}

function checkEntry(entry: StoredEntry, log: string, expected: number): HashedEntry {
  const { event, index, leaf } = entry;
  if (index !== expected)
    throw checkpointRefused(log, `the entry ${expected} is missing or stands there twice`);
  if (event === null) throw checkpointRefused(log, `the event of the entry ${index} is gone`);
  if (!isLeafOf(event.body, leaf)) {
    throw checkpointRefused(log, `the event of the entry ${index} is not what was sealed`);
  }
  return { ...entry, event };
}

export function checkpointRefused(log: string, why: string): AuditError {
  return new AuditError(
    'AUDIT_CHECKPOINT_REFUSED',
    'core',
    `no checkpoint of the log ${log} is signed: ${why}`,
  );
}
