import type { EventFilter, ListedEvent } from '@indelible/core';
import { EVENT_SELECT, type Row, readBigint, readEvent, readNumber } from './event-row.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

const DEFAULT_LIMIT = 100;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

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

export async function tryFindEvent(
  session: Session,
  tables: Tables,
  id: string,
): Promise<ListedEvent | null> {
  const { rows } = await session.query(
    `SELECT n.idx, n.sealed_at, ${EVENT_SELECT}
      FROM ${tables.event} AS e LEFT JOIN ${tables.entry} AS n ON n.event_id = e.id
      WHERE e.id = $1`,
    // What is no id is the id of no event.
    [UUID.test(id) ? id : null],
  );
  return rows[0] === undefined ? null : readListed(rows[0], tables);
}

/** @throws TypeError for a limit that is no number of rows, or an `after` that is no id */
export async function listEvents(
  session: Session,
  tables: Tables,
  filter: EventFilter,
): Promise<readonly ListedEvent[]> {
  const { order = 'oldest', limit = DEFAULT_LIMIT, after } = filter;
  const conditions: string[] = [];
  const params: string[] = [];
  const compare = (text: (parameter: string) => string, value: string): void => {
    params.push(tables.texts.write(value));
    conditions.push(text(`$${params.length}`));
  };
  for (const [field, column] of Object.entries(COLUMNS)) {
    const value = filter[field as keyof typeof COLUMNS];
    if (value === undefined) continue;
    // No column holds a NUL, and the server would refuse the question.
    if (value.includes('\0')) return [];
    compare((parameter) => `x.${column} = ${parameter}`, value);
    if (field === 'resourceId') {
      compare((parameter) => `left(x.resource_id, 256) = left(${parameter}, 256)`, value);
    }
  }
  if (after !== undefined)
    compare((parameter) => `x.id ${order === 'newest' ? '<' : '>'} ${parameter}`, after);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  const { rows } = await session.query(
    `SELECT n.idx, n.sealed_at, ${EVENT_SELECT}
      FROM (SELECT * FROM ${tables.event} AS x ${where} ORDER BY x.id ${direction} LIMIT ${limit}) AS e
        LEFT JOIN LATERAL (SELECT idx, sealed_at FROM ${tables.entry} AS y WHERE y.event_id = e.id OFFSET 0) AS n ON true
      ORDER BY e.id ${direction}`,
    params,
  );
  return rows.map((row) => readListed(row, tables));
}

/** @throws TypeError */
export function checkFilter({ limit = DEFAULT_LIMIT, after }: EventFilter): void {
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new TypeError(`[indelible/postgres] limit: expected a whole number from 0 up, not ${limit}`);
  }
  if (after !== undefined && !UUID.test(after)) {
    throw new TypeError('[indelible/postgres] after: expected the id of an event');
  }
}

function readListed(row: Row, { texts }: Tables): ListedEvent {
  const sealed = row[0] !== null;
  return {
    ...texts.readEvent(readEvent(row, 2)),
    index: sealed ? readNumber(row[0]) : null,
    sealedAt: sealed ? readBigint(row[1]) : null,
  };
}
