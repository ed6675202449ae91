import type { Inexact, TableName } from '../dialect.js';
import type { PostgresReference, PostgresTable, ReferentialAction } from './postgres-catalogue.js';
import { parseRecord } from './record-text.js';
import { positionOf, type RawRow, selectByKeys, type TableReader } from './select-by-keys.js';
import type { NamedTable, RowWrite } from './write-shape.js';

/** What becomes of rows: they go, or the columns that are named are set. */
export type Fate =
  | { readonly isDeleted: true }
  | { readonly isDeleted: false; readonly columns: ReadonlySet<string> };

/** Rows that share their fate. */
interface Group {
  readonly table: PostgresTable;
  readonly rows: readonly RawRow[];
  readonly fate: Fate;
}

/** Rows that a foreign key reaches, as they stood before. */
export interface Reached extends Group {
  readonly texts: readonly string[];
}

/** The rows that a statement's cascades will reach, locked and read before it runs. */
export interface CascadeImage {
  /** The rows of the statement itself, as record texts. */
  readonly locked: ReadonlySet<string>;
  readonly reached: readonly Reached[];
  readonly inexact: readonly Inexact[];
}

/** What one connection sees. */
export interface SchemaView extends TableReader {
  readonly maxRows: number;
  readonly strict: boolean;
  readonly ignores: (table: TableName) => boolean;
  find(name: NamedTable): Promise<PostgresTable | undefined>;
  byOid(oid: string): Promise<PostgresTable | undefined>;
}

const ACTS: ReadonlySet<ReferentialAction> = new Set(['cascade', 'set null', 'set default']);

/** True if a foreign key carries this write on to other rows. */
export function isCarriedOn(write: RowWrite, table: PostgresTable): boolean {
  return fatesOf(write, table).some((fate) => actingReferences(table, fate).length > 0);
}

/** The columns that foreign keys with an action point at. */
export function carryingColumns(table: PostgresTable): ReadonlySet<string> {
  const acting = table.referencedBy.filter(({ onUpdate }) => ACTS.has(onUpdate));
  return new Set(acting.flatMap(({ referenced }) => referenced));
}

/** What may become of its rows: a MERGE may delete some and set columns of others. */
export function fatesOf(write: RowWrite, table: PostgresTable): readonly Fate[] {
  return write.merge?.deletes === true ? [{ isDeleted: true }, fateOf(write, table)] : [fateOf(write, table)];
}

export function fateOf(write: RowWrite, table: PostgresTable): Fate {
  if (write.verb === 'delete') return { isDeleted: true };
  if (write.assigned.size === 0) return { isDeleted: false, columns: write.assigned };
  // What is assigned changes what is computed from it.
  const generated = table.columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name);
  const assigned = [...write.assigned].filter((name) => !write.kept.has(name));
  return { isDeleted: false, columns: new Set([...assigned, ...generated]) };
}

export function actingReferences(table: PostgresTable, fate: Fate): readonly PostgresReference[] {
  if (fate.isDeleted) return table.referencedBy.filter(({ onDelete }) => ACTS.has(onDelete));
  return table.referencedBy.filter(
    ({ onUpdate, referenced }) => ACTS.has(onUpdate) && referenced.some((name) => fate.columns.has(name)),
  );
}

/** What becomes of the rows that the reference leads to. */
function carriedFate(reference: PostgresReference, fate: Fate): Fate {
  if (fate.isDeleted && reference.onDelete === 'cascade') return fate;
  return { isDeleted: false, columns: new Set(fate.isDeleted ? reference.setColumns : reference.columns) };
}

/** The table and all those that its cascades may reach. @param reached is given the oids of the latter */
export async function reachableTables(
  view: SchemaView,
  table: PostgresTable,
  fate: Fate,
  reached = new Set<string>(),
): Promise<readonly PostgresTable[]> {
  const tables = new Map([[table.oid, table]]);
  const seen = new Set<string>();
  const waiting = [{ table, fate }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const reference of actingReferences(next.table, next.fate)) {
      const carried = carriedFate(reference, next.fate);
      const id = JSON.stringify([reference.table, carried.isDeleted || [...carried.columns]]);
      const child = seen.has(id) ? undefined : await view.byOid(reference.table);
      seen.add(id);
      if (child === undefined) continue;
      tables.set(child.oid, child);
      reached.add(child.root);
      waiting.push({ table: child, fate: carried });
    }
  }
  return [...tables.values()];
}

/**
 * Locks and reads every row that the cascades will reach, level by level.
 * @param texts the rows of the statement itself, which are locked already: nobody can add a row that points at them
 */
export async function imageCascades(
  view: SchemaView,
  table: PostgresTable,
  fate: Fate,
  texts: readonly string[],
): Promise<CascadeImage> {
  const reached: Reached[] = [];
  const inexact: Inexact[] = [];
  const image = { locked: new Set(texts), reached, inexact };
  const known = new Set<string>();
  const waiting: Group[] = [{ table, rows: texts.map(parseRecord), fate }];
  for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
    for (const reference of actingReferences(group.table, group.fate)) {
      const child = await view.byOid(reference.table);
      if (child === undefined || group.rows.length === 0) continue;
      const unreadable = findUnreadable(child, reference);
      if (unreadable !== undefined) {
        inexact.push(unreadable);
        continue;
      }
      const found = await readReached(view, group, reference, child, known);
      if (found.isCut || known.size > view.maxRows) {
        const reason = `more than ${view.maxRows} rows that foreign keys reach`;
        inexact.push({ table: child.name, fidelity: 'opaque', reason });
        return { ...image, reached: [] };
      }
      if (found.rows.length === 0) continue;
      inexact.push(...limitsOf(found));
      reached.push(found);
      waiting.push(found);
    }
  }
  return image;
}

/** What `known` lacks of the rows that the reference leads to. */
async function readReached(
  view: SchemaView,
  { table: parent, rows, fate: parentFate }: Group,
  reference: PostgresReference,
  table: PostgresTable,
  known: Set<string>,
): Promise<Reached & { readonly isCut: boolean }> {
  const fate = carriedFate(reference, parentFate);
  const keys = reference.columns.map((name, index) => {
    const position = positionOf(parent, reference.referenced[index] ?? '');
    const type = parent.columns[position]?.castType ?? 'text';
    return { name, type, values: rows.map((row) => row[position] ?? null) };
  });
  const lock = fate.isDeleted ? 'FOR UPDATE OF c' : 'FOR NO KEY UPDATE OF c';
  const { texts, isCut } = await selectByKeys(
    view,
    table,
    keys,
    `LIMIT ${view.maxRows + 1} ${lock}`,
    view.maxRows,
  );
  const path = JSON.stringify([table.oid, fate.isDeleted || reference.columns]);
  const fresh = texts.filter((text) => !known.has(`${path} ${text}`));
  for (const text of fresh) known.add(`${path} ${text}`);
  return { table, texts: fresh, rows: fresh.map(parseRecord), fate, isCut };
}

/** What a table is marked with that foreign keys may reach from more rows than are imaged. */
export function beyondLimit(reached: TableName, from: PostgresTable, maxRows: number): Inexact {
  const reason = `the foreign keys that point at more than ${maxRows} rows of "${from.name.name}"`;
  return { table: reached, fidelity: 'opaque', reason };
}

/** The database carries the write on with the rights of the table's owner; we read with those of the caller. */
function findUnreadable(table: PostgresTable, reference: PostgresReference): Inexact | undefined {
  const needed = new Set([...reference.columns, ...table.key]);
  const isHidden = table.columns.some(({ name, isReadable }) => needed.has(name) && !isReadable);
  if (!isHidden && table.mayLock && !table.hasRowSecurity) return undefined;
  const reason = `"${table.name.name}", which a foreign key reaches and of which the role may not see all`;
  return { table: table.name, fidelity: 'opaque', reason };
}

function limitsOf({ table, fate }: Reached): readonly Inexact[] {
  const event = fate.isDeleted ? 'delete' : 'update';
  const mark = (reason: string): Inexact => ({ table: table.name, fidelity: 'opaque', reason });
  const limits = table.triggers
    .filter(({ mayWrite, events }) => mayWrite && events.has(event))
    .map(({ name }) => mark(`the trigger ${name} of "${table.name.name}", which may write other rows`));
  if (table.key.length > 0) return limits;
  return [...limits, mark(`"${table.name.name}", which a foreign key reaches and which has no primary key`)];
}
