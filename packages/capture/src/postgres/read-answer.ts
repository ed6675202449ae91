import { orderChanges } from '../change-order.js';
import { type EngineRows, OutdatedCapture, type SessionOptions, type StatementChanges } from '../dialect.js';
import type { SchemaView } from './cascades.js';
import { countedOnly } from './counted-only.js';
import { hasLarge } from './large-input.js';
import { findLateKeys } from './late-keys.js';
import { findLateLimits, findUnread } from './late-limits.js';
import type { WritePlan } from './plan-write.js';
import type { PostgresSchema } from './postgres-schema.js';
import type { PostgresTable } from './postgres-table.js';
import { clockOf, readChanges, readOwnRows, withImages } from './read-changes.js';
import { isToldByTrigger } from './recorders.js';
import { settleCascades } from './settle-cascades.js';

export interface Answered {
  readonly plan: WritePlan;
  /** As it is now. */
  readonly table: PostgresTable;
  readonly rows: EngineRows;
  readonly view: SchemaView;
  readonly schema: PostgresSchema;
  readonly options: SessionOptions;
  /** Large values of the table were left on the server. */
  readonly isCut: boolean;
  /** The transaction can be undone and run again. */
  readonly mayRunAgain: boolean;
}

/** What a statement did, from what its new form has answered. @throws OutdatedCapture where it was not seen and may run again */
export async function readAnswer(answered: Answered): Promise<StatementChanges> {
  const { plan, table, view, schema, options, isCut, mayRunAgain } = answered;
  const { write, cascades, countAt } = plan;
  const rows = withImages(table, answered.rows);
  const late = table === plan.table ? [] : findLateLimits(plan, table);
  if (mayRunAgain && late.length > 0) throw new OutdatedCapture();
  const count = countAt === undefined ? rows.length : Number(rows[0]?.[countAt]);
  if (count > options.maxRows) {
    return { rows: [], inexact: [...late, ...countedOnly(plan, table, count, options)] };
  }
  if (!schema.isWide(table) && hasLarge(rows, table, isCut)) schema.noteWide(table);
  const unread = findUnread(plan, table, rows);
  if (cascades !== undefined && unread.length > 0 && mayRunAgain) throw new OutdatedCapture();
  const inexact = [...late, ...unread, ...(await findLateKeys(view, table, rows))];
  if (cascades === undefined) {
    const told = readChanges(write, table, rows).filter((change) => !isToldByTrigger(change));
    return { rows: orderChanges(told), inexact };
  }
  const own = readOwnRows(write, table, rows);
  const settled = await settleCascades(view, cascades, table, own, clockOf(rows.at(-1)));
  const told = settled.rows.filter(
    (change) => !options.ignores(change.table.name) && !isToldByTrigger(change),
  );
  return { rows: orderChanges(told), inexact: [...inexact, ...settled.inexact] };
}
