import type { StoredCheckpoint } from '../checkpoint-store.js';
import type { EventColumns } from '../event.js';
import type { AuditStore, SqlStatement, StoredHead, StoreSupports } from '../store.js';

/** `test(name, fn)` of vitest, node:test or anything of that shape. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

export interface StoreSuiteOptions {
  readonly test: TestFunction;
  /** Makes a fresh and empty database for one case. */
  readonly factory: () => Promise<StoreHarness>;
  /** What the store is expected to support: a store that says otherwise fails. @default all true */
  readonly supports?: Partial<StoreSupports>;
  /** False for a store that comes with its tables. @default true */
  readonly migrates?: boolean;
  /** False for a store whose events can not join a foreign transaction. @default true */
  readonly transactional?: boolean;
  /** False for a store whose database has no outbox. @default as `transactional` */
  readonly outbox?: boolean;
}

/** One database and the ways into it that do not lead through the store. */
export interface StoreHarness {
  /** Opens a store on this database. Each call gives a store with connections of its own, as another process would have. */
  open(): Promise<AuditStore>;
  /** Raw access, past the store, on connections of its own. */
  readonly raw: RawDatabase;
  /** How the schema is looked at and spoiled; null where `migrates` is false. */
  readonly schema: RawSchema | null;
  /** Ordinary statements that an insert-only database refuses; null where `supports.insertOnly` is false. */
  readonly guards: ((target: GuardTarget) => readonly GuardedStatement[]) | null;
  /**
   * Empties `audit_event` as its owner does with the database's own means, in spite of the guards. Only where an insert-only
   * database has `supports.truncateGuard` false.
   */
  readonly truncate?: () => Promise<void>;
  /**
   * Takes, on a connection of its own, the lock that a seal of this log needs (SQLite: BEGIN IMMEDIATE; elsewhere the head
   * row), and gives the function that lets it go. Null where `supports.processes` is false.
   */
  readonly lock: ((log: string) => Promise<() => Promise<void>>) | null;
  /** A foreign connection; null where `transactional` is false. */
  readonly foreign: (() => Promise<ForeignConnection>) | null;
  /** All rows of the outbox in the order of their ids, past the store; null where `outbox` is false. */
  readonly outbox: (() => Promise<readonly RawOutboxRow[]>) | null;
  /** Closes what `raw` and the like have opened and removes the database. The suite closes the stores itself. */
  dispose(): Promise<void>;
}

export interface RawEvent {
  readonly id: string;
  readonly log: string;
  readonly body: Uint8Array;
  readonly leaf: Uint8Array;
  readonly columns: EventColumns;
}

export interface RawOutboxRow {
  readonly id: string;
  readonly body: Uint8Array;
}

export interface RawEntry {
  readonly log: string;
  readonly index: number;
  readonly eventId: string;
  readonly leaf: Uint8Array;
  readonly hash: Uint8Array;
  readonly sealedAt: bigint;
}

export interface RawSnapshot {
  /** In the order of their ids. */
  readonly events: readonly RawEvent[];
  /** In the order of log and id. */
  readonly pending: readonly { readonly log: string; readonly id: string }[];
  /** In the order of log and index. */
  readonly entries: readonly RawEntry[];
  /** In the order of log. */
  readonly heads: readonly StoredHead[];
  /** In the order of log and size. */
  readonly checkpoints: readonly StoredCheckpoint[];
}

/** Reads with raw SQL, and writes past every guard (they are switched off and on again around the write). */
export interface RawDatabase {
  /** All rows of all tables, read in one transaction. */
  snapshot(): Promise<RawSnapshot>;
  insertPending(log: string, id: string): Promise<void>;
  deletePending(log: string, id: string): Promise<void>;
  deleteEvent(id: string): Promise<void>;
  setBody(id: string, body: Uint8Array): Promise<void>;
}

export interface RawSchema {
  /** The names of all tables in the database, sorted. */
  tables(): Promise<readonly string[]>;
  /** Enters the version that a newer library would have left behind. */
  makeNewer(): Promise<void>;
}

export interface GuardTarget {
  readonly log: string;
  readonly eventId: string;
  /** Also the size of a checkpoint of the log. */
  readonly index: number;
}

/** What each insert-only database is asked to refuse; a dialect adds its own (TRUNCATE, REPLACE, rowid). */
export const GUARDED = [
  'update event',
  'delete event',
  'update entry',
  'delete entry',
  'update checkpoint',
  'delete checkpoint',
] as const;

export interface GuardedStatement {
  /** One of `GUARDED`, or a name of its own. */
  readonly name: string;
  /** Tries it, as the tables' owner, with the guards on. */
  attempt(): Promise<unknown>;
}

/** A connection as an ORM would have it. */
export interface ForeignConnection {
  execute(statement: SqlStatement): Promise<void>;
  begin(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** What the session functions answer (`last_insert_rowid()`, `lastval()`), after something was inserted elsewhere. */
  sessionFunctions(): Promise<unknown>;
  close(): Promise<void>;
}
