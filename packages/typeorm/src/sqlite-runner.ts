import { type BareConnection, type CaptureConnection, type SqlValue, takeJoin } from '@indelible/capture';
import { reachMethod, readObject, unsupported } from './reach.js';

/** A database of better-sqlite3, or of a library with its API. */
interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
}

interface SqliteStatement {
  /** It gives rows. */
  readonly reader: boolean;
  raw(isRaw: boolean): unknown;
  safeIntegers(areSafe: boolean): unknown;
  all(params: readonly unknown[]): unknown[];
  run(params: readonly unknown[]): { readonly changes: number };
}

/** A statement that a query runner sends, and its values. */
export interface SentStatement {
  readonly query: string;
  readonly parameters?: unknown;
}

/**
 * Puts the engine between TypeORM's query runner for SQLite and whoever has it. There is one for a data source: its library
 * answers at once, and the engine does not, so it stands here and not at the library.
 */
export function auditSqliteRunner(runner: object, connection: BareConnection): void {
  const query = reachMethod(runner, 'query');
  Reflect.set(
    runner,
    'query',
    async (sql: unknown, parameters: unknown, isStructured: unknown): Promise<unknown> => {
      if (typeof sql === 'string' && takeJoin(sql, connection.open)) return [];
      return connection.run(String(sql), async () => query(sql, parameters, isStructured));
    },
  );
}

/**
 * Has the statement that is on its way already, and has passed the engine by, go through it: the runner gets the answer where it
 * would run the statement itself.
 */
export function catchUp(runner: object, { query, parameters }: SentStatement): void {
  const send = reachMethod(runner, 'query');
  reachMethod(runner, 'getStmt');
  Reflect.set(runner, 'getStmt', async (): Promise<object> => {
    Reflect.deleteProperty(runner, 'getStmt');
    try {
      return giveBack(await send(query, parameters, true));
    } catch (error) {
      const fail = (): never => {
        throw (error instanceof Error && readObject(error, 'driverError')) || error;
      };
      return { reader: false, run: fail };
    }
  });
}

function giveBack(result: unknown): object {
  if (typeof result !== 'object' || result === null)
    throw unsupported('the query runner gave no structured result');
  const { raw, affected } = result as { readonly raw?: unknown; readonly affected?: number };
  if (affected === undefined) return { reader: true, all: () => raw };
  return { reader: false, run: () => ({ changes: affected, lastInsertRowid: raw }) };
}

/** The engine's own way to the database. @param database asked each time: a data source that is initialized again opens another */
export function createSqliteConnection(database: () => object | undefined): CaptureConnection {
  const prepare = (sql: string): SqliteStatement => {
    const open = database();
    if (!isDatabase(open)) throw unsupported('the database of this data source can not be found');
    return open.prepare(sql);
  };
  return {
    query: async (sql, params = []) => {
      const statement = prepare(sql);
      if (!statement.reader) {
        statement.run(params.map(toValue));
        return [];
      }
      statement.raw(true);
      statement.safeIntegers(true);
      const rows = statement.all(params.map(toValue)).filter((row) => Array.isArray(row));
      return rows.map((row) => row.map(fromValue));
    },
    execute: async (sql, params = []) => {
      const statement = prepare(sql);
      return statement.reader
        ? statement.all(params.map(toValue)).length
        : statement.run(params.map(toValue)).changes;
    },
  };
}

function isDatabase(value: object | undefined): value is SqliteDatabase {
  return value !== undefined && typeof Reflect.get(value, 'prepare') === 'function';
}

function toValue(value: SqlValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

function fromValue(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
