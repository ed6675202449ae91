import { createRequire } from 'node:module';
import { AuditError } from '@indelible/core';
import { type BetterSqlite3Class, createBetterSqlite3Driver } from './better-sqlite3-driver.js';
import type { SqliteDriver } from './driver.js';
import { readOnlyUri } from './read-only-uri.js';

/**
 * The driver over libsql, which comes as a binary and needs no compiler.
 *
 * @throws AuditError `AUDIT_DRIVER_MISSING` where there is no binary for this machine
 */
export function createLibsqlDriver(): SqliteDriver {
  let Database: BetterSqlite3Class;
  try {
    Database = createRequire(import.meta.url)('libsql');
  } catch (cause) {
    throw new AuditError('AUDIT_DRIVER_MISSING', 'sqlite', 'the package libsql can not be loaded', { cause });
  }
  // libsql takes the option `readonly` and does not heed it.
  return createBetterSqlite3Driver(Database, 'libsql', readOnlyUri);
}
