import { createRequire } from 'node:module';

/** A connection past the code under test. Rows are objects by column name, integers bigint. */
export interface RawConnection {
  exec(sql: string): void;
  run(sql: string, params?: readonly unknown[]): void;
  all(sql: string, params?: readonly unknown[]): Record<string, unknown>[];
  close(): void;
}

export type OpenRaw = (file: string) => RawConnection;

interface LibsqlStatement {
  safeIntegers(on: boolean): LibsqlStatement;
  run(params: readonly unknown[]): unknown;
  all(params: readonly unknown[]): Record<string, unknown>[];
}

export const openLibsql: OpenRaw = (file) => {
  const Database = createRequire(import.meta.url)('libsql');
  const database = new Database(file);
  database.exec('PRAGMA busy_timeout = 2000');
  const prepare = (sql: string): LibsqlStatement => database.prepare(sql);
  return {
    exec: (sql) => database.exec(sql),
    run: (sql, params = []) => void prepare(sql).run(params),
    all: (sql, params = []) => prepare(sql).safeIntegers(true).all(params),
    close: () => database.close(),
  };
};

/** One process must not open a file with two libraries, so the suite for node:sqlite looks through node:sqlite. */
export const openNodeSqlite: OpenRaw = (file) => {
  const module: object | undefined = process.getBuiltinModule('node:sqlite');
  if (module === undefined) throw new Error(`Node ${process.version} has no node:sqlite`);
  const DatabaseSync = Reflect.get(module, 'DatabaseSync');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA busy_timeout = 2000');
  return {
    exec: (sql) => database.exec(sql),
    run: (sql, params = []) => void database.prepare(sql).run(...params),
    all: (sql, params = []) => {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      return statement.all(...params);
    },
    close: () => database.close(),
  };
};
