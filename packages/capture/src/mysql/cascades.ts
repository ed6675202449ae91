import type { CaptureConnection, Inexact } from '../dialect.js';
import { findColumn, type MysqlReference, type MysqlTable, positionOf } from './mysql-table.js';
import { keyOf, keyText } from './noted-rows.js';
import type { Target } from './rewrite-write.js';
import type { RawRow } from './row-image.js';
import { selectByKeys } from './select-by-keys.js';
import type { RowWrite } from './write-shape.js';

/** What becomes of rows: they go, or the columns that are named are set. */
export type Fate =
  | { readonly isDeleted: true }
  | { readonly isDeleted: false; readonly columns: ReadonlySet<string> };

/** A row that a foreign key reaches, as it stood before. */
export interface Reached {
  readonly table: MysqlTable;
  readonly row: RawRow;
}

/** The rows that a statement's cascades will reach, locked and read before it runs. */
export interface CascadeImage {
  /** The rows of the statement itself, by their keys. */
  readonly locked: ReadonlyMap<string, RawRow>;
  readonly reached: readonly Reached[];
  readonly inexact: readonly Inexact[];
}

/** What one connection sees. */
export interface SchemaView {
  readonly connection: CaptureConnection;
  readonly maxRows: number;
  /** Of one row as it is told. */
  readonly maxBytes: number;
  byId(id: string): Promise<MysqlTable | undefined>;
}

/** What the write does to the rows of a table that are there before. */
export function fateOf(write: RowWrite, target: Target): Fate {
  if (write.verb === 'delete' || write.verb === 'replace') return { isDeleted: true };
  const assigned = target.assignments.flatMap(({ column }) => findColumn(target.table, column)?.name ?? []);
  if (assigned.length === 0) return { isDeleted: false, columns: new Set() };
  // What is assigned changes what is computed from it.
  const generated = target.table.columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name);
  return { isDeleted: false, columns: new Set([...assigned, ...generated]) };
}

export function actingReferences(table: MysqlTable, fate: Fate): readonly MysqlReference[] {
  if (fate.isDeleted) return table.referencedBy.filter(({ onDelete }) => onDelete !== 'restrict');
  return table.referencedBy.filter(
    ({ onUpdate, referenced }) =>
      onUpdate !== 'restrict' && referenced.some((name) => fate.columns.has(name)),
  );
}

/** What becomes of the rows that the reference leads to. */
export function carriedFate(reference: MysqlReference, fate: Fate): Fate {
  if (fate.isDeleted && reference.onDelete === 'cascade') return fate;
  return { isDeleted: false, columns: new Set(reference.columns) };
}

/**
 * Locks and reads every row that the cascades will reach, level by level.
 * @param own the rows of the statement itself, which are locked already: nobody can add a row that points at them
 */
export async function imageCascades(
  view: SchemaView,
  own: readonly { readonly table: MysqlTable; readonly fate: Fate; readonly rows: readonly RawRow[] }[],
): Promise<CascadeImage> {
  const reached: Reached[] = [];
  const inexact: Inexact[] = [];
  const locked = new Map(
    own.flatMap(({ table, rows }) => rows.map((row) => [`${table.id} ${keyOf(table, row)}`, row] as const)),
  );
  const known = new Set<string>();
  const waiting = [...own];
  for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
    for (const reference of actingReferences(group.table, group.fate)) {
      const child = await view.byId(reference.table);
      if (child === undefined || group.rows.length === 0) continue;
      const values = group.rows.map((row) => referencedValues(group, reference, row));
      const found = await selectByKeys(view.connection, child, reference.columns, values, view.maxBytes);
      const fate = carriedFate(reference, group.fate);
      const path = JSON.stringify([child.id, fate.isDeleted || reference.columns]);
      const fresh: RawRow[] = [];
      for (const row of found) {
        if (row === undefined) inexact.push(mark(child, 'a row that is too long to be told'));
        else if (!known.has(`${path} ${rowText(child, row)}`)) {
          known.add(`${path} ${rowText(child, row)}`);
          fresh.push(row);
        }
      }
      if (known.size > view.maxRows) {
        inexact.push(mark(child, `more than ${view.maxRows} rows that foreign keys reach`));
        return { locked, reached: [], inexact };
      }
      if (fresh.length === 0) continue;
      if (child.key.length === 0) {
        inexact.push(
          mark(child, `"${child.name.name}", which a foreign key reaches and which has no primary key`),
        );
      }
      reached.push(...fresh.map((row) => ({ table: child, row })));
      waiting.push({ table: child, rows: fresh, fate });
    }
  }
  return { locked, reached, inexact };
}

function referencedValues(
  { table }: { readonly table: MysqlTable },
  reference: MysqlReference,
  row: RawRow,
): RawRow {
  return reference.referenced.map((name) => row[positionOf(table, name)] ?? null);
}

function rowText(table: MysqlTable, row: RawRow): string {
  return table.key.length === 0 ? keyText(row) : keyOf(table, row);
}

function mark(table: MysqlTable, reason: string): Inexact {
  return { table: table.name, fidelity: 'opaque', reason };
}
