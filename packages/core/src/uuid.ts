import { randomPool, takeRandom } from './random-pool.js';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MAX_MS = 2 ** 48 - 1;
const STEPS = 4096;

let origin = Date.now() - performance.now();
let lastMs = 0;
let lastStep = 0;
let lastGivenMs = -1;
let lastGivenStep = 0;

/**
 * A UUIDv7 in lower case (RFC 9562, section 5.7). The 12 bits after the milliseconds are the fraction of the millisecond
 * (section 6.2, method 3), and each id is greater than the one before it in this process, also after the clock was set
 * back.
 *
 * @param time instead of the clock. Ids of one millisecond of a Date rise too, up to 4,096 of them; those of a time in
 * microseconds since 1970 have that time and rise with it
 * @throws TypeError for a time that is no date from 1970 to 10889
 */
export function createUuidV7(time?: Date | { readonly microseconds: number }): string {
  if (time !== undefined)
    return time instanceof Date ? createAt(time) : createAtMicroseconds(time.microseconds);
  const wall = Date.now();
  let precise = origin + performance.now();
  // The monotonic clock gives the fraction only: it drifts from the wall clock and does not see it being set.
  if (precise < wall) {
    origin += wall - precise;
    precise = wall;
  } else if (precise >= wall + 1) {
    origin -= precise - wall;
    precise = wall;
  }
  const step = Math.floor((precise - wall) * STEPS);
  if (wall > lastMs || (wall === lastMs && step > lastStep)) {
    lastMs = wall;
    lastStep = step;
  } else if (++lastStep === STEPS) {
    lastMs++;
    lastStep = 0;
  }
  return format(lastMs, lastStep);
}

/** The time in a UUIDv7. @throws TypeError if it is none */
export function uuidTime(id: string): Date {
  if (!isUuidV7(id)) throw new TypeError('[indelible/core] uuidTime() takes a UUIDv7 in lower case.');
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** True for a UUIDv7 in lower case. */
export function isUuidV7(id: unknown): id is string {
  return typeof id === 'string' && UUID_V7.test(id);
}

function createAt(time: Date): string {
  const ms = time instanceof Date ? time.getTime() : Number.NaN;
  if (!(ms >= 0 && ms <= MAX_MS)) {
    throw new TypeError('[indelible/core] createUuidV7() takes a valid date from 1970 on.');
  }
  lastGivenStep = ms === lastGivenMs ? (lastGivenStep + 1) % STEPS : 0;
  lastGivenMs = ms;
  return format(ms, lastGivenStep);
}

function createAtMicroseconds(microseconds: number): string {
  const ms = Math.floor(microseconds / 1_000);
  if (!(ms >= 0 && ms <= MAX_MS)) {
    throw new TypeError('[indelible/core] createUuidV7() takes a valid time from 1970 on.');
  }
  return format(ms, Math.floor(((microseconds - ms * 1_000) * STEPS) / 1_000));
}

function format(ms: number, step: number): string {
  const high = Math.floor(ms / 0x10000);
  const random = takeRandom(8);
  return `${hex(high >>> 24)}${hex(high >>> 16)}${hex(high >>> 8)}${hex(high)}-${hex(ms >>> 8)}${hex(ms)}-${hex(
    0x70 | (step >>> 8),
  )}${hex(step)}-${hex(0x80 | (byteAt(random) & 0x3f))}${hex(byteAt(random + 1))}-${hex(byteAt(random + 2))}${hex(
    byteAt(random + 3),
  )}${hex(byteAt(random + 4))}${hex(byteAt(random + 5))}${hex(byteAt(random + 6))}${hex(byteAt(random + 7))}`;
}

function byteAt(index: number): number {
  return randomPool[index] as number;
}

function hex(byte: number): string {
  return HEX[byte & 0xff] as string;
}
