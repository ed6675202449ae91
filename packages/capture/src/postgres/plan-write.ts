import type { EngineRows, Inexact, Rewritten } from '../dialect.js';
import {
  type CascadeImage,
  fateOf,
  imageCascades,
  isCarriedOn,
  reachableTables,
  type SchemaView,
} from './cascades.js';
import { findWriteLimits } from './find-write-limits.js';
import { LockColumn, lockStatement } from './lock-statement.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { rewriteWrite } from './rewrite-write.js';
import type { RowWrite } from './write-shape.js';

/** How one write is captured. */
export interface WritePlan {
  readonly write: RowWrite;
  readonly table: PostgresTable;
  /** What shows before it runs. */
  readonly inexact: readonly Inexact[];
  /** Undefined where it must run as it was written. */
  readonly rewritten?: Rewritten;
  readonly cascades?: CascadeImage;
}

export interface PlanRequest {
  readonly view: SchemaView;
  readonly sql: string;
  readonly write: RowWrite;
  readonly table: PostgresTable;
  /** Of the server. */
  readonly version: number;
  /** Runs another text with the caller's parameters. */
  readonly ask: (sql: string) => Promise<EngineRows>;
  /** Throws where the tables are not what they were thought to be, or the names of another scope. */
  readonly check: (
    told: { readonly state: unknown; readonly scope: unknown },
    tables: readonly PostgresTable[],
  ) => void;
}

/** Finds out how far the write can be captured; where foreign keys carry it on, locks and reads the rows that they reach. */
export async function planWrite(request: PlanRequest): Promise<WritePlan> {
  const { sql, write, table, version } = request;
  const limits = findWriteLimits(write, table);
  if (limits.blocks !== undefined) return { write, table, inexact: [limits.blocks] };
  const mark = (reason: string): Inexact => ({ table: table.name, fidelity: 'opaque', reason });
  const rewritten = rewriteWrite(sql, write, table, version);
  if (rewritten === undefined) {
    const what =
      write.verb === 'merge' ? 'a MERGE into' : 'no column that is assigned by itself in an UPDATE of';
    return { write, table, inexact: [mark(`${what} "${table.name.name}"`)] };
  }
  if (!isCarriedOn(write, table)) return { write, table, inexact: limits.inexact, rewritten };
  const cascades = await lockAndImage(request);
  if (cascades === undefined) {
    const inexact = [...limits.inexact, mark(`the foreign keys that point at "${table.name.name}"`)];
    return { write, table, inexact, rewritten };
  }
  return { write, table, inexact: [...limits.inexact, ...cascades.inexact], rewritten, cascades };
}

/** @returns undefined where the rows of the statement can not be locked before it runs */
async function lockAndImage(request: PlanRequest): Promise<CascadeImage | undefined> {
  const { view, sql, write, table, ask, check } = request;
  if (write.verb === 'insert' || write.verb === 'merge') return undefined;
  // SELECT FOR UPDATE needs the right to update, and its policies.
  if (!table.mayLock || table.hasRowSecurity) return undefined;
  const fate = fateOf(write, table);
  const tables = await reachableTables(view, table, fate);
  const lock = lockStatement(sql, write, table, tables);
  if (lock === undefined) return undefined;
  const rows = await ask(lock);
  const [first] = rows;
  if (first !== undefined) check({ state: first[LockColumn.state], scope: first[LockColumn.scope] }, tables);
  return imageCascades(
    view,
    table,
    fate,
    rows.map((row) => String(row[LockColumn.row])),
  );
}
