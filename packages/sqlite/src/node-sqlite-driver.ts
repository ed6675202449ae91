import { AuditError } from '@indelible/core';
import type { SqliteConnection, SqliteDriver, SqliteStatement, SqliteValue } from './driver.js';
import { readOnlyUri } from './read-only-uri.js';

interface NodeStatement {
  setReadBigInts(enabled: boolean): void;
  setReturnArrays(enabled: boolean): void;
  run(...params: readonly SqliteValue[]): { readonly changes: number | bigint };
  all(...params: readonly SqliteValue[]): unknown[];
}

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

type NodeDatabaseClass = new (file: string) => NodeDatabase;

/** True where this Node has `node:sqlite` without a flag and with rows as arrays: 22.16 and later. */
export function hasNodeSqlite(): boolean {
  return tryGetDatabaseClass() !== undefined;
}

/**
 * The driver over Node's own SQLite.
 *
 * @throws AuditError `AUDIT_DRIVER_MISSING` where this Node has none
 */
export function createNodeSqliteDriver(): SqliteDriver {
  const Database = tryGetDatabaseClass();
  if (Database === undefined) {
    throw new AuditError(
      'AUDIT_DRIVER_MISSING',
      'sqlite',
      `Node ${process.version} has no node:sqlite that gives rows as arrays`,
      {
        next: 'Use Node 22.16 or later, or the driver libsql.',
      },
    );
  }
  return {
    library: 'node:sqlite',
    open: (file, { readOnly = false } = {}) => connect(new Database(readOnly ? readOnlyUri(file) : file)),
  };
}

function tryGetDatabaseClass(): NodeDatabaseClass | undefined {
  const module = process.getBuiltinModule?.('node:sqlite');
  const found: unknown = module === undefined ? undefined : Reflect.get(module, 'DatabaseSync');
  return isDatabaseClass(found) && givesArrays(module) ? found : undefined;
}

/** In a row that is an object, of two columns of one name only the last is left. Up to Node 22.15 there is nothing else. */
function givesArrays(module: unknown): boolean {
  const Statement: unknown = Reflect.get(Object(module), 'StatementSync');
  return (
    typeof Statement === 'function' &&
    typeof Reflect.get(Object(Statement.prototype), 'setReturnArrays') === 'function'
  );
}

function isDatabaseClass(value: unknown): value is NodeDatabaseClass {
  return typeof value === 'function';
}

function connect(database: NodeDatabase): SqliteConnection {
  let open = true;
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => wrap(database.prepare(sql)),
    close() {
      if (!open) return;
      open = false;
      database.close();
    },
  };
}

function wrap(statement: NodeStatement): SqliteStatement {
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return {
    run: (params) => Number(statement.run(...params).changes),
    all: (params) => statement.all(...params).filter((row): row is unknown[] => Array.isArray(row)),
  };
}
