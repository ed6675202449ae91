import { randomFillSync } from 'node:crypto';

// One call for random bytes costs more than the rest of an event's id.
const POOL_BYTES = 12 * 1024;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let next = POOL_BYTES;

/** The position of `length` fresh random bytes in `randomPool`, good until the next call. At most 12 KiB. */
export function takeRandom(length: number): number {
  if (next + length > POOL_BYTES) {
    randomFillSync(pool);
    next = 0;
  }
  const start = next;
  next += length;
  return start;
}

export const randomPool: Buffer = pool;
