import { AuditError } from './audit-error.js';
import { isHeadAuthentic, macHead } from './head.js';
import type { AuditKeys } from './keys.js';
import { hashLeaf } from './leaf.js';
import { firstLink, Linker } from './link.js';
import { CompactRange } from './merkle-tree.js';
import { readBody } from './read-body.js';
import type { NewEntry, PendingEvent, SealedBatch, SealRequest, StoredHead } from './store.js';

export interface SealBatchOptions {
  /** Without keys the log is not keyed: links are plain hashes and the head has no MAC. */
  readonly keys?: AuditKeys | undefined;
  /** A head with at most so many entries may be without a MAC: it is older than the key. @default 0 */
  readonly keyedFrom?: number | undefined;
  /** The log that is sealed. @default what the head and the pending events say */
  readonly log?: string | undefined;
  /** The time of sealing, in microseconds since 1970-01-01 UTC. @default the system's clock */
  readonly clock?: (() => bigint) | undefined;
  /** Told of each pending event that is not vouched for. It stays pending and is told of again with the next seal. */
  readonly onRefused?: ((event: PendingEvent, reason: string) => void) | undefined;
}

/**
 * Makes the `compute` of a `SealRequest`: it checks the head's MAC before it trusts it, hashes each body again and compares
 * it with the leaf, and vouches only for events whose body names this log and the id of its row.
 *
 * `compute` throws an AuditError `AUDIT_HEAD_INVALID` if the head is not the one that was written with this key, and
 * `AUDIT_KEY_MISSING` if the head is keyed and there is no key: going on would end the chain that the key protects.
 */
export function createSealBatch(options: SealBatchOptions = {}): SealRequest['compute'] {
  const { keys, keyedFrom = 0, onRefused } = options;
  const clock = options.clock ?? (() => BigInt(Date.now()) * 1000n);
  const linker = new Linker(keys?.link ?? null);

  return (head: StoredHead | null, pending: readonly PendingEvent[]): SealedBatch => {
    const log = options.log ?? head?.log ?? pending[0]?.log;
    if (log === undefined || pending.length === 0) return { entries: [], head: null };
    if (head !== null) checkHead(head, log, keys, keyedFrom);

    const range = rangeOf(head);
    let hash = head?.hash ?? firstLink(log);
    const sealedAt = clock();
    const entries: NewEntry[] = [];
    const seen = new Set<string>();
    for (const event of pending) {
      const reason = seen.has(event.id) ? 'it is listed twice' : refusal(event, log);
      if (reason !== null) {
        onRefused?.(event, reason);
        continue;
      }
      seen.add(event.id);
      const index = range.size;
      hash = linker.link(hash, index, sealedAt, event.leaf);
      range.append(event.leaf);
      entries.push({ index, eventId: event.id, leaf: event.leaf, hash, sealedAt });
    }
    if (entries.length === 0) return { entries, head: null };
    const unsigned = { log, size: range.size, hash, range: range.toBytes() };
    return { entries, head: { ...unsigned, mac: keys === undefined ? null : macHead(keys, unsigned) } };
  };
}

/** @throws AuditError `AUDIT_HEAD_INVALID`, `AUDIT_KEY_MISSING` if the head is not to be trusted */
export function checkHead(
  head: StoredHead,
  log: string,
  keys: AuditKeys | undefined,
  keyedFrom: number,
): void {
  if (head.log !== log) throw invalidHead(`the head of the log ${head.log} stands in for that of ${log}`);
  if (keys === undefined) {
    if (head.mac === null) return;
    throw new AuditError('AUDIT_KEY_MISSING', 'core', `the log ${log} is keyed and no secret is configured`);
  }
  if (head.mac === null) {
    if (head.size <= keyedFrom) return;
    throw invalidHead(`the head of the log ${log} has ${head.size} entries and no MAC`);
  }
  if (!isHeadAuthentic(keys, head)) throw invalidHead(`the head of the log ${log} has a wrong MAC`);
}

/** A head without a MAC may hold anything. */
function rangeOf(head: StoredHead | null): CompactRange {
  if (head === null) return new CompactRange();
  const start = head.size === 0 ? firstLink(head.log) : null;
  if (head.hash.length !== 32 || (start !== null && Buffer.compare(start, head.hash) !== 0)) {
    throw invalidHead(`the head of the log ${head.log} has an impossible link`);
  }
  try {
    return CompactRange.fromBytes(head.size, head.range);
  } catch (cause) {
    throw invalidHead(`the head of the log ${head.log} has an impossible compact range`, cause);
  }
}

function refusal(event: PendingEvent, log: string): string | null {
  if (Buffer.compare(hashLeaf(event.body), event.leaf) !== 0)
    return 'the stored bytes do not hash to its leaf';
  let body: { readonly id: string; readonly log: string };
  try {
    body = readBody(event.body);
  } catch (error) {
    return error instanceof Error ? error.message : 'the stored bytes are no event';
  }
  if (event.log !== log || body.log !== log) return `it belongs to the log ${body.log}`;
  if (body.id !== event.id) return `it is the event ${body.id}`;
  return null;
}

function invalidHead(message: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_HEAD_INVALID', 'core', message, { cause });
}
