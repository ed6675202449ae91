import type { EventColumns, StoredEvent, StoredHead } from '@indelible/core';
import type { SqliteValue } from './driver.js';

/** The columns of `audit_event` in the order in which they are written and read. */
export const EVENT_COLUMNS = [
  'id',
  'log',
  'body',
  'leaf',
  'time',
  'action',
  'category',
  'outcome',
  'actor_type',
  'actor_id',
  'resource_type',
  'resource_id',
  'tenant',
  'request_id',
  'transaction_id',
  'ip',
] as const;

const BYTES: ReadonlySet<string> = new Set(['body', 'leaf']);

/** The columns of an event under the alias `e`, each text as `exactText` gives it. */
export const EVENT_SELECT = EVENT_COLUMNS.map((name) =>
  BYTES.has(name) ? `e.${name}` : exactText(`e.${name}`),
).join(', ');

/**
 * A text by its bytes, with a letter before them that tells it from a BLOB: libsql cuts a text at NUL, which would hide what
 * stands behind it, and ends the process where one is no UTF-8. In a database of UTF-16 the text itself.
 */
export function exactText(column: string): string {
  return `CASE typeof(${column})
    WHEN 'text' THEN CASE WHEN CAST('a' AS BLOB) = x'61' THEN CAST('t' || ${column} AS BLOB) ELSE ${column} END
    WHEN 'blob' THEN CAST('b' || hex(${column}) AS BLOB) ELSE ${column} END`;
}

const TEXT = 't'.charCodeAt(0);
/** Fatal, because what is no UTF-8 must not look like something that is. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What `exactText` gave, as `readText` reads a value. */
export function readExactText(value: unknown): string {
  if (!(value instanceof Uint8Array)) return readText(value);
  const bytes = value.subarray(1);
  if (value[0] !== TEXT) return `\0${Buffer.from(bytes).toString('latin1')}`;
  try {
    return utf8.decode(bytes);
  } catch {
    return readText(bytes);
  }
}

/** A row of `EVENT_SELECT`, read from `at` on. Values of a type that only tampering can give are read, not refused. */
export function readEvent(row: readonly unknown[], at = 0): StoredEvent {
  return {
    id: readExactText(row[at]),
    log: readExactText(row[at + 1]),
    body: readBytes(row[at + 2]),
    leaf: readBytes(row[at + 3]),
    columns: readColumns(row, at + 4),
  };
}

function readColumns(row: readonly unknown[], at: number): EventColumns {
  return {
    time: readExactText(row[at]),
    action: readExactText(row[at + 1]),
    category: readExactText(row[at + 2]),
    outcome: readExactText(row[at + 3]),
    actorType: readExactText(row[at + 4]),
    actorId: readExactText(row[at + 5]),
    resourceType: readNullableText(row[at + 6]),
    resourceId: readNullableText(row[at + 7]),
    tenant: readNullableText(row[at + 8]),
    requestId: readNullableText(row[at + 9]),
    transactionId: readNullableText(row[at + 10]),
    ip: readNullableText(row[at + 11]),
  };
}

/** A row of `log, size, hash, range, mac`. */
export function readHead(row: readonly unknown[]): StoredHead {
  return {
    log: readText(row[0]),
    size: readNumber(row[1]),
    hash: readBytes(row[2]),
    range: readBytes(row[3]),
    mac: row[4] === null ? null : readBytes(row[4]),
  };
}

/**
 * A text. What only looks like it, and is found by no query for it, becomes a text that no column can hold: derived columns
 * have no NUL.
 */
export function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return `\0${Buffer.from(value).toString('hex')}`;
  return value === null || value === undefined ? '' : `\0${String(value)}`;
}

function readNullableText(value: unknown): string | null {
  return value === null ? null : readExactText(value);
}

export function readBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(readText(value), 'utf8');
}

/** A value to go on behind, as it is: of another type it would stand elsewhere in the order. */
export function readCursor(value: unknown): SqliteValue {
  const isValue = typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number';
  return isValue || value instanceof Uint8Array ? value : null;
}

export function readNumber(value: unknown): number {
  return Number(value);
}

export function readBigint(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : -1n;
}
