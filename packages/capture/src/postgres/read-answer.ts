import { inOneOrder } from '../change-order.js';
import {
  type EngineRows,
  type Inexact,
  OutdatedCapture,
  type SessionOptions,
  type StatementChanges,
} from '../dialect.js';
import type { SchemaView } from './cascades.js';
import { countedOnly } from './counted-only.js';
import { hasLarge } from './large-input.js';
import { findLateKeys } from './late-keys.js';
import { findLateLimits, findUnread } from './late-limits.js';
import { throughView } from './plan-view.js';
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

/** What one write of a statement did, apart from what foreign keys did for it. */
interface Seen {
  readonly answered: Answered;
  readonly inexact: readonly Inexact[];
  /** The rows that it answered with, with their images; none where only their number is told. */
  readonly rows: EngineRows;
}

/**
 * What a statement did, from what the new form of each of its writes has answered.
 * @throws OutdatedCapture where it was not seen and may run again
 */
export async function readAnswer(answers: readonly Answered[]): Promise<StatementChanges> {
  const seen: Seen[] = [];
  for (const answered of answers) seen.push(await readWrite(answered));
  const inexact = seen.flatMap((one) => one.inexact);
  const carried = seen.filter(
    ({ answered, rows }) => answered.plan.cascades !== undefined && rows.length > 0,
  );
  const [first] = carried;
  if (first === undefined) {
    const told = seen.flatMap(({ answered: { plan, table }, rows }) => readChanges(plan.write, table, rows));
    return { rows: inOneOrder(told.filter((change) => !isToldByTrigger(change))), inexact };
  }
  const { view, options } = first.answered;
  const own = seen.flatMap(({ answered: { plan, table }, rows }) => readOwnRows(plan.write, table, rows));
  const made = seen.flatMap(({ answered: { plan, table }, rows }) =>
    readChanges(plan.write, table, rows).filter(({ before }) => before === null),
  );
  const reached = carried.flatMap(({ answered }) => answered.plan.cascades?.reached ?? []);
  const last = Math.max(...seen.flatMap(({ rows }) => rows.slice(-1).map(clockOf)));
  const settled = await settleCascades(view, { reached }, own, last);
  const told = [...settled.rows, ...made].filter(
    (change) => !options.ignores(change.table.name) && !isToldByTrigger(change),
  );
  return { rows: inOneOrder(told), inexact: [...inexact, ...settled.inexact] };
}

async function readWrite(given: Answered): Promise<Seen> {
  const { plan, view, schema, options, isCut, mayRunAgain } = given;
  const { cascades, countAt, through } = plan;
  let [answered, table, rows] = [given, given.table, withImages(given.table, given.rows)];
  const late: Inexact[] = table === plan.table ? [] : [...findLateLimits(plan, table)];
  if (mayRunAgain && late.length > 0) throw new OutdatedCapture();
  const count = countAt === undefined ? rows.length : Number(rows[0]?.[countAt]);
  if (count > options.maxRows) {
    return { answered, inexact: [...late, ...countedOnly(plan, table, count, options)], rows: [] };
  }
  if (through !== undefined && late.length === 0) {
    const { base } = through;
    const resolved = await throughView(view, through, rows);
    if (resolved.unread > 0) {
      if (mayRunAgain) throw new OutdatedCapture();
      const reason = `rows of "${base.name.name}" which came to match at the last moment`;
      late.push({ table: base.name, fidelity: 'opaque', count: resolved.unread, reason });
    }
    [answered, table, rows] = [{ ...given, table: base }, base, resolved.rows];
  }
  if (!schema.isWide(table) && hasLarge(rows, table, isCut)) schema.noteWide(table);
  const unread = findUnread(plan, table, rows);
  if (cascades !== undefined && unread.length > 0 && mayRunAgain) throw new OutdatedCapture();
  return { answered, inexact: [...late, ...unread, ...(await findLateKeys(view, table, rows))], rows };
}
