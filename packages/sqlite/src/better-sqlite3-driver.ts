import type { SqliteConnection, SqliteDriver, SqliteStatement, SqliteValue } from './driver.js';

interface CompatibleStatement {
  raw(toggle?: boolean): this;
  safeIntegers(toggle?: boolean): this;
  run(params: readonly SqliteValue[]): { readonly changes: number };
  all(params: readonly SqliteValue[]): unknown[];
}

interface CompatibleDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): unknown;
  close(): unknown;
}

/** The `Database` class of better-sqlite3, or of a library with its API. */
export type BetterSqlite3Class = new (
  file: string,
  options?: { readonly timeout?: number; readonly readonly?: boolean },
) => object;

/**
 * The driver over better-sqlite3, which the application passes in, so that this package does not depend on what has to be
 * compiled. The store opens connections of its own with the class: an instance gives its class and is not used otherwise.
 *
 * @param library @default 'better-sqlite3'
 * @param readOnlyName what a library that takes URIs is given to open a file for reading @default the file
 * @throws TypeError where it is neither
 *
 * @example
 * import Database from 'better-sqlite3';
 * const store = createSqliteStore({ file: './audit.db', driver: createBetterSqlite3Driver(Database) });
 */
export function createBetterSqlite3Driver(
  database: BetterSqlite3Class | object,
  library = 'better-sqlite3',
  readOnlyName: (file: string) => string = (file) => file,
): SqliteDriver {
  const Database: unknown = typeof database === 'function' ? database : database.constructor;
  if (!isDatabaseClass(Database)) {
    throw new TypeError(
      '[indelible/sqlite] expected the Database class of better-sqlite3, or an instance of it',
    );
  }
  return {
    library,
    open(file, { readOnly = false } = {}) {
      const name = readOnly ? readOnlyName(file) : file;
      const opened = new Database(name, { timeout: 0, readonly: readOnly });
      if (!isCompatibleDatabase(opened))
        throw new TypeError(`[indelible/sqlite] ${library} gave no database`);
      return connect(opened);
    },
  };
}

function connect(database: CompatibleDatabase): SqliteConnection {
  let open = true;
  return {
    exec: (sql) => void database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      if (!isCompatibleStatement(statement))
        throw new TypeError('[indelible/sqlite] not a prepared statement');
      return wrap(statement);
    },
    close() {
      if (!open) return;
      open = false;
      database.close();
    },
  };
}

/** Only a statement that gives rows can be told how to give them, and that is known once `all` is called. */
function wrap(statement: CompatibleStatement): SqliteStatement {
  let reading = false;
  return {
    run: (params) => statement.run(params).changes,
    all(params) {
      if (!reading) {
        statement.raw(true);
        statement.safeIntegers(true);
        reading = true;
      }
      return statement.all(params).filter((row): row is unknown[] => Array.isArray(row));
    },
  };
}

function isDatabaseClass(value: unknown): value is BetterSqlite3Class {
  return typeof value === 'function' && isCompatibleDatabase(value.prototype);
}

function isCompatibleDatabase(value: unknown): value is CompatibleDatabase {
  return hasMethods(value, ['exec', 'prepare', 'close']);
}

function isCompatibleStatement(value: unknown): value is CompatibleStatement {
  return hasMethods(value, ['raw', 'safeIntegers', 'run', 'all']);
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}
