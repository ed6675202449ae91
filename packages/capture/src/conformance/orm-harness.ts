import type { AuditEvent, JsonObject } from '@indelible/core';

/** The fields of a `User` that the suite sets. All but `email` may be left out of a create. */
export interface UserFields {
  readonly id?: number;
  readonly email?: string;
  readonly name?: string | null;
  readonly password?: string | null;
  readonly active?: boolean;
  readonly score?: number | null;
  /** Decimal text. */
  readonly balance?: string | null;
  readonly visits?: bigint;
  readonly avatar?: Uint8Array | null;
  /** JSON; null is the database's NULL. */
  readonly settings?: unknown;
  readonly role?: 'MEMBER' | 'ADMIN';
  readonly managerId?: number | null;
  readonly deletedAt?: Date | null;
}

/** A user as the ORM returns it, in plain values: dates as ISO text, bigint and decimal as text, bytes as base64. */
export type PlainRow = Readonly<Record<string, unknown>>;

/**
 * The suite's domain, as each ORM spells it. Models, tables, keys and foreign keys:
 *
 * - `User(id generated, email unique, …, managerId → User ON DELETE SET NULL)`, many-to-many `Friends` with itself
 * - `Profile(id text, bio, userId unique → User CASCADE)`
 * - `Post` on the table `posts`, its field `body` on the column `content`; `authorId → User CASCADE`; many-to-many with Tag
 * - `Comment(id generated, text, postId → Post CASCADE, parentId → Comment CASCADE)`
 * - `Tag(code text key, label)`
 * - `Membership(org, seat: composite key; level, note)`
 * - `Order` on the table `order`, its field `group` on the column `Group`
 */
export interface OrmOperations {
  createUser(fields: UserFields): Promise<PlainRow>;
  /** Creates with bulk. @returns the count that the ORM gives */
  createUsers(rows: readonly UserFields[]): Promise<number>;
  updateUser(id: number, fields: UserFields): Promise<PlainRow>;
  /** Sets `name` where `active` is as given. @returns the count that the ORM gives */
  renameUsers(active: boolean, name: string): Promise<number>;
  deleteUser(id: number): Promise<PlainRow>;
  deleteUsers(active: boolean): Promise<number>;
  upsertUser(email: string, create: UserFields, update: UserFields): Promise<PlainRow>;
  incrementVisits(id: number, by: number): Promise<PlainRow>;
  findUser(id: number): Promise<PlainRow | null>;
  /** Returns only the id. */
  updateUserNarrow(id: number, fields: UserFields): Promise<PlainRow>;
  createProfile(id: string, userId: number, bio: string): Promise<void>;
  /** In one call: a user with a post that has a comment, and tags that are connected or created. */
  createUserDeep(email: string, title: string, text: string, tags: readonly string[]): Promise<PlainRow>;
  /** In one call: sets the user's name, renames one post, deletes another and adds a third. */
  updateUserDeep(
    id: number,
    change: { name: string; rename: readonly [number, string]; remove: number; add: string },
  ): Promise<void>;
  createPost(authorId: number, title: string): Promise<number>;
  deletePost(id: number): Promise<void>;
  addComment(postId: number, text: string, parentId?: number): Promise<number>;
  deleteComment(id: number): Promise<void>;
  createTag(code: string, label: string): Promise<void>;
  /** Changes the primary key. */
  renameTag(code: string, to: string): Promise<void>;
  setTags(postId: number, codes: readonly string[]): Promise<void>;
  connectTag(postId: number, code: string): Promise<void>;
  disconnectTag(postId: number, code: string): Promise<void>;
  befriend(id: number, friend: number): Promise<void>;
  createMembership(org: string, seat: number, note?: string): Promise<void>;
  updateMembership(
    org: string,
    seat: number,
    fields: { level?: string; note?: string | null },
  ): Promise<void>;
  moveMembership(org: string, seat: number, to: number): Promise<void>;
  deleteMembership(org: string, seat: number): Promise<void>;
  createOrder(id: string, group: string): Promise<void>;
  updateOrder(id: string, fields: { group?: string; total?: number }): Promise<void>;
  /** The users that are active or not, by id, as the ORM gives them. */
  findUsers(active: boolean): Promise<readonly PlainRow[]>;
  /** The same, of which only `name` is selected. */
  findNames(active: boolean): Promise<readonly PlainRow[]>;
  /** In one call: a user with the posts, and their comments and tags. Whatever is given, in plain values. */
  findUserDeep(id: number): Promise<unknown>;
  /** The posts of a user, by the way from a row to those of its relation, lazy or fluent. @returns their titles */
  findPostsOf(id: number): Promise<readonly string[]>;
  countUsers(active: boolean): Promise<number>;
  /** An aggregate, which shows a value of some row. */
  greatestScore(): Promise<number | null>;
  findMembership(org: string, seat: number): Promise<PlainRow | null>;
  /** The ORM's raw SQL that reads. @returns how many rows */
  queryRows(sql: string): Promise<number>;
  /** The ORM's raw SQL. @returns the affected count that the ORM gives */
  execute(sql: string): Promise<number>;
}

/** All rows of the domain by model and resource id, as a separate connection reads them with raw SQL. */
export type Snapshot = ReadonlyMap<string, ReadonlyMap<string, JsonObject>>;

/** One fresh database with an audited client. */
export interface OrmHarness {
  readonly db: OrmOperations;
  /** Runs the callback in a transaction of the ORM. */
  transaction<T>(work: (db: OrmOperations) => Promise<T>): Promise<T>;
  /** Runs operations as the ORM's non-interactive transaction, if it has one (`supports.batch`). */
  renameInBatch?(names: readonly (readonly [number, string])[]): Promise<void>;
  /** Runs the callback in a transaction within a transaction (`supports.nested`). */
  nested?<T>(db: OrmOperations, work: (db: OrmOperations) => Promise<T>): Promise<T>;
  /** Records an event of the application in the transaction that `db` is of. */
  record(db: OrmOperations, action: string): Promise<void>;
  /** Runs the work inside `withoutAudit`. */
  paused(work: () => Promise<void>): Promise<void>;
  /** Every event of category `data` and the application's own, oldest first, read with raw SQL. */
  events(): Promise<readonly AuditEvent[]>;
  snapshot(): Promise<Snapshot>;
  /** Resolves when all that was recorded is sealed; rejects if the log does not verify. */
  settle(): Promise<void>;
  /** The bytes of all files of the database. */
  bytes(): Promise<Uint8Array>;
  /** Drops the audit tables with raw SQL. */
  dropAuditTables(): Promise<void>;
  /**
   * Makes a trigger or a rule with raw SQL by which the database passes over every event: without an error, where it can
   * (`supports.dropsRows`).
   */
  swallowEvents(): Promise<void>;
  /** How many statements the database has been sent since the last call. */
  countStatements(): number;
  close(): Promise<void>;
}

export interface OrmHarnessOptions {
  /** False: the same client without auditing, to compare with. @default true */
  readonly audited?: boolean;
  readonly strict?: boolean;
  readonly exclude?: readonly string[];
  readonly models?: Readonly<Record<string, { readonly exclude?: readonly string[] }>>;
  readonly snapshot?: 'changed' | 'full';
  readonly maxRows?: number;
  readonly reads?: readonly string[];
  /** What happens where a read can not be recorded. @default 'spool' */
  readonly accessPolicy?: 'strict' | 'spool' | 'continue';
  /** @default 'system' */
  readonly onMissingActor?: 'system' | 'throw';
}

/** What an ORM on its database can do. Each `false` runs a counter-test. */
export interface OrmSupports {
  /** Transactions that are a list of operations. */
  readonly batch: boolean;
  /** Transactions within transactions, by savepoints. */
  readonly nested: boolean;
  /** A transaction goes on after one of its statements has failed. */
  readonly survivesFailure: boolean;
  /** Several transactions of one client are open at once: neither the database nor a pool of one makes them take turns. */
  readonly parallel: boolean;
  /** A trigger or a rule can make the database pass over a row without an error. @default true */
  readonly dropsRows?: boolean;
  /** More rows in one statement than `maxRows` are counted and not told. @default true */
  readonly limitsRows?: boolean;
  /** Inside `withoutAudit` nothing is recorded. @default true */
  readonly pauses?: boolean;
  /** A read that does not select the key is told with the ids of its rows all the same. @default true */
  readonly readsNarrow?: boolean;
}

/** How the database spells what the suite says in raw SQL and SQL leaves open. */
export interface SuiteSql {
  /** An expression for the instant in a column of the ORM's type, from ISO 8601 text with an offset. */
  instant(text: string): string;
  /** The statement that rewrites the files of the table of users without what is deleted. */
  readonly compactUsers: string;
}

export interface OrmSuiteOptions {
  readonly test: (name: string, run: () => Promise<void>) => void;
  readonly factory: (options?: OrmHarnessOptions) => Promise<OrmHarness>;
  readonly supports: OrmSupports;
  readonly sql: SuiteSql;
}
