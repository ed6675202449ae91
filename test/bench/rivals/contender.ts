import type { Prisma } from '../postgres/generated/client.js';
import type { createClient } from './plain.js';

export type Client = ReturnType<typeof createClient>;
export type Transaction = Prisma.TransactionClient;

/** What a record says of one row, in the words of the schema. */
export interface RowRecord {
  readonly model: string;
  readonly id: string;
  readonly operation: 'create' | 'update' | 'delete';
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly actor: string | null;
}

export interface OpenContender {
  readonly client: Client;
  /** Resolves when all that was asked for so far is recorded. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Connections of the client's pool. */
  readonly pool: number;
  /** The driver adapter prepares each statement under a name of its own. @default false */
  readonly prepared?: boolean;
}

/** A way to audit Prisma on PostgreSQL, set up as its own README says. */
export interface Contender {
  readonly name: string;
  /** Makes what it needs in a database that has the tables of the schema. */
  prepare(url: string): Promise<void>;
  open(url: string, options: OpenOptions): Promise<OpenContender>;
  /** One SELECT of its rows in the order in which they were written, and what each of them says. */
  readonly records: {
    readonly sql: string;
    readonly read: (row: Readonly<Record<string, unknown>>) => readonly RowRecord[];
  };
  /** A table without which it can not write. */
  readonly table: string;
}
