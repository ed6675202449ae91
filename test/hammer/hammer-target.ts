import type { DatabaseKind } from './account-client.js';

/** One way to hurt a database, done again and again while the processes work. */
export interface Injection {
  /** For the report: what was done. */
  readonly name: string;
  /** How often it was, and how often what it set up has struck. */
  count(): number;
  /** Does it once, waits as long as it lasts, and puts things right again. */
  strike(random: () => number): Promise<void>;
}

/** A database that may be hurt. */
export interface HammerTarget {
  readonly kind: DatabaseKind;
  /** For the report: the database and its version. */
  readonly label: string;
  /** The way of the processes. */
  readonly url: string;
  /** The way of the proof. */
  readonly directUrl: string;
  readonly injections: readonly Injection[];
  /** What could not be had on this machine, for the report. */
  readonly notInjected: readonly string[];
  /** The names of the audit tables. */
  readonly tables: { readonly event: string; readonly entry: string; readonly pending: string };
  /** Puts everything right, so that the proof reads what is stored. */
  settle(): Promise<void>;
  /** Runs one raw statement, without any of the code under test. */
  read(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** The table of the workload; `Account` is quoted as the database wants it. */
export function accountTable(quoted: string): string {
  return `CREATE TABLE ${quoted} (id VARCHAR(64) NOT NULL PRIMARY KEY, balance INTEGER NOT NULL, note VARCHAR(191) NOT NULL)`;
}

/** Rows from before auditing began. */
export function accountSeeds(quoted: string, ids: readonly string[]): string {
  return `INSERT INTO ${quoted} (id, balance, note) VALUES ${ids.map((id) => `('${id}', 100, 'seed')`).join(', ')}`;
}
