import type { EventFilter, ListedEvent } from '@indelible/core';
import type { Connection } from './connection.js';
import type { SqliteValue } from './driver.js';
import { EVENT_SELECT, readBigint, readEvent, readNumber } from './event-row.js';

const DEFAULT_LIMIT = 100;

/** Filter fields and the columns that they compare. */
const COLUMNS = {
  log: 'log',
  action: 'action',
  category: 'category',
  outcome: 'outcome',
  actorId: 'actor_id',
  resourceType: 'resource_type',
  resourceId: 'resource_id',
  requestId: 'request_id',
  transactionId: 'transaction_id',
} as const satisfies Partial<Record<keyof EventFilter, string>>;

const LISTED = `SELECT n.idx, n.sealed_at, ${EVENT_SELECT}
  FROM audit_event AS e LEFT JOIN audit_entry AS n ON n.event_id = e.id`;

export function tryFindEvent(connection: Connection, id: string): ListedEvent | null {
  const [row] = connection.all(`${LISTED} WHERE e.id = ?`, [id]);
  return row === undefined ? null : readListed(row);
}

/** @throws TypeError for a limit that is no number of rows */
export function listEvents(connection: Connection, filter: EventFilter): readonly ListedEvent[] {
  const { order = 'oldest', limit = DEFAULT_LIMIT, after } = filter;
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new TypeError(`[indelible/sqlite] limit: expected a whole number from 0 up, not ${limit}`);
  }
  const conditions: string[] = [];
  const params: SqliteValue[] = [];
  for (const [field, column] of Object.entries(COLUMNS)) {
    const value = filter[field as keyof typeof COLUMNS];
    if (value === undefined) continue;
    conditions.push(`e.${column} = ?`);
    params.push(value);
  }
  if (after !== undefined) {
    conditions.push(order === 'newest' ? 'e.id < ?' : 'e.id > ?');
    params.push(after);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  const sql = `${LISTED} ${where} ORDER BY e.id ${direction} LIMIT ?`;
  return connection.all(sql, [...params, BigInt(limit)]).map(readListed);
}

function readListed(row: readonly unknown[]): ListedEvent {
  const sealed = row[0] !== null;
  return {
    ...readEvent(row, 2),
    index: sealed ? readNumber(row[0]) : null,
    sealedAt: sealed ? readBigint(row[1]) : null,
  };
}
