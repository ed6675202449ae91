import type { CheckpointStore, StoredCheckpoint } from '@indelible/core';
import { BEGIN_READING, type Database, inTransaction } from './database.js';
import { type Row, readBigint, readBytes, readNumber, readText } from './event-row.js';
import { type Page, readByPages } from './read-pages.js';
import type { SchemaCheck } from './schema-version.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

export interface CheckpointParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly schema: SchemaCheck;
  /** @throws AuditError where the store only reads */
  readonly writable: () => void;
}

const PAGE_ROWS = 500;
/** What a size can be, as tampering knows. */
const LEAST = -(2n ** 63n);

export function createCheckpoints({ database, tables, schema, writable }: CheckpointParts): CheckpointStore {
  const columns = `SELECT log, size, note, range, made_at FROM ${tables.checkpoint}`;
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    database.useAgain(async (session) => {
      await schema.require(session);
      return inTransaction(session, () => work(session), BEGIN_READING);
    });
  return {
    add: async (checkpoint) => {
      writable();
      return database.use(async (session) => {
        await schema.require(session);
        return inTransaction(session, () => add(session, tables, checkpoint));
      });
    },
    latest: (log) =>
      read(async (session) => {
        const sql = `${columns} WHERE log = $1 ORDER BY size DESC LIMIT 1`;
        const [row] = (await session.query(sql, [log])).rows;
        return row === undefined ? null : readCheckpoint(row);
      }),
    list: (log, range) =>
      readByPages<StoredCheckpoint, bigint>(range?.from === undefined ? LEAST : BigInt(range.from), (from) =>
        read((session) => readPage(session, columns, log, from)),
      ),
  };
}

async function add(
  session: Session,
  { checkpoint }: Tables,
  { log, size, note, range, madeAt }: StoredCheckpoint,
): Promise<boolean> {
  const { count } = await session.query(
    `INSERT INTO ${checkpoint} (log, size, note, range, made_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [log, size, note, range, madeAt],
  );
  return count > 0;
}

async function readPage(
  session: Session,
  columns: string,
  log: string,
  from: bigint,
): Promise<Page<StoredCheckpoint, bigint>> {
  const sql = `${columns} WHERE log = $1 AND size >= $2 ORDER BY size LIMIT ${PAGE_ROWS}`;
  const items = (await session.query(sql, [log, from])).rows.map(readCheckpoint);
  const last = items.at(-1);
  return { items, next: last === undefined || items.length < PAGE_ROWS ? undefined : BigInt(last.size) + 1n };
}

function readCheckpoint(row: Row): StoredCheckpoint {
  return {
    log: readText(row[0]),
    size: readNumber(row[1]),
    note: readBytes(row[2]),
    range: readBytes(row[3]),
    madeAt: readBigint(row[4]),
  };
}
