import type { EventColumns, StoredEvent, StoredHead } from '@indelible/core';

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

/** The bytes of an event's body; the server knows them without reading it. */
export const BODY_BYTES = 'octet_length(e.body)';

/** The same columns with NULL for a body of more than `longest` bytes, and behind them whether that is so. */
export function selectUpTo(longest: number): string {
  const body = `CASE WHEN ${BODY_BYTES} <= ${longest} THEN e.body END`;
  return `${EVENT_SELECT.replace('e.body', body)}, ${BODY_BYTES} > ${longest}`;
}

/** @param at where the columns of `selectUpTo` begin */
export function isCut(row: Row, at = 0): boolean {
  return row[at + EVENT_COLUMNS.length] === 't';
}

/** A row as the server sends it: texts, and bytes where the column's type is bytea. */
export type Row = readonly unknown[];

/** A row of `EVENT_SELECT`, read from `at` on. */
export function readEvent(row: Row, at = 0): StoredEvent {
  return {
    id: readText(row[at]),
    log: readText(row[at + 1]),
    body: readBytes(row[at + 2]),
    leaf: readBytes(row[at + 3]),
    columns: readColumns(row, at + 4),
  };
}

function readColumns(row: Row, at: number): EventColumns {
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
export function readHead(row: Row): StoredHead {
  return {
    log: readText(row[0]),
    size: readNumber(row[1]),
    hash: readBytes(row[2]),
    range: readBytes(row[3]),
    mac: row[4] === null ? null : readBytes(row[4]),
  };
}

/** A text. NULL, which only tampering can put where a text belongs, becomes one that no column can hold: it has NUL. */
export function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return `\0${Buffer.from(value).toString('hex')}`;
  return value === null || value === undefined ? '\0' : `\0${String(value)}`;
}

export function readNullableText(value: unknown): string | null {
  return value === null ? null : readText(value);
}

export function readBytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(readText(value), 'utf8');
}

export function readNumber(value: unknown): number {
  return typeof value === 'string' ? Number(value) : Number.NaN;
}

export function readBigint(value: unknown): bigint {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : -1n;
}
