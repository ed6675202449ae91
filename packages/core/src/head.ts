import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AuditKeys } from './keys.js';
import type { StoredHead } from './store.js';
import { writeUint64 } from './uint64.js';

/**
 * The MAC of a head:
 * `HMAC-SHA-256(headKey, "indelible/head/v1\n" ‖ origin ‖ "\n" ‖ uint64be(size) ‖ link ‖ compact range)`.
 */
export function macHead(keys: AuditKeys, head: Omit<StoredHead, 'mac'>): Uint8Array {
  const size = Buffer.alloc(8);
  writeUint64(size, head.size, 0);
  return createHmac('sha256', keys.head)
    .update(`indelible/head/v1\n${head.log}\n`)
    .update(size)
    .update(head.hash)
    .update(head.range)
    .digest();
}

/** True if the head carries the MAC that this key gives it. */
export function isHeadAuthentic(keys: AuditKeys, head: StoredHead): boolean {
  if (head.mac === null || !Number.isSafeInteger(head.size) || head.size < 0) return false;
  // Or bytes could wander between link and range under the same MAC.
  if (head.hash.length !== 32) return false;
  const mac = macHead(keys, head);
  return head.mac.length === mac.length && timingSafeEqual(head.mac, mac);
}
