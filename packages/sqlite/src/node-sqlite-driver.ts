import { AuditError } from '@indelible/core';
import type { SqliteConnection, SqliteDriver, SqliteStatement, SqliteValue } from './driver.js';
import { readOnlyUri } from './read-only-uri.js';

interface NodeStatement {
  setReadBigInts(enabled: boolean): void;
  /** From Node 22.16 on. */
  setReturnArrays?(enabled: boolean): void;
  run(...params: readonly SqliteValue[]): { readonly changes: number | bigint };
  all(...params: readonly SqliteValue[]): unknown[];
}

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

type NodeDatabaseClass = new (file: string) => NodeDatabase;

/** True where this Node has `node:sqlite` without a flag: 22.13 and later. */
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
    throw new AuditError('AUDIT_DRIVER_MISSING', 'sqlite', `Node ${process.version} has no node:sqlite`, {
      next: 'Use Node 22.13 or later, or the driver libsql.',
    });
  }
  return {
    library: 'node:sqlite',
    open: (file, { readOnly = false } = {}) => connect(new Database(readOnly ? readOnlyUri(file) : file)),
  };
}

function tryGetDatabaseClass(): NodeDatabaseClass | undefined {
  const module = process.getBuiltinModule?.('node:sqlite');
  const found: unknown = module === undefined ? undefined : Reflect.get(module, 'DatabaseSync');
  return isDatabaseClass(found) ? found : undefined;
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
  statement.setReturnArrays?.(true);
  return {
    run: (params) => Number(statement.run(...params).changes),
    all: (params) => statement.all(...params).map(asArray),
  };
}

function asArray(row: unknown): readonly unknown[] {
  if (Array.isArray(row)) return row;
  return typeof row === 'object' && row !== null ? Object.values(row) : [];
}
