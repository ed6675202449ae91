import type { Statement } from './statement.js';
import type { Token } from './tokenize.js';

/** A value that the engine passes to the database. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** The connection that the caller's statement runs on, as the ORM package reaches it. */
export interface CaptureConnection {
  /** Rows as arrays, integers as numbers or decimal strings. */
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly (readonly unknown[])[]>;
  /** @returns how many rows the statement itself inserted, updated or deleted, as the database counts them */
  execute(sql: string, params?: readonly SqlValue[]): Promise<number>;
  /**
   * The same for the last statement of a transaction, which is sent together with COMMIT. Where it fails, COMMIT MUST not run
   * and fails with `HeldStatementFailed`. Right behind the call COMMIT is asked for, or ROLLBACK. @default it is sent by itself
   * @returns once COMMIT has answered
   */
  hold?(sql: string, params: readonly SqlValue[]): Promise<number>;
  /**
   * The same as `query` for what is sent together with the statement that follows, whichever that is. Where it fails, that one
   * MUST not run and fails as well. @default it is sent by itself
   * @returns once the statement that follows has been answered
   */
  ahead?(sql: string, params: readonly SqlValue[]): Promise<readonly (readonly unknown[])[]>;
  /**
   * The same as `execute` for what is sent ahead. @default by `query`, in a round trip of its own
   * @returns once the statement that follows has been answered
   */
  tell?(sql: string, params: readonly SqlValue[]): Promise<number>;
  /**
   * The same as `query` for what is sent together with the statement that follows and runs right behind it, not where that one
   * fails. @default it is sent by itself, afterwards
   * @returns once both have been answered
   */
  behind?(sql: string, params: readonly SqlValue[]): Promise<readonly (readonly unknown[])[]>;
  /**
   * The same as `execute` for what is sent so, with COMMIT behind it, which MUST not run where either of them fails. COMMIT is
   * asked for next, or ROLLBACK, and has its answer then. @default there is no such way
   */
  committing?(sql: string, params: readonly SqlValue[]): Promise<number>;
}

/** What COMMIT did not run for: the statement that was held back for it failed, and its own call tells why. */
export class HeldStatementFailed extends Error {
  constructor(cause: unknown) {
    super('a statement that was sent along with COMMIT failed', { cause });
  }
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
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'list'; readonly items: readonly StoredValue[] }
  /** Bytes too long for an event: their length and SHA-256 in hex. */
  | { readonly type: 'digest'; readonly length: number; readonly sha256: string }
  /** The start of a text too long for an event, and its whole length in UTF-16 units. */
  | { readonly type: 'start'; readonly text: string; readonly length: number };

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
  /** Where the row stood and stands, in the database's own terms: what a row of a table without a key is known by. */
  readonly from: string | null;
  readonly to: string | null;
  /** When, by the database's clock while the row was locked, in microseconds since 1970. @default now, by the process's clock */
  readonly at?: number;
}

export interface ColumnInfo {
  readonly name: string;
  /** The declared type, as written. */
  readonly declaredType: string;
  /** False where the role may not read it: no event tells what it holds. @default true */
  readonly isReadable?: boolean;
}

export interface TableInfo {
  readonly name: TableName;
  readonly columns: readonly ColumnInfo[];
  /** The columns of the primary key in their order, or of another key that tells rows apart; empty where there is none. */
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
  /** `exact`: the rows are recorded with all that they hold, and only `strict` minds. */
  readonly fidelity: 'exact' | 'count-only' | 'opaque';
  /** How many rows, where that is known. */
  readonly count?: number;
  readonly reason: string;
}

/** In bytes. */
export interface ValueLimits {
  readonly maxEventBytes: number;
  readonly maxBinaryBytes: number;
}

export interface SessionOptions {
  /** Rows imaged for one statement. More are counted only. */
  readonly maxRows: number;
  /** Tables that are not captured at all. */
  readonly ignores: (table: TableName) => boolean;
  /** What is not exact is refused. */
  readonly strict: boolean;
  /** Beyond which size an event holds no value as it is. */
  readonly limits: () => ValueLimits;
  /** That of the tables to which recorders of the database must write, once that is known. */
  readonly storeSchema: () => string | undefined;
  /** False where changes are captured even while the audit tables are missing: their events go elsewhere. */
  readonly mustJoin: () => boolean;
}

/**
 * What `before` relied on does not hold any more: the statement was not seen. Its transaction is undone and run again.
 * Thrown only in transactions that the engine has opened around one statement.
 */
export class OutdatedCapture extends Error {
  constructor() {
    super('the schema has changed since this connection last looked at it');
  }
}

/** The caller's statement in a form that answers with what it does. It takes the caller's own parameters. */
export interface Rewritten {
  readonly sql: string;
  /** The number of columns at the end of each row that are the engine's and not the caller's. */
  readonly columns: number;
  /** False where the caller's own statement answers with no rows but a count: that of the rows of this one. */
  readonly returnsRows: boolean;
  /**
   * Of the engine's columns the one that tells, in each row, that count as decimal text, where fewer rows come than it says
   * and the command tag is that of a query.
   */
  readonly count?: number;
  /**
   * Of the engine's columns the one that is NULL in the rows that the caller's own statement touched or gave. Rows in which
   * it is not are the engine's alone, and stand behind all others.
   */
  readonly own?: number;
  /** The command tag of the caller's own statement, where that of this one is another. */
  readonly command?: string;
  /**
   * True where the server's plan is the same whatever the parameters are, so that it may be kept prepared. @default false
   */
  readonly isSteady?: boolean;
  /**
   * The forms of several statements in one string, which are answered one by one. Each row of the engine's then begins
   * with the number of its statement, and what stands above is of none of them.
   */
  readonly parts?: readonly Omit<Rewritten, 'sql' | 'parts'>[];
  /**
   * What the caller's own statement would have answered, where that is more than the number of rows.
   * @param rows the columns of the engine
   */
  readonly answer?: (rows: EngineRows) => StatementAnswer;
}

/** What a statement without rows answers. */
export interface StatementAnswer {
  /** The rows that it affected, as its database counts them. */
  readonly count: number;
  /** The key that it has generated, or 0. @default 0 */
  readonly insertId?: bigint;
}

/** What `before` has found out. */
export interface Readiness {
  /** Why the statement can not be captured exactly; empty where it can. */
  readonly inexact: readonly Inexact[];
  /** What to run in the place of the statement. @default the statement itself */
  readonly rewritten?: Rewritten;
}

/** What was found before a statement ran, or why nothing could be. */
export type Ready =
  | Readiness
  | { readonly inexact?: undefined; readonly rewritten?: undefined; readonly error: unknown };

export type EngineRows = readonly (readonly unknown[])[];

/**
 * Runs the rewritten form of the caller's statement with the caller's parameters.
 * @returns the engine's columns of each row, and what the caller's own statement would have given
 */
export interface ExecuteAs<T> {
  (rewritten: Rewritten): Promise<{ result: T; rows: EngineRows }>;
  /** How long the caller's parameters are altogether, in characters or bytes, roughly. @default unknown */
  readonly inputLength?: number;
}

/** Follows the transactions of one connection, one after the other. Its calls never overlap. */
export interface CaptureSession {
  /**
   * Makes ready to see what the statement does. Called right before it, with nothing in between.
   * @param ask runs another text with the caller's parameters and answers with its rows
   * @param inputLength of these parameters
   */
  before(
    statement: Statement,
    sql: string,
    ask: (sql: string) => Promise<EngineRows>,
    inputLength?: number,
  ): Promise<Readiness>;
  /**
   * Reads what the statement did. Called right after it, and where a failed statement may leave something also then.
   * @param rows what the rewritten statement answered
   * @param hasFailed the statement has thrown
   * @throws OutdatedCapture
   */
  after(rows: EngineRows, hasFailed?: boolean): Promise<StatementChanges>;
  /**
   * The statement that `before` made ready for does not run, or runs unseen.
   * @param error with which it failed
   */
  abandon(error?: unknown): void;
  /**
   * Asked where the statement has failed: why only the form that the engine has given it did, or may have. Nothing of it is
   * left then, and its transaction is as it was: `strict` refuses it, and else it runs as it was written.
   */
  failedForUs?(error: unknown): Promise<Inexact | undefined>;
  /** Clears the way for a statement that changes the schema. */
  beforeSchemaChange(): Promise<void>;
  /** True if the connection is in no transaction any more: the database, or somebody, has ended it. */
  wasRolledBack(): Promise<boolean>;
  /** A statement has failed so: where the database does not tell whether it has ended the transaction, the error does. */
  noteFailure?(error: unknown): void;
  savepointRolledBack(): void;
  /** A statement runs next behind which the role or the search path may be another one. */
  namesMoved?(): void;
  /** Another transaction begins on the same connection. */
  renew(): void;
  /** Tells the recorders of the database who acts, until the transaction ends or is rolled back to a savepoint before it. */
  tell?(text: string): Promise<void>;
  /** A statement runs next, and what it does is not wanted. */
  skip(): Promise<void>;
  /** A transaction was rolled back, or the connection may be another one: nothing that is known of it holds. */
  forget(): void;
  /** An id that every later event must exceed: what other writers have committed. */
  floorId(): string | null;
}

/** One database's way to see exactly which rows a statement touches. */
export interface CaptureDialect {
  readonly name: string;
  /** Tells what a statement is. */
  readonly readStatement: (sql: string) => Statement;
  /** How the database splits a text, so that no value is told with it. @default by the rules that most have in common */
  readonly tokenize?: (sql: string) => readonly Token[];
  /**
   * Reads from the database what `readStatement` can not ask for. MUST be called before each statement that begins a
   * transaction or runs in none, outside of any transaction. @returns undefined where all of it is known
   */
  prepare(connection: CaptureConnection): Promise<void> | undefined;
  /** True where tables have recorders of their own, which want to be told who acts: in each transaction that writes. */
  readonly tells?: () => boolean;
  /** True where a failed statement makes all that follow fail, until a savepoint or the transaction is rolled back. */
  readonly abortsOnError: boolean;
  /**
   * True where the database may end a transaction by itself, and the statements that follow on its connection run each in one
   * of its own. @default false
   */
  readonly goesOn?: boolean;
  /**
   * @param begun true where the transaction is opened around one statement, with the dialect's `begin`
   */
  createSession(connection: CaptureConnection, options: SessionOptions, begun: boolean): CaptureSession;
  /** The statements with which the engine opens, ends and undoes a transaction of its own on a bare connection. */
  readonly begin: string;
  readonly commit: string;
  readonly rollback: string;
  /** True if the error says that another connection holds the database: worth another try. */
  isBusy(error: unknown): boolean;
  /**
   * True if the error may have left what its statement did before it (SQLite's OR FAIL), also where the statement ran in
   * no transaction.
   */
  isPartial(error: unknown): boolean;
  /** True if no later try can succeed: the transaction has read what others have changed since. */
  isStale(error: unknown): boolean;
  /**
   * Does what it can against what made COMMIT fail.
   * @param tries how often it was called for this COMMIT before
   * @returns true if COMMIT is worth another try at once
   */
  clearForCommit(error: unknown, tries: number): Promise<boolean>;
  /** True if the error says that the audit tables are missing. */
  isMissingTable(error: unknown): boolean;
}
