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

/** The columns of an event under the alias `e`. */
export const EVENT_SELECT = EVENT_COLUMNS.map((name) => `e.${name}`).join(', ');

/** A row of `EVENT_SELECT`, read from `at` on. Values of a type that only tampering can give are read, not refused. */
export function readEvent(row: readonly unknown[], at = 0): StoredEvent {
  return {
    id: readText(row[at]),
    log: readText(row[at + 1]),
    body: readBytes(row[at + 2]),
    leaf: readBytes(row[at + 3]),
    columns: readColumns(row, at + 4),
  };
}

function readColumns(row: readonly unknown[], at: number): EventColumns {
  return {
    time: readText(row[at]),
    action: readText(row[at + 1]),
    category: readText(row[at + 2]),
    outcome: readText(row[at + 3]),
    actorType: readText(row[at + 4]),
    actorId: readText(row[at + 5]),
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

export function readNullableText(value: unknown): string | null {
  return value === null ? null : readText(value);
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
