import { AuditError, type PreparedEvent, type SqlStatement, type TransactionalAppend } from '@indelible/core';
import type { SqliteValue } from './driver.js';
import { EVENT_COLUMNS } from './event-row.js';

/** SQLITE_MAX_VARIABLE_NUMBER is 32,766 in every build since 3.32. */
const MAX_ROWS = 2_000;
const ROW = `(${EVENT_COLUMNS.map(() => '?').join(', ')})`;
const INTO = `INSERT INTO audit_event (${EVENT_COLUMNS.join(', ')})`;

/** The leaf is the hash of the body, which holds the log: equal leaves are equal events. */
const COUNT_STORED = `SELECT count(DISTINCT there.id) FROM json_each(?) AS given
  JOIN audit_event AS there ON there.id = json_extract(given.value, '$[0]')
  WHERE hex(there.leaf) = json_extract(given.value, '$[1]')`;

/** A plain insertion of so many rows: what is stored already makes it fail. */
export function insertRows(count: number): string {
  return `${INTO} VALUES ${rows(count)}`;
}

/**
 * An insertion that passes over what is stored already with the same bytes. What is stored with other bytes meets the
 * guard of the table, which refuses it.
 */
function insertNewRows(count: number): string {
  return `${INTO} SELECT * FROM (VALUES ${rows(count)}) AS given WHERE NOT EXISTS (
    SELECT 1 FROM audit_event AS there
    WHERE there.id = given.column1 AND there.log = given.column2 AND there.body = given.column3)`;
}

/** The parameters of one row, added to those of the rows before it: flattening arrays takes as long as SQLite does. */
export function pushEventParams(params: SqliteValue[], event: PreparedEvent): void {
  const { columns } = event;
  params.push(
    event.id,
    event.log,
    event.body,
    event.leaf,
    columns.time,
    columns.action,
    columns.category,
    columns.outcome,
    columns.actorType,
    columns.actorId,
    columns.resourceType,
    columns.resourceId,
    columns.tenant,
    columns.requestId,
    columns.transactionId,
    columns.ip,
  );
}

/** How events are written on an ORM's connection. `changes()` counts them, as SQLite knows no insertion that it does not count. */
export function createTransactionalAppend(realPath: string): TransactionalAppend {
  return {
    dialect: 'sqlite',
    database: `sqlite:${realPath}`,
    statements(events, { isFresh = false } = {}) {
      const fresh = withoutRepeats(events);
      const statements: SqlStatement[] = [];
      for (let at = 0; at < fresh.length; at += MAX_ROWS) {
        const chunk = fresh.slice(at, at + MAX_ROWS);
        const params: SqliteValue[] = [];
        for (const event of chunk) pushEventParams(params, event);
        statements.push({ sql: isFresh ? insertRows(chunk.length) : insertNewRows(chunk.length), params });
      }
      return statements;
    },
    countStored: (events) => ({
      sql: COUNT_STORED,
      params: [
        JSON.stringify(events.map(({ id, leaf }) => [id, Buffer.from(leaf).toString('hex').toUpperCase()])),
      ],
    }),
  };
}

/** A statement does not see the rows that it inserts itself. @throws AuditError `AUDIT_ID_CONFLICT` */
export function withoutRepeats(events: readonly PreparedEvent[]): readonly PreparedEvent[] {
  const byId = new Map<string, PreparedEvent>();
  for (const event of events) {
    const known = byId.get(event.id);
    if (known === undefined) byId.set(event.id, event);
    else if (!hasSameBytes(known, event)) throw idConflict(event.id);
  }
  return [...byId.values()];
}

export function hasSameBytes(
  one: Pick<PreparedEvent, 'log' | 'body'>,
  other: Pick<PreparedEvent, 'log' | 'body'>,
): boolean {
  return one.log === other.log && Buffer.compare(one.body, other.body) === 0;
}

export function idConflict(id: string): AuditError {
  return new AuditError('AUDIT_ID_CONFLICT', 'sqlite', `the event ${id} is stored with other contents`);
}

function rows(count: number): string {
  return Array.from({ length: count }, () => ROW).join(', ');
}
