import type { RowRecord } from '../contender.js';

export interface UserFields {
  readonly email?: string;
  readonly name?: string;
  readonly active?: boolean;
  readonly visits?: number;
  readonly managerId?: number;
}

/** The work of the cases, as users of an ORM write it: what they load they save, what they can do in one statement they do. */
export interface RowStore {
  createUser(fields: UserFields & { readonly email: string }): Promise<number>;
  /** Loads the row and saves it. */
  saveUser(id: number, fields: UserFields): Promise<void>;
  /** Loads no more of the row than is needed to save it. */
  saveUserNarrow(id: number, fields: UserFields): Promise<void>;
  /** Loads the row and removes it. */
  removeUser(id: number): Promise<void>;
  /** In one statement. */
  createUsers(rows: readonly (UserFields & { readonly email: string })[]): Promise<void>;
  renameActive(name: string): Promise<void>;
  deleteActive(): Promise<void>;
  upsertSeat(org: string, seat: number, level: string): Promise<void>;
  incrementVisits(id: number): Promise<void>;
  /** A user with a post, which has a comment and a tag, in one call. */
  createDeep(email: string): Promise<void>;
  /** In the ORM's one call for it, where it has one: renames the user and its first post, and removes the second. */
  saveDeep(userId: number): Promise<void>;
  createPost(id: number, authorId: number, tags: readonly number[]): Promise<void>;
  addComment(postId: number, text: string): Promise<void>;
  setTags(postId: number, tags: readonly number[]): Promise<void>;
  createTag(id: number, label: string): Promise<void>;
  saveTag(id: number, label: string): Promise<void>;
  /** Changes the primary key. */
  renumberTag(id: number, to: number): Promise<void>;
  execute(sql: string): Promise<void>;
  countTags(): Promise<number>;
  labelOf(tag: number): Promise<string | undefined>;
  transaction(work: (store: RowStore) => Promise<void>): Promise<void>;

  /** What the cost is measured with. */
  createItem(code: string): Promise<unknown>;
  /** Loads an item and saves it. */
  saveItem(id: number, stock: number): Promise<unknown>;
  /** One statement by key. */
  updateItem(id: number, stock: number): Promise<unknown>;
  /** One statement. @returns the count of the rows */
  updateItems(stock: number): Promise<number>;
}

export interface OpenStore {
  readonly store: RowStore;
  /** Resolves when all that was asked for so far is recorded. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** A way to audit an ORM on PostgreSQL, set up as its own README says, or as articles do. */
export interface OrmContender {
  readonly name: string;
  /** Makes its tables and those of the models in an empty database. */
  prepare(url: string): Promise<void>;
  open(url: string, options: { readonly pool: number }): Promise<OpenStore>;
  readonly records: {
    readonly sql: string;
    /** What all rows of its log say, in the order in which they were written. */
    readonly read: (rows: readonly Readonly<Record<string, unknown>>[]) => readonly RowRecord[];
  };
  /** A table without which it can not write. */
  readonly table: string;
}
