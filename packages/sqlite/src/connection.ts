import type { SqliteConnection, SqliteDriver, SqliteStatement, SqliteValue } from './driver.js';
import { mapSqliteError } from './sqlite-error.js';

export type Synchronous = 'FULL' | 'EXTRA' | 'NORMAL';

/** Statements of variable length are few shapes each; this only stops a leak. */
const MAX_STATEMENTS = 200;

/** A driver's connection with prepared statements kept, and with errors in our words. */
export class Connection {
  readonly #database: SqliteConnection;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(
    driver: SqliteDriver,
    path: string,
    readonly fileName: string,
    synchronous: Synchronous,
    readOnly = false,
  ) {
    this.#database = this.#mapped(() => driver.open(path, { readOnly }));
    try {
      // The temporary tables of multi-row inserts are small: memory, not files.
      this.exec(`PRAGMA busy_timeout = 0; PRAGMA synchronous = ${synchronous}; PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -16000; PRAGMA query_only = ${readOnly ? 'ON' : 'OFF'};`);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  exec(sql: string): void {
    this.#mapped(() => this.#database.exec(sql));
  }

  run(sql: string, params: readonly SqliteValue[]): number {
    return this.#mapped(() => this.#statement(sql).run(params));
  }

  all(sql: string, params: readonly SqliteValue[] = []): readonly (readonly unknown[])[] {
    return this.#mapped(() => this.#statement(sql).all(params));
  }

  /**
   * Runs `work` in a write transaction, from BEGIN to COMMIT without a pause, so that nobody else in this process can ever
   * meet its lock. Whatever is thrown, by `work` or by the database, rolls back.
   */
  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #statement(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const prepared = this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }

  #rollback(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back already, as it does on a full disk; the first error is the one to tell.
    }
  }

  #mapped<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw mapSqliteError(error, this.fileName);
    }
  }
}
