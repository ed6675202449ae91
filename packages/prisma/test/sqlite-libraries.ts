import { createRequire } from 'node:module';
import { createBetterSqlite3Driver, type SqliteDriver } from '@indelible/sqlite';
import Libsql from 'libsql';
import type { AdapterKind } from './test-adapters.js';

/** What the tests read and tamper with: the part of the API that both libraries have. */
export interface RawDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): RawStatement;
  close(): unknown;
}

interface RawStatement {
  raw(): { all(...params: unknown[]): unknown };
  run(...params: unknown[]): unknown;
}

export type DatabaseClass = new (file: string) => RawDatabase;

const require = createRequire(import.meta.url);

/** better-sqlite3's class, or undefined where it is not compiled: then what needs it does not run, and says so. */
export function tryLoadBetterSqlite3(): DatabaseClass | undefined {
  try {
    const Database = require('better-sqlite3') as DatabaseClass;
    new Database(':memory:').close();
    return Database;
  } catch {
    return undefined;
  }
}

/** One process opens a file with one library: the ORM's, the store's and the tests' own. */
export function getLibrary(kind: AdapterKind): { Database: DatabaseClass; driver: 'libsql' | SqliteDriver } {
  if (kind === 'libsql') return { Database: Libsql, driver: 'libsql' };
  const Database = tryLoadBetterSqlite3();
  if (Database === undefined) throw new Error('better-sqlite3 is not compiled');
  return { Database, driver: createBetterSqlite3Driver(Database) };
}
