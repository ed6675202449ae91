import type { Edit } from './edit-text.js';
import { type PostgresColumn, type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { quoteIdentifier } from './quote-identifier.js';
import { type ImageLimits, isWhole, rowExpression } from './row-image.js';
import { STATEMENT_TOKEN as TOKEN } from './statement-token.js';
import { homeExpression, stateExpression } from './table-state.js';
import { canBeUnassigned, unassigned } from './unassigned.js';
import type { RowWrite } from './write-shape.js';

/** The engine's columns of a rewritten statement, in their order. All are text. */
export const EngineColumn = {
  /** The row as it stood, NULL where it did not. */
  old: 0,
  /** The row as it stands, NULL where it does not any more. */
  new: 1,
  /** Microseconds since 1970, while the row is locked. */
  clock: 2,
  /** What is known of the table, as `stateOf` gives it. */
  state: 3,
  scope: 4,
  /** Where the row stands, for tables without a key; else NULL. */
  place: 5,
  /** Which table the row is of, as `isAtHome` reads it; NULL where the role may not read that. */
  home: 6,
} as const;

export const ENGINE_COLUMNS = Object.keys(EngineColumn).length;

/** What a write is given so that it shows its rows. */
export interface WriteForm {
  /** Of the statement's text, but for what it returns. */
  readonly edits: readonly Edit[];
  /** What it returns by `EngineColumn`. */
  readonly own: readonly string[];
  /** What it returns behind that, which nobody reads. */
  readonly further: readonly string[];
}

export interface FormOptions {
  readonly version: number;
  /** What of its rows is left on the server. @default nothing */
  readonly images?: ImageLimits | undefined;
  /** By which setting the old row goes, where it has to: of several writes in one statement each has its own. */
  readonly setting?: string;
  /** The tables of which the state comes along. @default the table */
  readonly states?: readonly PostgresTable[];
}

export const OLD_SETTING = 'indelible.old';
const CLOCK = '(extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint::text';

/** @returns undefined where the statement gives no place to read the old row from */
export function writeForm(
  sql: string,
  write: RowWrite,
  table: PostgresTable,
  { version, images, setting = OLD_SETTING, states = [table] }: FormOptions,
): WriteForm | undefined {
  // The database refuses it, in words that are about the caller's text and not ours.
  if (write.verb === 'update' && write.assigned.size === 0) return undefined;
  const row = rowExpression(write.qualifier, table, images);
  const hasOld = version >= 180_000 && !write.namesOldOrNew;
  let edits: readonly Edit[] = [];
  let old = 'NULL::text';
  let now = write.verb === 'delete' ? 'NULL::text' : row;
  if (write.verb === 'delete') old = row;
  else if (write.verb === 'merge') {
    if (!hasOld) return undefined;
    old = `CASE WHEN merge_action() <> 'INSERT' THEN ${rowExpression('old', table, images)} END`;
    now = `CASE WHEN merge_action() <> 'DELETE' THEN ${rowExpression('new', table, images)} END`;
  } else if (hasOld && write.verb === 'update' && !mayBeStale(table))
    old = rowExpression('old', table, images);
  // Its text is NULL where there was no row, and that of a row of nothing but NULL is not.
  else if (
    hasOld &&
    write.conflict === 'update' &&
    images === undefined &&
    isWhole(table) &&
    table.encoding !== 'raw'
  )
    old = 'old::text';
  else if (write.verb === 'update' || write.conflict === 'update') {
    const note = noteOldRow(sql, write, table, row, setting);
    if (note === undefined) return undefined;
    edits = note;
    old = readSetting(setting);
    // A trigger may have kept a row from being updated: nobody has taken out what was put there for it. A row that was
    // inserted was locked by nobody; partitions do not tell.
    if (write.verb === 'insert' && table.kind === 'table' && table.mayReadPlaces) {
      old = `CASE WHEN ${write.qualifier}.xmax::text <> '0' THEN ${readSetting(setting)} END`;
    }
  }
  const clears = edits.length > 0 && write.verb === 'insert';
  const own = [
    old,
    now,
    CLOCK,
    stateExpression(states),
    SCOPE_EXPRESSION,
    table.key.length === 0 && table.kind === 'table' && table.mayReadPlaces
      ? `${write.qualifier}.ctid::text`
      : 'NULL::text',
    table.mayReadPlaces && table.kind !== 'view' ? homeExpression(write.qualifier, table) : 'NULL::text',
  ];
  // The row that is inserted next must not find the old row of one that was updated.
  return { edits, own, further: clears ? [`pg_catalog.set_config('${setting}', '', true)`] : [] };
}

/** Adds the columns to what the write returns. */
export function returning(write: RowWrite, columns: readonly string[]): Edit {
  const list = columns.map((column, position) => `${column} AS indelible_${position}`).join(', ');
  return write.returning === null
    ? { at: write.end, text: ` RETURNING ${list}` }
    : { at: write.returning.end, text: `, ${list}` };
}

/**
 * PostgreSQL 18 returns an outdated `old` where an UPDATE with a row trigger before it has waited for another transaction:
 * ExecBRUpdateTriggers locks and reads the row anew, and RETURNING does not hear of it.
 */
function mayBeStale({ triggers }: PostgresTable): boolean {
  return triggers.some(({ timing, isRow, events }) => timing === 'before' && isRow && events.has('update'));
}

/** Transaction-local, so that nothing of it is left on a pooled connection. */
function readSetting(setting: string): string {
  const read = `pg_catalog.current_setting('${setting}', true)`;
  return `CASE WHEN pg_catalog.starts_with(${read}, ${TOKEN}) THEN
  pg_catalog.substr(${read}, pg_catalog.length(${TOKEN}) + 1) END`;
}

function noteOldRow(
  sql: string,
  write: RowWrite,
  table: PostgresTable,
  row: string,
  setting: string,
): readonly Edit[] | undefined {
  const note = `pg_catalog.set_config('${setting}', ${TOKEN} || ${row}, true) IS NULL`;
  for (const { column, expression } of write.assignments) {
    const known = table.columns.find(({ name }) => name === column);
    const text = sql.slice(expression.start, expression.end);
    if (known === undefined || !canBeUnassigned(text)) continue;
    return [{ at: expression.start, until: expression.end, text: unassigned(note, text, known.castType) }];
  }
  const free = freeColumn(write, table);
  if (free === undefined || write.setAt === undefined) return undefined;
  const value = `${write.qualifier}.${quoteIdentifier(free.name)}`;
  return [
    { at: write.setAt, text: `${quoteIdentifier(free.name)} = ${unassigned(note, value, free.castType)}, ` },
  ];
}

/**
 * A column that can be assigned what it is, without anybody noticing: triggers and rights may go by the columns that are
 * assigned.
 */
function freeColumn({ assigned }: RowWrite, table: PostgresTable): PostgresColumn | undefined {
  if (!table.mayUpdate || (table.kind !== 'table' && table.kind !== 'partitioned')) return undefined;
  if (table.triggers.some(({ events }) => events.has('update'))) return undefined;
  const pointed = [...table.referencedBy.flatMap(({ referenced }) => referenced), ...table.key];
  const pointing = table.references.flatMap(({ columns }) => columns);
  const taken = new Set([...pointed, ...pointing, ...assigned]);
  // One of integers may be an identity column, which takes DEFAULT only.
  return table.columns.find(
    ({ name, isGenerated, isReadable, format }) =>
      !taken.has(name) && !isGenerated && isReadable && format.kind !== 'integer',
  );
}
