import type { Statement } from './statement.js';

/** A value that the engine passes to the database. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** The connection that the caller's statement runs on, as the ORM package reaches it. */
export interface CaptureConnection {
  /** Rows as arrays, integers as numbers or decimal strings. */
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly (readonly unknown[])[]>;
  execute(sql: string, params?: readonly SqlValue[]): Promise<void>;
}

/** A table, as the catalogue names it. */
export interface TableName {
  readonly schema: string | null;
  readonly name: string;
}

/**
 * One stored value, without loss: text of the database's own type. Integers are decimal text, reals their shortest exact
 * text, bytes a Uint8Array.
 */
export type StoredValue =
  | { readonly type: 'null' }
  | { readonly type: 'integer' | 'real' | 'text'; readonly text: string }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array };

/** A row's stored values, by the position of the column in its table. Decoded when asked: most columns never are. */
export interface RowImage {
  value(position: number): StoredValue;
  /** True if both rows store the very same value there. */
  equals(other: RowImage, position: number): boolean;
}

/** What one statement did to one row, all told: the row as it stood before and as it stands after. */
export interface RowChange {
  readonly table: TableInfo;
  readonly before: RowImage | null;
  readonly after: RowImage | null;
}

export interface ColumnInfo {
  readonly name: string;
  /** The declared type, as written. */
  readonly declaredType: string;
}

export interface TableInfo {
  readonly name: TableName;
  readonly columns: readonly ColumnInfo[];
  /** The columns of the primary key in their order; empty where there is none. */
  readonly key: readonly string[];
  /** The foreign keys that point away from this table. */
  readonly references: readonly ForeignKey[];
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
}

/** What is known of one statement after it ran. */
export interface StatementChanges {
  /** In the order in which the rows were first touched. */
  readonly rows: readonly RowChange[];
  /** What could not be captured exactly, each with its reason. */
  readonly inexact: readonly Inexact[];
}

export interface Inexact {
  readonly table: TableName | null;
  readonly fidelity: 'count-only' | 'opaque';
  /** How many rows, where that is known. */
  readonly count?: number;
  readonly reason: string;
}

export interface SessionOptions {
  /** Rows imaged for one statement. More are counted only. */
  readonly maxRows: number;
  /** Tables that are not captured at all. */
  readonly ignores: (table: TableName) => boolean;
}

/** Follows the transactions of one connection, one after the other. Its calls never overlap. */
export interface CaptureSession {
  /**
   * Makes ready to see what the statement does. Called right before it, with nothing in between.
   * @returns why the statement can not be captured exactly; empty where it can
   */
  before(statement: Statement): Promise<readonly Inexact[]>;
  /** Reads what the statement did. Called right after it, whether it succeeded or not. */
  after(statement: Statement, succeeded: boolean): Promise<StatementChanges>;
  /** Clears the way for a statement that changes the schema. */
  beforeSchemaChange(): Promise<void>;
  /**
   * True if the database has ended the transaction by itself since the last call.
   */
  wasRolledBack(): Promise<boolean>;
  savepointRolledBack(): void;
  /** Another transaction begins on the same connection. */
  renew(): void;
  /** A statement ran between `after` and the next `before`, and what it did is not wanted. */
  skip(): void;
  /** A transaction was rolled back, or the connection may be another one: nothing that is known of it holds. */
  forget(): void;
  /** An id that every later event must exceed: what other writers have committed. */
  floorId(): string | null;
}

/** One database's way to see exactly which rows a statement touches. */
export interface CaptureDialect {
  readonly name: string;
  /**
   * @param begun true where the engine opened the transaction itself and holds the write lock
   */
  createSession(connection: CaptureConnection, options: SessionOptions, begun: boolean): CaptureSession;
  /** The statements with which the engine opens, ends and undoes a transaction of its own on a bare connection. */
  readonly begin: string;
  readonly commit: string;
  readonly rollback: string;
  /** True if the error says that another connection holds the database: worth another try. */
  isBusy(error: unknown): boolean;
  /** True if the error says that the audit tables are missing. */
  isMissingTable(error: unknown): boolean;
}
