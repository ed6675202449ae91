import type { Inexact } from '../dialect.js';
import { isCarriedOn, type SchemaView } from './cascades.js';
import { findWriteLimits } from './find-write-limits.js';
import { formReason, limitOf, type WritePlan } from './plan-write.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { canBeShown, rewriteWith, type ShownWrite } from './rewrite-with.js';
import type { StatementPlan } from './statement-plan.js';
import { ENGINE_COLUMNS, OLD_SETTING, writeForm } from './write-form.js';
import type { RowWrite, WritingWith } from './write-shape.js';

export interface WithRequest {
  readonly view: SchemaView;
  readonly sql: string;
  readonly shape: WritingWith;
  /** Those of its writes that are recorded, with their tables. */
  readonly tables: ReadonlyMap<RowWrite, PostgresTable>;
  /** Of the server. */
  readonly version: number;
}

/** The writes of a statement with queries that write, which stays one statement. */
export function writesOf({ queries, main }: WritingWith): readonly RowWrite[] {
  return [...queries.map(({ write }) => write), ...(main.verb === 'query' ? [] : [main])];
}

/** Finds out how far each of its writes can be captured. */
export function planWith({ view, sql, shape, tables, version }: WithRequest): StatementPlan {
  const inexact: Inexact[] = [];
  const shown: ShownWrite[] = [];
  const plans: WritePlan[] = [];
  for (const [at, write] of writesOf(shape).entries()) {
    const table = tables.get(write);
    if (table === undefined) continue;
    const mark = (reason: string): Inexact => ({ table: table.name, fidelity: 'opaque', reason });
    const limits = findWriteLimits(write, table);
    const query = shape.queries[at];
    const limit = limits.blocks === undefined ? limitOf({ sql, write, table, view }) : undefined;
    const setting = query === undefined ? OLD_SETTING : `${OLD_SETTING}_${at}`;
    const form =
      limits.blocks === undefined
        ? writeForm(sql, write, table, { version, images: view.imagesOf(table), setting })
        : undefined;
    if (limits.blocks !== undefined) inexact.push(limits.blocks);
    else if (form === undefined) inexact.push(mark(formReason(write, table)));
    else if (query !== undefined && !canBeShown(query)) {
      inexact.push(mark('a query of WITH that returns columns whose names its text does not tell'));
    } else {
      inexact.push(...limits.inexact);
      if (isCarriedOn(write, table)) {
        inexact.push(mark(`the foreign keys that point at "${table.name.name}"`));
      }
      shown.push({ write, table, form, limit });
      const isCounted = limit !== undefined && (query !== undefined || write.returning === null);
      plans.push({
        write,
        table,
        inexact: limits.inexact,
        pitfalls: limits.pitfalls,
        ...(limit === undefined ? {} : { limit }),
        ...(isCounted ? { countAt: ENGINE_COLUMNS } : {}),
      });
    }
  }
  if (shown.length === 0) return { steps: [], inexact };
  const { rewritten, rowsOf } = rewriteWith(sql, shape, shown);
  const writes = plans.map((plan) => ({ plan, rowsOf: rowsOf.bind(undefined, plan.write) }));
  return { steps: [writes], inexact, rewritten };
}
