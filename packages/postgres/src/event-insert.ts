import { AuditError, type PreparedEvent, type SqlStatement } from '@indelible/core';
import { EVENT_COLUMNS } from './event-row.js';
import type { Tables } from './tables.js';
import { plainArray, textArray } from './text-array.js';

const LEAF_BYTES = 32;

/**
 * The events as a table `g`, whose columns are those of `audit_event` without body and leaf, and `at`, `size` and `n`. All bodies
 * are one parameter and all leaves another: bytes then go over the wire as they are, and the number of parameters does not
 * grow with that of events.
 */
const GIVEN = `unnest($3::uuid[], $4::text[], $5::int[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
  WITH ORDINALITY AS g(id, log, at, size, ${EVENT_COLUMNS.slice(4).join(', ')}, n)`;
export const BODY = 'substring($1::bytea FROM g.at FOR g.size)';
export const LEAF = `substring($2::bytea FROM (g.n * ${LEAF_BYTES} - ${LEAF_BYTES - 1})::int FOR ${LEAF_BYTES})`;

/** The role or the database may have switched it off; an append is durable once it resolves. */
const DURABLY = `(SELECT CASE current_setting('synchronous_commit') WHEN 'off'
    THEN set_config('synchronous_commit', 'on', true) ELSE '' END) IS NOT NULL`;

export interface EventStatements {
  /** A plain insertion: what is stored already makes it fail with 23505. */
  readonly insert: string;
  /** The same for one event, whose parameters are `oneEventParams`: the server needs half the time to plan it. */
  readonly insertOne: string;
  /** One event, whose parameters are `oneEventParams`; it fails where a row is dropped in silence. The server keeps its plan. */
  readonly requireOne: string;
  /** The same as `insert`, with the number of events as its last parameter; it fails where rows are dropped in silence. */
  readonly requireAll: string;
  /** The same as `insert`, durably and all or none: where rows are dropped in silence it fails with 22012 instead of leaving the others. */
  readonly insertAll: string;
  /** Passes over every id that is stored already, whatever its bytes. */
  readonly insertMissing: string;
  /** Passes over what is stored already with the same bytes; other bytes make it fail with 23505. */
  readonly insertNew: string;
  /** One of the ids that are not stored with these bytes, and whether it is stored with others. */
  readonly conflict: string;
}

export function createEventStatements(tables: Tables): EventStatements {
  const { event, isStored, appendEvent, requireStored } = tables;
  const insert = `INSERT INTO ${event} (${EVENT_COLUMNS.join(', ')})
  SELECT g.id, g.log, ${BODY}, ${LEAF}, ${EVENT_COLUMNS.slice(4)
    .map((name) => `g.${name}`)
    .join(', ')}
  FROM ${GIVEN}`;
  const stored = `${isStored}(g.id, g.log, ${BODY})`;
  return {
    insert,
    insertOne: `INSERT INTO ${event} (${EVENT_COLUMNS.join(', ')})
      VALUES (${EVENT_COLUMNS.map((_, position) => `$${position + 1}`).join(', ')})`,
    requireOne: `SELECT ${appendEvent}(${EVENT_COLUMNS.map((_, position) => `$${position + 1}`).join(', ')})`,
    requireAll: `WITH written AS (${insert} RETURNING 1) SELECT ${requireStored}(count(*), $19::bigint) FROM written`,
    insertAll: `WITH written AS (${insert} WHERE ${DURABLY} RETURNING 1)
      SELECT 1 / (CASE WHEN count(*) = $19::int THEN 1 ELSE 0 END) FROM written`,
    // Without a conflict target: naming the column would need the right to read it.
    insertMissing: `${insert} WHERE ${DURABLY} ON CONFLICT DO NOTHING`,
    insertNew: `${insert} WHERE ${stored} IS NOT TRUE`,
    conflict: `SELECT g.id, ${stored} IS NOT NULL FROM ${GIVEN}
      WHERE $2::bytea IS NOT NULL AND ${stored} IS NOT TRUE LIMIT 1`,
  };
}

/** @throws AuditError `AUDIT_EVENT_INVALID` for a leaf that is no SHA-256 */
export function eventParams(events: readonly PreparedEvent[]): SqlStatement['params'] {
  const bodies = Buffer.concat(events.map((event) => event.body));
  const leaves = Buffer.concat(events.map((event) => event.leaf));
  checkLeaves(leaves, events.length);
  let end = 1;
  const starts = plainArray(events, ({ body }) => {
    const start = end;
    end += body.length;
    return start;
  });
  return [
    bodies,
    leaves,
    textArray(events, (event) => event.id),
    textArray(events, (event) => event.log),
    starts,
    plainArray(events, (event) => event.body.length),
    textArray(events, (event) => event.columns.time),
    textArray(events, (event) => event.columns.action),
    textArray(events, (event) => event.columns.category),
    textArray(events, (event) => event.columns.outcome),
    textArray(events, (event) => event.columns.actorType),
    textArray(events, (event) => event.columns.actorId),
    textArray(events, (event) => event.columns.resourceType),
    textArray(events, (event) => event.columns.resourceId),
    textArray(events, (event) => event.columns.tenant),
    textArray(events, (event) => event.columns.requestId),
    textArray(events, (event) => event.columns.transactionId),
    textArray(events, (event) => event.columns.ip),
  ];
}

/** @throws AuditError `AUDIT_EVENT_INVALID` for a leaf that is no SHA-256 */
export function oneEventParams({ id, log, body, leaf, columns: c }: PreparedEvent): SqlStatement['params'] {
  checkLeaves(leaf, 1);
  return [
    id,
    log,
    body,
    leaf,
    c.time,
    c.action,
    c.category,
    c.outcome,
    c.actorType,
    c.actorId,
    c.resourceType,
    c.resourceId,
    c.tenant,
    c.requestId,
    c.transactionId,
    c.ip,
  ];
}

function checkLeaves(leaves: Uint8Array, count: number): void {
  if (leaves.length === count * LEAF_BYTES) return;
  throw new AuditError('AUDIT_EVENT_INVALID', 'postgres', `a leaf has not ${LEAF_BYTES} bytes`);
}

/** Parts of at most so many events and bytes, which one statement takes well. */
export function* inParts(events: readonly PreparedEvent[]): Generator<readonly PreparedEvent[]> {
  let part: PreparedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (part.length > 0 && (part.length === MAX_ROWS || bytes + event.body.length > MAX_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += event.body.length;
  }
  if (part.length > 0) yield part;
}

const MAX_ROWS = 5_000;
const MAX_BYTES = 32 * 1024 * 1024;

export function idConflict(id: string): AuditError {
  return new AuditError('AUDIT_ID_CONFLICT', 'postgres', `the event ${id} is stored with other contents`);
}
