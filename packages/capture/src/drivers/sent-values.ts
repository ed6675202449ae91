import type { SqlValue } from '../dialect.js';

/** As drivers take it: some know bytes only as a Buffer. */
export function toDriverValue(value: SqlValue): string | number | bigint | Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

/** How long a statement's values are altogether, in characters or bytes, roughly. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + lengthOf(item), value.length) : 8;
}
