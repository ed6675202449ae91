import { createHash } from 'node:crypto';
import type { NewEntry, PendingEvent, SealedBatch, StoredHead } from '../store.js';
import type { RawEntry } from './store-harness.js';

/** A time with microseconds that a JavaScript `Date` or a double of seconds would round. */
export const SEALED_AT = 1_700_000_000_123_457n;

const START = new Uint8Array(32);

/**
 * The smallest seal that shows a fork, a gap or a change of order: each hash covers the one before it, the index and the
 * event. Stores never look into it, so the suite needs no key and no tree.
 */
export function chainSeal(
  log: string,
): (head: StoredHead | null, pending: readonly PendingEvent[]) => SealedBatch {
  return (head, pending) => {
    if (pending.length === 0) return { entries: [], head: null };
    const entries: NewEntry[] = [];
    let hash = head?.hash ?? START;
    let index = head?.size ?? 0;
    for (const event of pending) {
      hash = chainHash(hash, index, event.leaf);
      entries.push({ index, eventId: event.id, leaf: event.leaf, hash, sealedAt: SEALED_AT + BigInt(index) });
      index += 1;
    }
    const range = index % 2 === 0 ? hash : Buffer.concat([hash, START]);
    const mac = index % 3 === 0 ? null : createHash('sha256').update(hash).digest();
    return { entries, head: { log, size: index, hash, range, mac } };
  };
}

export function chainHash(previous: Uint8Array, index: number, leaf: Uint8Array): Uint8Array {
  return createHash('sha256').update(previous).update(String(index)).update(leaf).digest();
}

/** What is wrong with the entries of one log, or null. */
export function chainFault(entries: readonly RawEntry[]): string | null {
  let hash: Uint8Array = START;
  for (const [at, entry] of entries.entries()) {
    if (entry.index !== at) return `index ${entry.index} stands where ${at} belongs`;
    hash = chainHash(hash, at, entry.leaf);
    if (Buffer.compare(hash, entry.hash) !== 0) return `the chain breaks at index ${at}`;
    if (entry.sealedAt !== SEALED_AT + BigInt(at)) return `sealedAt of index ${at} was not kept`;
  }
  return null;
}
