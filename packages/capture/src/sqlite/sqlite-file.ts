import { realpathSync } from 'node:fs';
import { AuditError } from '@indelible/core';
import type { CaptureConnection } from '../dialect.js';

/** A SQLite library beneath an ORM: a second one in this process must not open the same file. */
export type SqliteLibrary = 'libsql' | 'better-sqlite3';

// @indelible/sqlite reads this map before it opens a file: two SQLite libraries in one process on one file can corrupt
// it (https://www.sqlite.org/howtocorrupt.html, 2.2.1).
const LIBRARIES = Symbol.for('indelible.sqlite.libraries.v1');

/**
 * The real path of the database file beneath a connection.
 * @param where the package that speaks in errors
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for a database without a file
 */
export async function getSqliteFile(connection: CaptureConnection, where: string): Promise<string> {
  const [row] = await connection.query("SELECT file FROM pragma_database_list WHERE name = 'main'");
  const file = row?.[0];
  if (typeof file !== 'string' || file === '') {
    throw new AuditError(
      'AUDIT_DATABASE_UNSUPPORTED',
      where,
      'a database in memory has no file that an audit log could stand in',
    );
  }
  return realpathSync(file);
}

/** Tells the SQLite store which library this process has on the file. */
export function announceLibrary(file: string, library: SqliteLibrary): void {
  const holder = globalThis as { [LIBRARIES]?: Map<string, string> };
  holder[LIBRARIES] ??= new Map();
  holder[LIBRARIES].set(file, library);
}
