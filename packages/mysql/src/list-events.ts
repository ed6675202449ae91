import { crc32 } from 'node:zlib';
import type { EventFilter, ListedEvent, SqlStatement } from '@indelible/core';
import { EVENT_SELECT, type Row, readBigint, readEvent, readNumber } from './event-row.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

const DEFAULT_LIMIT = 100;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NO_ROWS = 'false';

/** Filter fields, the columns that they compare, and those that an index holds in their place. */
const COLUMNS = {
  log: ['log'],
  action: ['action', 'action_crc'],
  category: ['category'],
  outcome: ['outcome'],
  actorId: ['actor_id', 'actor_crc'],
  resourceType: ['resource_type', 'type_crc'],
  resourceId: ['resource_id', 'resource_crc'],
  requestId: ['request_id', 'request_crc'],
  transactionId: ['transaction_id'],
} as const satisfies Partial<Record<keyof EventFilter, readonly string[]>>;

export async function tryFindEvent(
  session: Session,
  tables: Tables,
  id: string,
): Promise<ListedEvent | null> {
  // What is no id is the id of no event; the tables are asked all the same, because they may be missing.
  const { rows } = await session.query(
    `SELECT n.idx, n.sealed_at, ${EVENT_SELECT}
      FROM ${tables.event} AS e LEFT JOIN ${tables.entry} AS n ON n.event_id = e.id
      WHERE e.id = ?`,
    [UUID.test(id) ? id : null],
  );
  return rows[0] === undefined ? null : readListed(rows[0]);
}

/** @throws TypeError for a limit that is no number of rows, or an `after` that is no id */
export async function listEvents(
  session: Session,
  tables: Tables,
  filter: EventFilter,
): Promise<readonly ListedEvent[]> {
  const { order = 'oldest', limit = DEFAULT_LIMIT } = filter;
  const { conditions, params } = readFilter(filter);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  const { rows } = await session.query(
    `SELECT n.idx, n.sealed_at, ${EVENT_SELECT}
      FROM (SELECT x.id FROM ${tables.event} AS x ${where} ORDER BY x.id ${direction} LIMIT ${limit}) AS g
        STRAIGHT_JOIN ${tables.event} AS e ON e.id = g.id
        LEFT JOIN ${tables.entry} AS n ON n.event_id = e.id
      ORDER BY e.id ${direction}`,
    params,
  );
  return rows.map(readListed);
}

function readFilter(filter: EventFilter): { conditions: string[]; params: SqlStatement['params'] } {
  const conditions: string[] = [];
  const params: (string | number | Uint8Array)[] = [];
  for (const [field, [column, index]] of Object.entries(COLUMNS)) {
    const value = filter[field as keyof typeof COLUMNS];
    if (value === undefined) continue;
    // Bytes compare with bytes: a text would be compared by its collation, which passes over spaces at the end.
    const bytes = Buffer.from(value, 'utf8');
    if (column === 'log') {
      const isName = /^[\x21-\x7e]*$/.test(value);
      conditions.push(isName ? 'x.log = ?' : NO_ROWS);
      if (isName) params.push(value);
      continue;
    }
    if (index !== undefined) {
      conditions.push(`x.${index} = ?`);
      params.push(crc32(bytes));
    }
    conditions.push(`CAST(x.${column} AS BINARY) = ?`);
    params.push(bytes);
  }
  if (filter.after !== undefined) {
    conditions.push(`x.id ${filter.order === 'newest' ? '<' : '>'} ?`);
    params.push(filter.after);
  }
  return { conditions, params };
}

/** @throws TypeError */
export function checkFilter({ limit = DEFAULT_LIMIT, after }: EventFilter): void {
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new TypeError(`[indelible/mysql] limit: expected a whole number from 0 up, not ${limit}`);
  }
  if (after !== undefined && !UUID.test(after)) {
    throw new TypeError('[indelible/mysql] after: expected the id of an event');
  }
}

function readListed(row: Row): ListedEvent {
  const sealed = row[0] !== null;
  return {
    ...readEvent(row, 2),
    index: sealed ? readNumber(row[0]) : null,
    sealedAt: sealed ? readBigint(row[1]) : null,
  };
}
