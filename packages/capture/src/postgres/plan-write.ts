import type { EngineRows, Inexact, Rewritten } from '../dialect.js';
import { type CascadeImage, isCarriedOn, type SchemaView } from './cascades.js';
import { findWriteLimits, type Pitfall, type WriteLimits } from './find-write-limits.js';
import { imageRows, isJoined } from './image-rows.js';
import { planView, type WrittenThrough } from './plan-view.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { rewriteWrite } from './rewrite-write.js';
import { rowBound, rowLimitOf } from './row-bound.js';
import type { ImageLimits } from './row-image.js';
import type { RowLimit } from './row-limit.js';
import type { RowWrite } from './write-shape.js';

/** How one write is captured. */
export interface WritePlan {
  readonly write: RowWrite;
  readonly table: PostgresTable;
  /** What shows before it runs. */
  readonly inexact: readonly Inexact[];
  /** Undefined where it must run as it was written. */
  readonly rewritten?: Rewritten;
  /** Where it may touch more rows than are imaged. */
  readonly limit?: RowLimit;
  /** The column of its rows that tells how many it touched, where fewer may come. */
  readonly countAt?: number;
  readonly cascades?: CascadeImage;
  /** Where the table is a view: what it writes through it. */
  readonly through?: WrittenThrough;
  /** The tables of which the state comes along. @default the table */
  readonly states?: readonly PostgresTable[];
  /** What its form may fail for where the statement as it was written does not. */
  readonly pitfalls: readonly Pitfall[];
}

/** Also where a literal says so: then it is planned anew each time. */
const HAS_QUERY = /\b(?:select|with)\b/i;

export interface PlanRequest {
  readonly view: SchemaView;
  readonly sql: string;
  readonly write: RowWrite;
  readonly table: PostgresTable;
  /** Of the server. */
  readonly version: number;
  /** Runs another text with the caller's parameters. @default nothing can be asked for before the statement runs */
  readonly ask?: ((sql: string) => Promise<EngineRows>) | undefined;
  /** Throws where the tables are not what they were thought to be, or the names of another scope. */
  readonly check: (
    told: { readonly state: unknown; readonly scope: unknown },
    tables: readonly PostgresTable[],
  ) => void;
}

/** Finds out how far the write can be captured; where foreign keys carry it on, locks and reads the rows that they reach. */
export async function planWrite(request: PlanRequest): Promise<WritePlan> {
  const { write, table } = request;
  const through = table.kind === 'view' ? await planView(request) : undefined;
  if (through !== undefined) return through;
  const { limits, limit, rewritten } = planForm(request);
  const { pitfalls } = limits;
  if (limits.blocks !== undefined) return { write, table, inexact: [limits.blocks], pitfalls };
  const mark = (reason: string): Inexact => ({ table: table.name, fidelity: 'opaque', reason });
  if (rewritten === undefined) {
    return { write, table, inexact: [mark(formReason(write, table))], pitfalls };
  }
  const { count } = rewritten;
  const counted = count === undefined ? {} : { countAt: count };
  const plan = { write, table, rewritten, pitfalls, ...counted, ...(limit === undefined ? {} : { limit }) };
  if (!isCarriedOn(write, table)) return { ...plan, inexact: limits.inexact };
  const cascades = await imageRows(request);
  if (cascades === undefined) {
    const inexact = [...limits.inexact, mark(`the foreign keys that point at "${table.name.name}"`)];
    return { ...plan, inexact };
  }
  const inexact = [...limits.inexact, ...cascades.inexact];
  return 'locked' in cascades ? { ...plan, inexact, cascades } : { ...plan, inexact };
}

/** Why the statement has no form that shows its rows. */
export function formReason({ verb }: RowWrite, { name }: PostgresTable): string {
  const what = verb === 'merge' ? 'a MERGE into' : 'no column that is assigned by itself in an UPDATE of';
  return `${what} "${name.name}"`;
}

/** What follows from the text and the table alone. */
interface Form {
  readonly limits: WriteLimits;
  readonly limit: RowLimit | undefined;
  readonly rewritten: Rewritten | undefined;
}

interface KnownForm extends Form {
  readonly table: PostgresTable;
  readonly version: number;
  readonly images: ImageLimits | undefined;
  readonly maxRows: number;
  readonly strict: boolean;
}

/** By the shape, which is kept for each text: an application sends the same statement again and again. */
const known = new WeakMap<RowWrite, KnownForm>();

function planForm(request: PlanRequest): Form {
  const { sql, write, table, version, view } = request;
  const { maxRows, strict } = view;
  const images = view.imagesOf(table);
  const last = known.get(write);
  if (
    last !== undefined &&
    last.table === table &&
    last.version === version &&
    last.images === images &&
    last.maxRows === maxRows &&
    last.strict === strict
  ) {
    return last;
  }
  const limits = findWriteLimits(write, table);
  const limit = limits.blocks === undefined ? rowLimitOf(sql, write, table, view) : undefined;
  const plain =
    limits.blocks === undefined ? rewriteWrite(sql, write, table, version, { images, limit }) : undefined;
  const rewritten =
    plain && limits.pitfalls.length === 0 && isSteady(sql, write, table)
      ? { ...plain, isSteady: true }
      : plain;
  const form = { table, version, images, maxRows, strict, limits, limit, rewritten };
  known.set(write, form);
  return form;
}

/**
 * True where the server has no choice of a plan that the parameters could sway: one row that is given, or named by its key. A
 * form that may fail by itself is not mixed up with a prepared statement that does.
 */
export function isSteady(sql: string, write: RowWrite, table: PostgresTable): boolean {
  return (
    write.verb !== 'merge' &&
    !table.hasRowSecurity &&
    rowBound(sql, write, table) === 1 &&
    !isJoined(sql, write) &&
    !HAS_QUERY.test(sql)
  );
}
