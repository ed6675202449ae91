import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { AuditError } from '@indelible/core';
import { type BetterSqlite3Class, createBetterSqlite3Driver } from './better-sqlite3-driver.js';
import type { SqliteDriver } from './driver.js';
import { tryGetKnownLibrary } from './library-registry.js';
import { createLibsqlDriver } from './libsql-driver.js';
import { createNodeSqliteDriver, hasNodeSqlite } from './node-sqlite-driver.js';

/** The libraries that the store can load itself. */
export type LibraryName = 'libsql' | 'node:sqlite' | 'better-sqlite3';
export type DriverChoice = 'auto' | LibraryName | SqliteDriver;

/**
 * The driver for a file. `auto` is the library that has the file in this process already, an ORM's or a store's, else `node:sqlite` where
 * this Node has it, else libsql.
 *
 * @throws AuditError `AUDIT_DRIVER_MISSING`
 */
export function chooseDriver(choice: DriverChoice, realPath: string): SqliteDriver {
  if (typeof choice === 'object') return choice;
  const name =
    choice === 'auto'
      ? (tryGetKnownLibrary(realPath) ?? (hasNodeSqlite() ? 'node:sqlite' : 'libsql'))
      : choice;
  switch (name) {
    case 'libsql':
      return createLibsqlDriver();
    case 'node:sqlite':
      return createNodeSqliteDriver();
    case 'better-sqlite3':
      return createBetterSqlite3Driver(requireBetterSqlite3());
    default:
      throw new AuditError('AUDIT_DRIVER_MISSING', 'sqlite', `there is no driver for the library ${name}`, {
        next: 'Pass a driver of your own as the option `driver`.',
      });
  }
}

/** @throws TypeError */
export function parseDriverChoice(value: unknown): DriverChoice {
  if (value === undefined) return 'auto';
  if (value === 'auto' || isLibraryName(value)) return value;
  if (isDriver(value)) return value;
  throw new TypeError(
    "[indelible/sqlite] driver: expected 'auto', 'libsql', 'node:sqlite', 'better-sqlite3' or a driver object",
  );
}

export function isLibraryName(value: unknown): value is LibraryName {
  return value === 'libsql' || value === 'node:sqlite' || value === 'better-sqlite3';
}

function isDriver(value: unknown): value is SqliteDriver {
  if (typeof value !== 'object' || value === null) return false;
  return (
    typeof Reflect.get(value, 'library') === 'string' && typeof Reflect.get(value, 'open') === 'function'
  );
}

/** The application's own better-sqlite3, not one of ours: two copies of it would be two libraries. */
function requireBetterSqlite3(): BetterSqlite3Class {
  try {
    return createRequire(pathToFileURL(`${process.cwd()}/`))('better-sqlite3');
  } catch (cause) {
    throw new AuditError('AUDIT_DRIVER_MISSING', 'sqlite', 'the package better-sqlite3 can not be loaded', {
      cause,
    });
  }
}
