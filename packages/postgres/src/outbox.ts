import {
  type DrainOutcome,
  type DrainRequest,
  isUuidV7,
  type Outbox,
  type OutboxCondition,
  type OutboxRow,
  type TransactionalAppend,
  uuidTime,
} from '@indelible/core';
import { BEGIN, type Database, inTransaction, ONLY_BY_KEY, WorkError } from './database.js';
import { BODY, eventParams, inParts, LEAF } from './event-insert.js';
import { readBytes, readNumber, readText } from './event-row.js';
import type { SchemaCheck } from './schema-version.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';
import { plainArray } from './text-array.js';
import { withoutRepeats } from './transactional-append.js';

export interface OutboxParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly schema: SchemaCheck;
  /** How the database is named, as for the store itself. */
  readonly named: Pick<TransactionalAppend, 'database' | 'identify' | 'nameSql'>;
}

/** More than so many need no exact number: somebody has to look either way. */
const MOST = 10_000;
/** A relay that hangs while it delivers must not keep the others away for good. */
const BEGIN_DRAIN = `${BEGIN}; ${ONLY_BY_KEY}; SET LOCAL idle_in_transaction_session_timeout = '60s'`;

export function createOutbox(parts: OutboxParts): Outbox {
  const { database, tables, schema, named } = parts;
  const sql = `INSERT INTO ${tables.outbox} (id, leaf, body) SELECT g.id, ${LEAF}, ${BODY}
    FROM unnest($3::uuid[], $4::int[], $5::int[]) WITH ORDINALITY AS g(id, at, size, n)`;
  return {
    transactional: {
      dialect: 'postgres',
      ...named,
      statements: (events) =>
        [...inParts(withoutRepeats(events))].map((part) => {
          const [bodies = null, leaves = null, ids = null, , starts = null, sizes = null] = eventParams(part);
          return { sql, params: [bodies, leaves, ids, starts, sizes] };
        }),
    },
    drain: (request) => drain(parts, request),
    inspect: () =>
      database.useAgain(async (session) => {
        await schema.require(session);
        return inspect(session, tables);
      }),
  };
}

/** One relay at a time, or each of many would carry everything. Its lock goes with its connection. */
function drain({ database, tables, schema }: OutboxParts, request: DrainRequest): Promise<DrainOutcome> {
  const { limit, except, deliver } = request;
  return database.use(async (session) => {
    await schema.require(session);
    return inTransaction(
      session,
      async () => {
        const lock = [`indelible ${tables.schema} outbox`];
        const locked = await session.query('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 2))', lock);
        if (locked.rows[0]?.[0] !== 't') return { taken: 0, removed: 0, busy: true };
        const { rows } = await session.query(
          `SELECT id, body, ctid FROM ${tables.outbox} WHERE id <> ALL ($1::uuid[]) ORDER BY id LIMIT $2`,
          [plainArray(except, (id) => id), limit],
        );
        if (rows.length === 0) return { taken: 0, removed: 0, busy: false };
        const places = new Map<OutboxRow, string>();
        for (const [id, body, ctid] of rows) {
          places.set({ id: readText(id), body: readBytes(body) }, readText(ctid));
        }
        const done = await deliver([...places.keys()]).catch((error: unknown) => {
          throw new WorkError(error);
        });
        const gone = done.flatMap((row) => places.get(row) ?? []);
        // Nobody moves rows while this transaction has read them, so that a place stays what it was.
        await session.query(`DELETE FROM ${tables.outbox} WHERE ctid = ANY ($1::tid[])`, [
          `{${gone.map((place) => `"${place}"`).join(',')}}`,
        ]);
        return { taken: rows.length, removed: gone.length, busy: false };
      },
      BEGIN_DRAIN,
    );
  });
}

async function inspect(session: Session, { outbox }: Tables): Promise<OutboxCondition> {
  const { rows } = await session.query(
    `SELECT (SELECT count(*) FROM (SELECT FROM ${outbox} LIMIT ${MOST}) AS waiting),
      (SELECT id FROM ${outbox} ORDER BY id LIMIT 1)`,
  );
  const [waiting, oldest] = rows[0] ?? [];
  return { waiting: readNumber(waiting), oldest: isUuidV7(oldest) ? uuidTime(oldest) : null };
}
