import type { CheckpointStore, StoredCheckpoint } from '@indelible/core';
import type { Connection } from './connection.js';
import { readBigint, readBytes, readNumber, readText } from './event-row.js';
import { type Page, readByPages } from './read-pages.js';
import { requireSchema } from './schema-version.js';

const PAGE_ROWS = 500;
/** What a size can be, as tampering knows. */
const LEAST = -(2n ** 63n);
const SELECT = 'SELECT log, size, note, range, made_at FROM audit_checkpoint WHERE log = ?';

/** @param use runs work in one tick, and again while the database is locked */
export function createCheckpoints(
  use: <T>(work: (connection: Connection) => T) => Promise<T>,
): CheckpointStore {
  return {
    add: (checkpoint) => use((connection) => connection.transaction(() => add(connection, checkpoint))),
    latest: (log) =>
      use((connection) => {
        requireSchema(connection);
        const [row] = connection.all(`${SELECT} ORDER BY size DESC LIMIT 1`, [log]);
        return row === undefined ? null : readCheckpoint(row);
      }),
    list: (log, range) =>
      readByPages<StoredCheckpoint, bigint>(range?.from === undefined ? LEAST : BigInt(range.from), (from) =>
        use((connection) => readPage(connection, log, from)),
      ),
  };
}

/** Not OR IGNORE: a trigger refuses what would replace a row. */
function add(connection: Connection, { log, size, note, range, madeAt }: StoredCheckpoint): boolean {
  requireSchema(connection);
  const added = connection.run(
    `INSERT INTO audit_checkpoint (log, size, note, range, made_at) SELECT ?, ?, ?, ?, ?
      WHERE NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE log = ? AND size = ?)`,
    [log, BigInt(size), note, range, madeAt, log, BigInt(size)],
  );
  return added > 0;
}

function readPage(connection: Connection, log: string, from: bigint): Page<StoredCheckpoint, bigint> {
  requireSchema(connection);
  const items = connection
    .all(`${SELECT} AND size >= ? ORDER BY size LIMIT ${PAGE_ROWS}`, [log, from])
    .map(readCheckpoint);
  const last = items.at(-1);
  return { items, next: last === undefined || items.length < PAGE_ROWS ? undefined : BigInt(last.size) + 1n };
}

function readCheckpoint(row: readonly unknown[]): StoredCheckpoint {
  return {
    log: readText(row[0]),
    size: readNumber(row[1]),
    note: readBytes(row[2]),
    range: readBytes(row[3]),
    madeAt: readBigint(row[4]),
  };
}
