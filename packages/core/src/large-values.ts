import type { JsonValue } from './event.js';
import { createMark } from './mark.js';

/**
 * What `toJson` makes of bytes beyond the limit, where the database has computed their digest and nobody has read them.
 *
 * @param length in bytes
 * @param sha256 in hex
 */
export function bytesDigest(length: number, sha256: string): JsonValue {
  return createMark('bytes', { length, sha256 });
}

/**
 * What `toJson` makes of a text beyond the limit, where only its start was read.
 *
 * @param length of all of it, in UTF-16 units
 */
export function startOfText(start: string, length: number): JsonValue {
  return createMark('cut', { value: start, length });
}
