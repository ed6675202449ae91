import type { Inexact, RowChange } from '../dialect.js';
import { actingReferences, type Reached, type SchemaView } from './cascades.js';
import { type MysqlReference, type MysqlTable, positionOf } from './mysql-table.js';
import { keyOf, keyText } from './noted-rows.js';
import { MysqlRow, type RawRow, sameBytes } from './row-image.js';
import { selectByKeys } from './select-by-keys.js';

/** A row that the statement itself touched. */
export interface OwnRow {
  readonly table: MysqlTable;
  readonly before: RawRow | null;
  /** Null: it is gone. Undefined: it has to be read. */
  readonly after: RawRow | null | undefined;
  /** The key under which it stands, where the statement has assigned it. */
  readonly nextKey: RawRow | undefined;
}

/** A row on its way. */
interface Tracked {
  readonly table: MysqlTable;
  readonly before: RawRow | null;
  /** As the statement and the foreign keys should leave it; null: gone. */
  now: RawRow | null;
  /** What it holds in the end has to be read. */
  isUnsure: boolean;
}

/**
 * What became of all rows that the statement touched and of those that its foreign keys reached. The keys under which rows
 * are found again follow from what the foreign keys do.
 */
export async function settleRows(
  view: SchemaView,
  own: readonly OwnRow[],
  reached: readonly Reached[],
  at: number,
): Promise<{ readonly rows: readonly RowChange[]; readonly inexact: readonly Inexact[] }> {
  const rows: RowChange[] = [];
  const inexact: Inexact[] = [];
  for (const [table, tracked] of follow(own, reached)) {
    const unsure = tracked.filter(({ isUnsure }) => isUnsure);
    const found = table.key.length === 0 ? undefined : await findAgain(view, table, unsure);
    for (const row of tracked) {
      let after = row.now;
      if (row.isUnsure) {
        // A row without a key can not be found again, and is marked already.
        if (found === undefined) continue;
        const known = found(row);
        if (known === undefined && row.now !== null) {
          const reason = `a row of "${table.name.name}" that could not be found again`;
          inexact.push({ table: table.name, fidelity: 'opaque', count: 1, reason });
          continue;
        }
        after = known ?? null;
      }
      if (!isSame(row.before, after)) rows.push(toChange(table, row.before, after, at));
    }
  }
  return { rows, inexact };
}

function isSame(one: RawRow | null, two: RawRow | null): boolean {
  if (one === null || two === null) return one === two;
  return one.every((value, at) => sameBytes(value, two[at] ?? null));
}

export function toChange(
  table: MysqlTable,
  before: RawRow | null,
  after: RawRow | null,
  at: number,
): RowChange {
  return {
    table,
    before: before === null ? null : new MysqlRow(before, table.columns),
    after: after === null ? null : new MysqlRow(after, table.columns),
    from: null,
    to: null,
    at,
  };
}

async function findAgain(
  view: SchemaView,
  table: MysqlTable,
  rows: readonly Tracked[],
): Promise<(row: Tracked) => RawRow | undefined> {
  const alive = rows.flatMap(({ now }) => (now === null ? [] : [now]));
  const keys = alive.map((row) => table.key.map((name) => row[positionOf(table, name)] ?? null));
  const texts =
    keys.length === 0 ? [] : await selectByKeys(view.connection, table, table.key, keys, view.maxBytes);
  const byKey = new Map(texts.flatMap((row) => (row === undefined ? [] : [[keyOf(table, row), row]])));
  return ({ now }) => (now === null ? undefined : byKey.get(keyOf(table, now)));
}

/** Follows the rows through what the foreign keys do, step by step as the database goes. */
function follow(
  own: readonly OwnRow[],
  reached: readonly Reached[],
): ReadonlyMap<MysqlTable, readonly Tracked[]> {
  const byKey = new Map<string, Tracked>();
  const byTable = new Map<MysqlTable, Tracked[]>();
  const add = (id: string, row: Tracked): void => {
    byKey.set(id, row);
    const rows = byTable.get(row.table);
    if (rows === undefined) byTable.set(row.table, [row]);
    else rows.push(row);
  };
  const steps: { readonly table: MysqlTable; readonly before: RawRow; readonly after: RawRow | null }[] = [];
  for (const [at, { table, before, after, nextKey }] of own.entries()) {
    const now = after === undefined ? movedTo(table, before, nextKey) : after;
    const id = before === null || table.key.length === 0 ? `own ${at}` : idOf(table, before);
    add(id, { table, before, now, isUnsure: after === undefined });
    if (before !== null) steps.push({ table, before, after: now });
  }
  for (const { table, row } of reached) {
    const known = byKey.get(idOf(table, row));
    if (known === undefined) add(idOf(table, row), { table, before: row, now: row, isUnsure: true });
    else if (known.now !== null) known.isUnsure = true;
  }
  if (reached.length > 0) for (const { table, before, after } of steps) carry(byTable, table, before, after);
  return byTable;
}

function movedTo(table: MysqlTable, before: RawRow | null, nextKey: RawRow | undefined): RawRow | null {
  if (before === null || nextKey === undefined) return before;
  return before.map((value, position) => {
    const at = table.key.indexOf(table.columns[position]?.name ?? '');
    return at === -1 ? value : (nextKey[at] ?? null);
  });
}

function carry(
  byTable: ReadonlyMap<MysqlTable, readonly Tracked[]>,
  table: MysqlTable,
  before: RawRow,
  after: RawRow | null,
): void {
  const changed = table.columns.filter(
    (_, at) => after !== null && !sameBytes(before[at] ?? null, after[at] ?? null),
  );
  const fate =
    after === null
      ? ({ isDeleted: true } as const)
      : ({ isDeleted: false, columns: new Set(changed.map(({ name }) => name)) } as const);
  if (!fate.isDeleted && fate.columns.size === 0) return;
  for (const reference of actingReferences(table, fate)) {
    const values = reference.referenced.map((name) => before[positionOf(table, name)] ?? null);
    if (values.includes(null)) continue;
    const next = reference.referenced.map((name) => after?.[positionOf(table, name)] ?? null);
    for (const [child, rows] of byTable) {
      if (child.id !== reference.table) continue;
      for (const row of rows) {
        if (row.now === null || row.before === null || pointer(reference, row) !== foldText(values)) continue;
        const was = row.now;
        row.now = carried(reference, row.table, was, fate.isDeleted, next);
        row.isUnsure = row.now !== null;
        carry(byTable, child, was, row.now);
      }
    }
  }
}

function carried(
  reference: MysqlReference,
  table: MysqlTable,
  row: RawRow,
  isDeleted: boolean,
  next: RawRow,
): RawRow | null {
  const action = isDeleted ? reference.onDelete : reference.onUpdate;
  if (isDeleted && action === 'cascade') return null;
  return row.map((value, position) => {
    const at = reference.columns.indexOf(table.columns[position]?.name ?? '');
    if (at === -1) return value;
    return action === 'cascade' ? (next[at] ?? null) : null;
  });
}

function pointer(reference: MysqlReference, { table, now }: Tracked): string {
  return foldText(reference.columns.map((name) => now?.[positionOf(table, name)] ?? null));
}

/** Foreign keys compare by collation: what differs in case, accents or spaces at the end may be equal. */
function foldText(values: RawRow): string {
  return JSON.stringify(
    values.map((value) =>
      value === null
        ? null
        : value.toString('utf8').normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trimEnd(),
    ),
  );
}

function idOf(table: MysqlTable, row: RawRow): string {
  return `${table.id} ${table.key.length === 0 ? keyText(row) : keyOf(table, row)}`;
}
