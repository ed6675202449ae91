import {
  type DrainOutcome,
  type DrainRequest,
  isUuidV7,
  type Outbox,
  type OutboxCondition,
  type SqlStatement,
  type TransactionalAppend,
  uuidTime,
} from '@indelible/core';
import type { Connection } from './connection.js';
import type { SqliteValue } from './driver.js';
import { withoutRepeats } from './event-insert.js';
import { readBytes, readNumber, readText } from './event-row.js';

const MAX_ROWS = 2_000;
/** More than so many need no exact number: somebody has to look either way. */
const MOST = 10_000;
const COUNT_STORED = `SELECT count(DISTINCT there.id) FROM json_each(?) AS given
  JOIN audit_outbox AS there ON there.id = json_extract(given.value, '$[0]')
  WHERE hex(there.leaf) = json_extract(given.value, '$[1]')`;

/** @param use runs work in one tick, and again while the database is locked */
export function createOutbox(
  realPath: string,
  use: <T>(work: (connection: Connection) => T) => Promise<T>,
): Outbox {
  return {
    transactional: createTransactional(realPath),
    drain: (request) => drain(use, request),
    inspect: () => use(inspect),
  };
}

function createTransactional(realPath: string): TransactionalAppend {
  return {
    dialect: 'sqlite',
    database: `sqlite:${realPath}`,
    statements(events, { isFresh = false } = {}) {
      const statements: SqlStatement[] = [];
      const distinct = withoutRepeats(events);
      for (let at = 0; at < distinct.length; at += MAX_ROWS) {
        const chunk = distinct.slice(at, at + MAX_ROWS);
        const rows = Array.from({ length: chunk.length }, () => '(?, ?, ?)').join(', ');
        const sql = isFresh
          ? `INSERT INTO audit_outbox (id, leaf, body) VALUES ${rows}`
          : `INSERT INTO audit_outbox (id, leaf, body) SELECT * FROM (VALUES ${rows}) AS given WHERE NOT EXISTS (
              SELECT 1 FROM audit_outbox AS there WHERE there.id = given.column1 AND there.leaf = given.column2)`;
        const params = chunk.flatMap(({ id, leaf, body }): SqliteValue[] => [id, leaf, body]);
        statements.push({ sql, params });
      }
      return statements;
    },
    countStored: (events) => ({
      sql: COUNT_STORED,
      params: [JSON.stringify(events.map(({ id, leaf }) => [id, hexOf(leaf)]))],
    }),
  };
}

/** No lock is held while `deliver` runs, because the application could not write meanwhile: two that drain may hand out the same rows. */
async function drain(
  use: <T>(work: (connection: Connection) => T) => Promise<T>,
  { limit, except, deliver }: DrainRequest,
): Promise<DrainOutcome> {
  const rows = await use((connection) =>
    connection.all(
      `SELECT id, leaf, body FROM audit_outbox WHERE id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?`,
      [JSON.stringify(except), BigInt(limit)],
    ),
  );
  if (rows.length === 0) return { taken: 0, removed: 0, busy: false };
  const taken = rows.map(([id, leaf, body]) => ({
    id: readText(id),
    leaf: readBytes(leaf),
    body: readBytes(body),
  }));
  const done = new Set(await deliver(taken));
  const gone = taken.filter((row) => done.has(row));
  if (gone.length > 0) {
    await use((connection) =>
      connection.transaction(() => {
        for (const { id, leaf } of gone) {
          connection.run('DELETE FROM audit_outbox WHERE id = ? AND leaf = ?', [id, leaf]);
        }
      }),
    );
  }
  return { taken: rows.length, removed: gone.length, busy: false };
}

function inspect(connection: Connection): OutboxCondition {
  const [row] = connection.all(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM audit_outbox LIMIT ${MOST})), (SELECT min(id) FROM audit_outbox)`,
  );
  const oldest = row?.[1];
  return { waiting: readNumber(row?.[0]), oldest: isUuidV7(oldest) ? uuidTime(oldest) : null };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}
