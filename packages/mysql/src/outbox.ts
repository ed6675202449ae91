import {
  type DrainOutcome,
  type DrainRequest,
  isUuidV7,
  type Outbox,
  type OutboxCondition,
  type OutboxRow,
  type SqlStatement,
  type TransactionalAppend,
  uuidTime,
} from '@indelible/core';
import { type Database, inTransaction, reading, WorkError } from './database.js';
import { GIVEN, givenParam, inParts, outboxParams, withoutRepeats } from './event-insert.js';
import { readBytes, readNumber, readText } from './event-row.js';
import { GIVEN_IDS } from './read-pending.js';
import type { SchemaCheck } from './schema-version.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';
import { MAX_BYTES, MAX_ROWS } from './transactional-append.js';

export interface OutboxParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly schema: SchemaCheck;
  /** How the database is named, as for the store itself. */
  readonly named: Pick<TransactionalAppend, 'database' | 'identify' | 'nameSql'>;
}

/** More than so many need no exact number: somebody has to look either way. */
const MOST = 10_000;

export function createOutbox(parts: OutboxParts): Outbox {
  const { database, tables, schema } = parts;
  return {
    transactional: createTransactional(parts),
    drain: (request) => drain(parts, request),
    inspect: () =>
      database.useAgain((session) =>
        reading(session, async () => {
          await schema.require(session);
          return inspect(session, tables);
        }),
      ),
  };
}

function createTransactional({ tables, named }: OutboxParts): TransactionalAppend {
  const into = `INTO ${tables.outbox} (id, leaf, body) VALUES`;
  return {
    dialect: 'mysql',
    ...named,
    statements: (events, { isFresh = false } = {}) =>
      [...inParts(withoutRepeats(events), MAX_ROWS, MAX_BYTES)].map((part): SqlStatement => {
        const rows = Array.from({ length: part.length }, () => '(?, ?, ?)').join(', ');
        return { sql: `INSERT ${isFresh ? '' : 'IGNORE '}${into} ${rows}`, params: outboxParams(part) };
      }),
    countStored: (events) => ({
      sql: `SELECT COUNT(*) FROM ${GIVEN} WHERE ${tables.isInOutbox}(g.id, UNHEX(g.leaf))`,
      params: [givenParam(events)],
    }),
  };
}

/**
 * One relay at a time, or each of many would carry everything. What keeps the others away is a lock of the server, which goes with
 * its connection; no row is locked while `deliver` runs, so the application is never held up.
 */
function drain({ database, tables, schema }: OutboxParts, request: DrainRequest): Promise<DrainOutcome> {
  // Locks are the server's, and their names at most 64 characters long.
  const name = `CONCAT('indelible ', MD5(CONCAT(${tables.schemaSql}, ' outbox')))`;
  return database.use(async (session) => {
    await schema.require(session);
    const locked = await session.run(`SELECT GET_LOCK(${name}, 0)`);
    if (readNumber(locked.rows[0]?.[0]) !== 1) return { taken: 0, removed: 0, busy: true };
    try {
      return await move(session, tables, request);
    } finally {
      await release(session, name);
    }
  });
}

async function move(
  session: Session,
  { outbox }: Tables,
  { limit, except, deliver }: DrainRequest,
): Promise<DrainOutcome> {
  const { rows } = await reading(session, () =>
    session.query(
      `SELECT o.id, o.body, o.leaf FROM ${outbox} AS o FORCE INDEX (PRIMARY)
        WHERE o.id NOT IN (SELECT g.id FROM ${GIVEN_IDS}) ORDER BY o.id LIMIT ${limit}`,
      [JSON.stringify(except)],
    ),
  );
  if (rows.length === 0) return { taken: 0, removed: 0, busy: false };
  const leaves = new Map<OutboxRow, Uint8Array>();
  for (const [id, body, leaf] of rows) {
    leaves.set({ id: readText(id), body: readBytes(body) }, readBytes(leaf));
  }
  const done = await deliver([...leaves.keys()]).catch((error: unknown) => {
    throw new WorkError(error);
  });
  const gone = done.flatMap((row) => {
    const leaf = leaves.get(row);
    return leaf === undefined ? [] : [{ id: row.id, leaf }];
  });
  if (gone.length > 0) {
    await inTransaction(session, () =>
      session.query(
        `DELETE o FROM ${GIVEN} STRAIGHT_JOIN ${outbox} AS o FORCE INDEX (PRIMARY)
          ON o.id = g.id AND o.leaf = UNHEX(g.leaf)`,
        [givenParam(gone)],
      ),
    );
  }
  return { taken: rows.length, removed: gone.length, busy: false };
}

/** Never throws: with the connection its locks go too. */
async function release(session: Session, name: string): Promise<void> {
  if (session.broken) return;
  try {
    await session.run(`DO RELEASE_LOCK(${name})`);
  } catch {
    session.broken = true;
  }
}

async function inspect(session: Session, { outbox }: Tables): Promise<OutboxCondition> {
  const { rows } = await session.query(
    `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM ${outbox} LIMIT ${MOST}) AS waiting), (SELECT MIN(id) FROM ${outbox})`,
  );
  const [waiting, oldest] = rows[0] ?? [];
  const id = oldest === null || oldest === undefined ? undefined : readText(oldest);
  return { waiting: readNumber(waiting), oldest: isUuidV7(id) ? uuidTime(id) : null };
}
