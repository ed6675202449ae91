import type { Rewritten } from '../dialect.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { type ImageLimits, isWhole, rowExpression } from './row-image.js';
import { limitRows, limitSent, type RowLimit } from './row-limit.js';
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

const CLOCK = '(extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint::text';
// Transaction-local, so that nothing of it is left on a pooled connection.
const SETTING = "'indelible.old'";
const READ_SETTING = `CASE WHEN pg_catalog.starts_with(pg_catalog.current_setting(${SETTING}, true), ${TOKEN}) THEN
  pg_catalog.substr(pg_catalog.current_setting(${SETTING}, true), pg_catalog.length(${TOKEN}) + 1) END`;

/**
 * Adds the engine's columns to what the statement returns. It stays one statement that locks, touches and returns the same
 * rows at the same time as before; where it returned nothing, its rows are its count.
 *
 * RETURNING of PostgreSQL before 18 does not know the row that an UPDATE replaces. So the first assignment puts it into a
 * transaction-local setting before it gives its own value, and RETURNING takes it out again: the executor computes the
 * assignments of a row, also again after it has waited for another transaction, right before it updates that row, and
 * RETURNING right behind (nodeModifyTable.c, ExecUpdate and ExecOnConflictUpdate).
 *
 * @param images what of their rows is left on the server. @default nothing
 * @param limit needed where the statement may touch many rows
 * @returns undefined where the statement gives no place to read the old row from
 */
export function rewriteWrite(
  sql: string,
  write: RowWrite,
  table: PostgresTable,
  version: number,
  images?: ImageLimits,
  limit?: RowLimit,
): Rewritten | undefined {
  // The database refuses it, in words that are about the caller's text and not ours.
  if (write.verb === 'update' && write.assigned.size === 0) return undefined;
  const row = rowExpression(write.qualifier, table, images);
  const edits: Edit[] = [];
  const hasOld = version >= 180_000 && !write.namesOldOrNew;
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
    const note = noteOldRow(sql, write, table, row);
    if (note === undefined) return undefined;
    edits.push(...note);
    old = READ_SETTING;
    // A trigger may have kept a row from being updated: nobody has taken out what was put there for it. A row that was
    // inserted was locked by nobody; partitions do not tell.
    if (write.verb === 'insert' && table.kind === 'table' && table.mayReadPlaces) {
      old = `CASE WHEN ${write.qualifier}.xmax::text <> '0' THEN ${READ_SETTING} END`;
    }
  }
  const clears = edits.length > 0 && write.verb === 'insert';
  const own = [
    old,
    now,
    CLOCK,
    stateExpression([table]),
    SCOPE_EXPRESSION,
    table.key.length === 0 && table.kind === 'table' && table.mayReadPlaces
      ? `${write.qualifier}.ctid::text`
      : 'NULL::text',
    table.mayReadPlaces ? homeExpression(write.qualifier, table) : 'NULL::text',
  ];
  const returnsRows = write.returning !== null;
  const columns = [
    ...(limit !== undefined && returnsRows ? limitSent(own, limit) : own),
    // The row that is inserted next must not find the old row of one that was updated.
    ...(clears ? [`pg_catalog.set_config(${SETTING}, '', true)`] : []),
  ];
  const list = columns.map((column, position) => `${column} AS indelible_${position}`).join(', ');
  edits.push(
    write.returning === null
      ? { at: write.end, text: ` RETURNING ${list}` }
      : { at: write.returning.end, text: `, ${list}` },
  );
  if (limit === undefined || returnsRows) {
    return { sql: edit(sql, edits), columns: columns.length, returnsRows };
  }
  // What stands behind its end is a comment or a semicolon.
  const text = limitRows(edit(sql.slice(0, write.end), edits), limit);
  const command = write.verb.toUpperCase();
  return { sql: text, columns: columns.length + 1, returnsRows, count: columns.length, command };
}

/**
 * PostgreSQL 18 returns an outdated `old` where an UPDATE with a row trigger before it has waited for another transaction:
 * ExecBRUpdateTriggers locks and reads the row anew, and RETURNING does not hear of it.
 */
function mayBeStale({ triggers }: PostgresTable): boolean {
  return triggers.some(({ timing, isRow, events }) => timing === 'before' && isRow && events.has('update'));
}

function noteOldRow(
  sql: string,
  write: RowWrite,
  table: PostgresTable,
  row: string,
): readonly Edit[] | undefined {
  for (const { column, expression } of write.assignments) {
    const known = table.columns.find(({ name }) => name === column);
    const text = sql.slice(expression.start, expression.end);
    if (known === undefined || !canBeUnassigned(text)) continue;
    const note = `pg_catalog.set_config(${SETTING}, ${TOKEN} || ${row}, true) IS NULL`;
    return [{ at: expression.start, until: expression.end, text: unassigned(note, text, known.castType) }];
  }
  return undefined;
}

interface Edit {
  readonly at: number;
  /** What stands between is replaced. @default at */
  readonly until?: number;
  readonly text: string;
}

function edit(sql: string, edits: readonly Edit[]): string {
  let text = '';
  let from = 0;
  for (const { at, until = at, text: added } of edits) {
    text += sql.slice(from, at) + added;
    from = until;
  }
  return text + sql.slice(from);
}
