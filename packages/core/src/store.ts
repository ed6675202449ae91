import type { CheckpointStore } from './checkpoint-store.js';
import type { EventColumns, PreparedEvent } from './event.js';
import type { StoreCondition } from './health.js';
import type { Outbox } from './outbox.js';

/** What a sealer is given of a pending event: the columns are not hashed, so reading them would be for nothing. */
export interface PendingEvent {
  readonly id: string;
  readonly log: string;
  readonly body: Uint8Array;
  /** The leaf that was written with the event. */
  readonly leaf: Uint8Array;
}

/** An event as the store holds it. */
export interface StoredEvent extends PendingEvent {
  readonly columns: EventColumns;
}

/** One row of `audit_entry`, with the event that it seals where that is still there. */
export interface StoredEntry {
  readonly log: string;
  /** From 0 up, without a gap. */
  readonly index: number;
  readonly eventId: string;
  readonly leaf: Uint8Array;
  /** The link, 32 bytes. */
  readonly hash: Uint8Array;
  /** Microseconds since 1970-01-01 UTC. */
  readonly sealedAt: bigint;
  readonly event: StoredEvent | null;
}

/** One row of `audit_head`. */
export interface StoredHead {
  readonly log: string;
  /** The number of entries. */
  readonly size: number;
  /** The link of the last entry, or the link before the first one. */
  readonly hash: Uint8Array;
  /** The compact range of the tree: the 32-byte roots of its perfect subtrees, largest first, concatenated. */
  readonly range: Uint8Array;
  /** HMAC over all of the above; null in a log that has no key. */
  readonly mac: Uint8Array | null;
}

/** An entry that `compute` of a seal asks the store to write. */
export interface NewEntry {
  readonly index: number;
  readonly eventId: string;
  readonly leaf: Uint8Array;
  readonly hash: Uint8Array;
  readonly sealedAt: bigint;
}

export interface SealedBatch {
  readonly entries: readonly NewEntry[];
  /** The new head, or null where nothing is to be written. */
  readonly head: StoredHead | null;
  /** Pending events that are not vouched for and stay pending, where `compute` has no other way to tell. */
  readonly refused?: readonly RefusedEvent[];
}

export interface RefusedEvent {
  readonly id: string;
  readonly reason: string;
}

/**
 * A `compute` that a store can make anew in a thread of its own, where no function can go: it imports `module`, calls its
 * export `name` with `data`, and uses what that returns.
 */
export interface PortableCompute {
  /** The URL of an ES module. */
  readonly module: string;
  readonly name: string;
  /** What structured clone can copy. */
  readonly data: unknown;
}

export interface SealRequest {
  readonly log: string;
  /** At most so many events in one transaction. */
  readonly limit: number;
  /**
   * Makes the entries from the head (null: the log is new) and the pending events, in the order of their ids. Synchronous and pure: what it throws
   * rolls the transaction back and reaches the caller. A store may call it for some events after the other, each time with the
   * head that it gave last; only the last one is written then.
   */
  readonly compute: (head: StoredHead | null, pending: readonly PendingEvent[]) => SealedBatch;
  /** The same as `compute`. A store may use either. */
  readonly portable?: PortableCompute;
}

export interface SealOutcome {
  readonly sealed: number;
  /** True when another process holds the head's lock, or the database is busy: try again later. */
  readonly busy: boolean;
  /** What the batch gave as `refused`. */
  readonly refused?: readonly RefusedEvent[];
}

export interface AppendOutcome {
  /** The ids that stand in the store now and did not before. */
  readonly appended: number;
  /** The ids that stood there already with the same bytes: a retry. */
  readonly duplicates: number;
}

export interface SqlStatement {
  readonly sql: string;
  readonly params: readonly (string | number | bigint | Uint8Array | null)[];
}

/** How events are written on somebody else's connection, inside his transaction. */
export interface TransactionalAppend {
  /** The SQL dialect: `sqlite`, `postgres`, `mysql`. */
  readonly dialect: string;
  /**
   * Names the database so that two names of one database are equal: `sqlite:` and the real path, say. It comes out alike
   * before the database could be reached and after a restart. Where only the database itself knows, this is how the
   * configuration calls it, and `identify` is what to compare.
   */
  readonly database: string;
  /** Asks the database for the name that is equal by whichever way it is reached. @default `database` */
  identify?(): Promise<string>;
  /** Where its tables have a schema of their own, the name of that. @default unknown */
  readonly schema?: string;
  /** A query that gives that same name, in one row of one column, on any connection to the database. @default none */
  readonly nameSql?: string;
  /**
   * Statements that append the events, each within the dialect's limits. They MUST leave what the session functions of
   * the database answer (`last_insert_rowid()` and the like) as it was. Each MUST count as affected rows the events that
   * it has stored, and no others.
   */
  statements(
    events: readonly PreparedEvent[],
    options?: {
      /** The ids were made just now and are in no store: a retry need not be looked for. @default false */
      readonly isFresh?: boolean;
    },
  ): readonly SqlStatement[];
  /**
   * One statement that appends events whose ids were made just now, and itself fails where the database takes fewer: its answer
   * need not be looked at before COMMIT. @returns undefined where they are too many for one. @default there is none
   */
  sureStatement?(events: readonly PreparedEvent[]): SqlStatement | undefined;
  /**
   * A query of one row with one number: how many of the events stand there with the same bytes. Needed where `statements`
   * passes over what is stored already, so that this can be told from a row that somebody's trigger has dropped.
   */
  countStored?(events: readonly PreparedEvent[]): SqlStatement;
}

export interface MigrationOutcome {
  /** The numbers of the migrations that this call applied. */
  readonly applied: readonly number[];
  /** The schema's version afterwards. */
  readonly version: number;
}

/** What a store can do. Each `false` has a counter-test in the suite. */
export interface StoreSupports {
  /** Events outlive the process. */
  readonly durable: boolean;
  /** Several processes may append and seal at once. */
  readonly processes: boolean;
  /** The database itself refuses UPDATE and DELETE. */
  readonly insertOnly: boolean;
  /** And TRUNCATE, or whatever else empties a table at once, for whoever has the right to, in a session of any settings. */
  readonly truncateGuard: boolean;
}

/** Which events to list; every field narrows. */
export interface EventFilter {
  readonly log?: string;
  readonly action?: string;
  readonly category?: string;
  readonly outcome?: string;
  readonly actorId?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly requestId?: string;
  readonly transactionId?: string;
  /** Only events with an id greater (oldest first) or smaller (newest first) than this one. */
  readonly after?: string;
  /** @default 'oldest' */
  readonly order?: 'oldest' | 'newest';
  /** @default 100 */
  readonly limit?: number;
}

/** An event in a list, with its place in the log, or null while it is pending. */
export interface ListedEvent extends StoredEvent {
  readonly index: number | null;
  readonly sealedAt: bigint | null;
}

/** How many rows each table holds for one log: the counts that verification compares. */
export interface LogSummary {
  readonly log: string;
  readonly events: number;
  readonly pending: number;
  readonly entries: number;
  readonly hasHead: boolean;
}

/**
 * Where events live. One implementation a database; `storeSuite` in `@indelible/core/conformance` holds each of them to
 * the following.
 *
 * - `append` MUST be durable once it resolves, MUST be all or nothing for one call, and MUST do nothing for an id that
 *   stands there with the same bytes. An id that stands there with other bytes MUST be refused with `AUDIT_ID_CONFLICT`.
 * - Every appended event MUST be pending or an entry at each moment that another reader can see.
 * - `seal` MUST be serialised per log across processes: it reads the head, the pending events and writes the entries, the
 *   new head and the removal from pending in one transaction that no other seal of this log overlaps. It MUST NOT wait
 *   for a lock: `busy` is an answer.
 * - Reads MUST return bytes exactly as they were appended.
 * - Any call on a database without the tables MUST throw `AUDIT_TABLES_MISSING`, on one with a newer schema
 *   `AUDIT_SCHEMA_NEWER`. No call but `migrate` changes the schema.
 * - No call may block the event loop while it waits for somebody else's lock.
 */
export interface AuditStore {
  /** For messages: `sqlite`, `memory`. */
  readonly name: string;
  readonly supports: StoreSupports;
  /** Undefined where events can not join a foreign transaction. */
  readonly transactional?: TransactionalAppend;
  /** The outbox in the same database, for an application whose log is in another one. Undefined: there is none. */
  readonly outbox?: Outbox;
  /** Undefined: the store keeps none, and an audit that is to make them is refused. */
  readonly checkpoints?: CheckpointStore;
  migrate(): Promise<MigrationOutcome>;
  /** What `migrate` runs in an empty database, as SQL for people who keep their own migrations. Undefined: there is none. */
  readonly migrationSql?: string;
  /** Resolves when the tables are there and of a version that this library knows. */
  check(): Promise<void>;
  append(events: readonly PreparedEvent[]): Promise<AppendOutcome>;
  /** What `checkHealth()` shows. Its cost MUST NOT grow with the number of events. */
  inspect(): Promise<StoreCondition>;
  /** The logs that have pending events. */
  pendingLogs(): Promise<readonly string[]>;
  seal(request: SealRequest): Promise<SealOutcome>;
  /** Events that one call of `seal` is to take where many wait, if it holds nothing up meanwhile. @default 500 */
  readonly sealLimit?: number;
  /** Every log of which any table holds a row. */
  logs(): Promise<readonly LogSummary[]>;
  head(log: string): Promise<StoredHead | null>;
  /**
   * Entries in the order of their index, `from` inclusive and `to` exclusive, in batches, each from a read of its own.
   * Without a range it MUST give every row of the log, also at indexes that no entry has: tampering hides there.
   */
  entries(log: string, range?: { from?: number; to?: number }): AsyncIterable<readonly StoredEntry[]>;
  /** Pending events in the order of their ids, in batches. */
  pending(log: string): AsyncIterable<readonly StoredEvent[]>;
  /** Events that are neither pending nor an entry of this log, in batches. */
  orphans(log: string): AsyncIterable<readonly StoredEvent[]>;
  /** Ids that stand in pending and have no event, or have an entry too. */
  strayPending(log: string): AsyncIterable<readonly string[]>;
  find(id: string): Promise<ListedEvent | null>;
  list(filter?: EventFilter): Promise<readonly ListedEvent[]>;
  /** Idempotent. */
  close(): Promise<void>;
}
