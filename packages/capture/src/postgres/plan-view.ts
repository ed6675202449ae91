import type { Inexact } from '../dialect.js';
import { type CascadeImage, fateOf, imageCascades, isCarriedOn, type SchemaView } from './cascades.js';
import { eventsOf, findWriteLimits } from './find-write-limits.js';
import { LockColumn, lockStatement } from './lock-statement.js';
import type { PlanRequest, WritePlan } from './plan-write.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { quoteTable } from './quote-identifier.js';
import { parseRecord } from './record-text.js';
import { recorderOf, toldInPart } from './recorders.js';
import { EngineColumn, rewriteWrite } from './rewrite-write.js';
import { rowLimitOf } from './row-bound.js';
import { readImage } from './row-image.js';
import { ownKey, positionOf, type RawRow, selectByKeys, type TableReader } from './select-by-keys.js';
import { stateExpression } from './table-state.js';
import { viewColumns } from './view-columns.js';

/** The table that the database writes through a view, and what stood in it. */
export interface WrittenThrough {
  readonly base: PostgresTable;
  /** By position in the base table: where the view has the column, or -1. */
  readonly positions: readonly number[];
  /** The rows that the statement was going to touch, by their keys, as record texts. */
  readonly before: ReadonlyMap<string, string>;
}

/** A view that the database can write through by itself. */
export function mayWriteThrough({ kind, isUpdatableView, rules, triggers, reads }: PostgresTable): boolean {
  const isSimple = rules.length === 0 && triggers.every(({ timing }) => timing !== 'instead of');
  return kind === 'view' && isUpdatableView && isSimple && reads.length === 1;
}

/**
 * A write through a view shows the rows of the view. Those of the base table are found by its key, which must be among its
 * columns: locked and read before, and read again afterwards.
 *
 * @returns undefined where the rows can not be found so
 */
export async function planView(request: PlanRequest): Promise<WritePlan | undefined> {
  const { view, sql, write, table, version, check } = request;
  if (!mayWriteThrough(table) || write.verb === 'merge' || write.conflict === 'update') return undefined;
  if (table.columns.some(({ isReadable }) => !isReadable)) return undefined;
  const locked = await lockRows(request);
  if (locked === undefined) return undefined;
  // From now on nobody can replace the view.
  const found = await baseOf(view, table);
  if (found === undefined || found.base.hasRowSecurity || found.base.key.length === 0) return undefined;
  const { base, positions } = found;
  const keyPositions = base.key.map((name) => positions[positionOf(base, name)] ?? -1);
  if (keyPositions.includes(-1)) return undefined;
  if (view.ignores(base.name)) return { write, table, inexact: [], pitfalls: [] };
  const assigned = new Set(
    base.columns.flatMap(({ name }, at) => {
      const column = table.columns[positions[at] ?? -1];
      return column !== undefined && write.assigned.has(column.name) ? [name] : [];
    }),
  );
  const own = { ...write, target: base.relation, assigned, returning: write.returning ?? write.targetText };
  const { blocks, inexact: known, pitfalls } = findWriteLimits(own, base);
  if (blocks !== undefined) return { write, table, inexact: [blocks], pitfalls };
  const isMixed = recorderOf(base, eventsOf(write)) === 'mixed';
  const inexact: Inexact[] = [...(isMixed ? [toldInPart(base)] : []), ...known];
  const before = await readByKey(
    view,
    base,
    locked.map((row) => toBase(row, positions)),
  );
  let cascades: CascadeImage | undefined;
  if (isCarriedOn(own, base)) {
    cascades = await imageCascades(view, base, fateOf(own, base), [...before.values()]);
    inexact.push(...cascades.inexact);
  }
  const states = [table, base];
  const [row] = await view.connection.query(
    `SELECT ${stateExpression(states)} AS state, ${SCOPE_EXPRESSION} AS scope`,
  );
  check({ state: row?.[0], scope: row?.[1] }, states);
  const keyNames = keyPositions.map((at) => table.columns[at]?.name ?? '');
  const limit = rowLimitOf(sql, write, { key: keyNames }, view);
  const rewritten = rewriteWrite(sql, write, table, version, { limit, states });
  if (rewritten === undefined) return undefined;
  return {
    write,
    table,
    rewritten,
    inexact,
    pitfalls,
    states,
    through: { base, positions, before },
    ...(limit === undefined ? {} : { limit }),
    ...(rewritten.count === undefined ? {} : { countAt: rewritten.count }),
    ...(cascades === undefined ? {} : { cascades }),
  };
}

/** The rows of the view that the statement will touch; none of an INSERT. */
async function lockRows({
  view,
  sql,
  write,
  table,
  ask,
  check,
}: PlanRequest): Promise<readonly RawRow[] | undefined> {
  if (ask === undefined) return undefined;
  if (write.verb === 'insert') {
    await view.connection.query(`SELECT FROM ${quoteTable(table.relation)} LIMIT 0`);
    return [];
  }
  // SELECT FOR UPDATE needs the right to update.
  const lock = table.mayLock
    ? lockStatement(sql, write, table, [table], view.maxRows + 1, undefined)
    : undefined;
  if (lock === undefined) return undefined;
  const rows = await ask(lock);
  const [first] = rows;
  if (first !== undefined) check({ state: first[LockColumn.state], scope: first[LockColumn.scope] }, [table]);
  return rows.map((row) => parseRecord(readImage(table, row[LockColumn.row]) ?? ''));
}

/** The table beneath the view, and beneath the views beneath it. */
async function baseOf(
  view: SchemaView,
  table: PostgresTable,
): Promise<Pick<WrittenThrough, 'base' | 'positions'> | undefined> {
  let columns: readonly (string | null)[] = table.columns.map(({ name }) => name);
  let base = table;
  while (base.kind === 'view') {
    if (!mayWriteThrough(base)) return undefined;
    const [row] = await view.connection.query('SELECT pg_catalog.pg_get_viewdef($1::text::oid)', [base.oid]);
    const below = await view.byOid(base.reads[0] ?? '');
    if (below === undefined) return undefined;
    const mapping = viewColumns(String(row?.[0]));
    const names = base.columns.map(({ name }) => name);
    columns = columns.map((name) => (name === null ? null : (mapping[names.indexOf(name)] ?? null)));
    base = below;
  }
  return { base, positions: base.columns.map(({ name }) => columns.indexOf(name)) };
}

/** The rows of the base table by their keys. */
async function readByKey(
  reader: TableReader,
  base: PostgresTable,
  rows: readonly RawRow[],
): Promise<ReadonlyMap<string, string>> {
  if (rows.length === 0) return new Map();
  const { texts } = await selectByKeys(reader, base, ownKey(base, rows), '');
  return new Map(texts.map((text) => [keyOf(base, parseRecord(text)), text]));
}

/** A row of the view by the positions of the base table. */
function toBase(row: RawRow, positions: readonly number[]): RawRow {
  return positions.map((at) => row[at] ?? null);
}

function keyOf(table: PostgresTable, raw: RawRow): string {
  return JSON.stringify(table.key.map((name) => raw[positionOf(table, name)]));
}

/**
 * Puts the rows of the base table in the place of those of the view.
 * @param rows by `EngineColumn`
 */
export async function throughView(
  reader: TableReader,
  { base, positions, before }: WrittenThrough,
  rows: readonly (readonly unknown[])[],
): Promise<{ readonly rows: readonly (readonly unknown[])[]; readonly unread: number }> {
  const parsed = rows.map((row) =>
    [row[EngineColumn.old], row[EngineColumn.new]].map((text) =>
      typeof text === 'string' ? toBase(parseRecord(text), positions) : null,
    ),
  );
  const standing = parsed.flatMap(([, now]) => (now === null || now === undefined ? [] : [now]));
  const after = await readByKey(reader, base, standing);
  const told: (readonly unknown[])[] = [];
  for (const [at, [old = null, now = null]] of parsed.entries()) {
    const images = [old && before.get(keyOf(base, old)), now && after.get(keyOf(base, now))];
    if (images.includes(undefined)) continue;
    const [, , clock, state, scope] = rows[at] ?? [];
    told.push([...images, clock, state, scope, null, null]);
  }
  return { rows: told, unread: rows.length - told.length };
}
