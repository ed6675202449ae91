/** What SQLite stores. Integers are bound and read as bigint: a double would round them. A number is a REAL. */
export type SqliteValue = string | bigint | number | Uint8Array | null;

export interface SqliteStatement {
  /** Runs a statement that gives no rows. @returns how many rows it changed itself, without its triggers */
  run(params: readonly SqliteValue[]): number;
  /** All rows, each as an array in the order of the columns. */
  all(params: readonly SqliteValue[]): readonly (readonly unknown[])[];
}

/**
 * One connection. Everything is synchronous; nothing waits for a lock: what meets one throws the error of SQLITE_BUSY at
 * once.
 */
export interface SqliteConnection {
  /** Runs one or more statements without parameters. */
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Idempotent. */
  close(): void;
}

export interface OpenOptions {
  /** Opens what is there and writes nothing, not even the files beside it. @default false */
  readonly readOnly?: boolean;
}

/** The seam between the store and a SQLite library. */
export interface SqliteDriver {
  /**
   * The library's name. Two libraries may not open one file in one process: each has its own table of the POSIX locks
   * that it holds, and closing a file drops the locks of both (https://www.sqlite.org/howtocorrupt.html, 2.2.1).
   */
  readonly library: string;
  /** Opens the file, and makes it where it is missing and not `readOnly`. */
  open(file: string, options?: OpenOptions): SqliteConnection;
}
