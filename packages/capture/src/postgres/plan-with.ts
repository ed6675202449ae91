import type { Inexact } from '../dialect.js';
import { type CascadeImage, isCarriedOn } from './cascades.js';
import { eventsOf, findWriteLimits } from './find-write-limits.js';
import { imageRows } from './image-rows.js';
import { formReason, type PlanRequest, type WritePlan } from './plan-write.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { canBeShown, rewriteWith, type ShownWrite } from './rewrite-with.js';
import { rowLimitOf } from './row-bound.js';
import type { StatementPlan } from './statement-plan.js';
import { ENGINE_COLUMNS, OLD_SETTING, writeForm } from './write-form.js';
import type { RowWrite, WritingWith } from './write-shape.js';

export interface WithRequest extends Pick<PlanRequest, 'view' | 'sql' | 'version' | 'ask' | 'check'> {
  readonly shape: WritingWith;
  /** Those of its writes that are recorded, with their tables. */
  readonly tables: ReadonlyMap<RowWrite, PostgresTable>;
}

/** The writes of a statement with queries that write, which stays one statement. */
export function writesOf({ queries, main }: WritingWith): readonly RowWrite[] {
  return [...queries.map(({ write }) => write), ...(main.verb === 'query' ? [] : [main])];
}

/** Finds out how far each of its writes can be captured. */
export async function planWith(request: WithRequest): Promise<StatementPlan> {
  const { view, sql, shape, tables, version } = request;
  const twice = writtenTwice(request);
  if (twice !== undefined) return { steps: [], inexact: [twice] };
  const inexact: Inexact[] = [];
  const shown: ShownWrite[] = [];
  const plans: WritePlan[] = [];
  for (const [at, write] of writesOf(shape).entries()) {
    const table = tables.get(write);
    if (table === undefined) continue;
    const mark = (reason: string): Inexact => ({ table: table.name, fidelity: 'opaque', reason });
    const limits = findWriteLimits(write, table);
    const query = shape.queries[at];
    const limit = limits.blocks === undefined ? rowLimitOf(sql, write, table, view) : undefined;
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
  const writes = [];
  for (const plan of plans) {
    const cascades = await imageCarried(request, plan, plans);
    inexact.push(...(cascades?.inexact ?? []));
    const whole = cascades !== undefined && 'locked' in cascades ? { ...plan, cascades } : plan;
    writes.push({ plan: whole, rowsOf: rowsOf.bind(undefined, plan.write) });
  }
  return { steps: [writes], inexact, rewritten };
}

/** Which of two queries comes to a row first decides what becomes of it, and to show their rows may change that. */
function writtenTwice({ shape, tables }: WithRequest): Inexact | undefined {
  const roots = new Set<string>();
  for (const { write } of shape.queries) {
    const table = tables.get(write);
    if (table === undefined) continue;
    if (roots.has(table.root)) {
      const reason = `several queries of WITH that write to "${table.name.name}"`;
      return { table: table.name, fidelity: 'opaque', reason };
    }
    roots.add(table.root);
  }
  return undefined;
}

/** Locks and reads the rows that foreign keys reach from the write. @returns undefined where they reach none */
async function imageCarried(
  { shape, tables, ...request }: WithRequest,
  { write, table }: WritePlan,
  plans: readonly WritePlan[],
): Promise<CascadeImage | Pick<CascadeImage, 'inexact'> | undefined> {
  if (!isCarriedOn(write, table)) return undefined;
  const isSeen = (other: RowWrite): boolean => plans.some((plan) => plan.write === other);
  const inserting = [...tables].filter(([other]) => eventsOf(other).includes('insert') || !isSeen(other));
  const inserted = new Set(inserting.map(([, { root }]) => root));
  const prefix = shape.lockPrefixes.get(write);
  const image =
    prefix === undefined ? undefined : await imageRows({ ...request, write, table, prefix, inserted });
  const reason = `the foreign keys that point at "${table.name.name}"`;
  return image ?? { inexact: [{ table: table.name, fidelity: 'opaque', reason }] };
}
