import type { CaptureConnection, EngineRows, Inexact, RowChange } from '../dialect.js';
import type { PostgresReference, PostgresTable, ReferentialAction } from './postgres-catalogue.js';
import { PostgresRow } from './postgres-row.js';
import type { PostgresSchema } from './postgres-schema.js';
import { parseRecord } from './record-text.js';
import { type RawRow, selectByKeys } from './select-by-keys.js';
import type { RowWrite } from './write-shape.js';

/** What becomes of rows: they go, or the columns that are named are set. */
type Fate =
  | { readonly isDeleted: true }
  | { readonly isDeleted: false; readonly columns: ReadonlySet<string> };

/** Rows that share their fate. */
interface Group {
  readonly table: PostgresTable;
  readonly rows: readonly RawRow[];
  readonly fate: Fate;
}

/** Rows that a foreign key reaches, as they stood before. */
interface Reached extends Group {
  readonly parent: PostgresTable;
  readonly reference: PostgresReference;
  readonly texts: readonly string[];
}

/** The rows that a statement's cascades will reach, locked and read before it runs. */
export interface CascadeImage {
  /** The rows of the statement itself, as record texts. */
  readonly locked: ReadonlySet<string>;
  readonly reached: readonly Reached[];
  readonly inexact: readonly Inexact[];
}

export interface CascadeContext {
  readonly connection: CaptureConnection;
  readonly schema: PostgresSchema;
  readonly maxRows: number;
}

/** A row of the statement itself, before and after. */
export interface Step {
  readonly oid: string;
  readonly columns: readonly { readonly name: string }[];
  readonly before: RawRow;
  readonly after: RawRow;
}

const ACTS: ReadonlySet<ReferentialAction> = new Set(['cascade', 'set null', 'set default']);

/** True if a foreign key carries this write on to other rows. */
export function isCarriedOn(write: RowWrite, table: PostgresTable): boolean {
  if (write.verb === 'merge') {
    return table.referencedBy.some(({ onDelete, onUpdate }) => ACTS.has(onDelete) || ACTS.has(onUpdate));
  }
  return actingReferences(table, fateOf(write)).length > 0;
}

function fateOf(write: RowWrite): Fate {
  return write.verb === 'delete' ? { isDeleted: true } : { isDeleted: false, columns: write.assigned };
}

function actingReferences(table: PostgresTable, fate: Fate): readonly PostgresReference[] {
  if (fate.isDeleted) return table.referencedBy.filter(({ onDelete }) => ACTS.has(onDelete));
  return table.referencedBy.filter(
    ({ onUpdate, referenced }) => ACTS.has(onUpdate) && referenced.some((name) => fate.columns.has(name)),
  );
}

/**
 * Locks and reads every row that the cascades will reach, level by level.
 * @param locked the rows of the statement itself, which are locked already: nobody can add a row that points at them
 */
export async function imageCascades(
  context: CascadeContext,
  write: RowWrite,
  table: PostgresTable,
  locked: EngineRows,
): Promise<CascadeImage> {
  const texts = locked.map(([text]) => String(text));
  const image = { locked: new Set(texts), reached: [] as Reached[], inexact: [] as Inexact[] };
  const known = new Set<string>();
  const waiting: Group[] = [{ table, rows: texts.map(parseRecord), fate: fateOf(write) }];
  for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
    for (const reference of actingReferences(group.table, group.fate)) {
      const found = await readReached(context, group, reference, known);
      if (found === undefined) continue;
      image.inexact.push(...limitsOf(found));
      if (known.size > context.maxRows) {
        const reason = `more than ${context.maxRows} rows that foreign keys reach`;
        image.inexact.push({ table: found.table.name, fidelity: 'opaque', reason });
        return { ...image, reached: [] };
      }
      if (found.rows.length === 0) continue;
      image.reached.push(found);
      waiting.push(found);
    }
  }
  return image;
}

/** What `known` lacks of the rows that the reference leads to. */
async function readReached(
  { connection, schema }: CascadeContext,
  { table: parent, rows, fate }: Group,
  reference: PostgresReference,
  known: Set<string>,
): Promise<Reached | undefined> {
  const table = await schema.byOid(connection, reference.table);
  if (table === undefined || rows.length === 0) return undefined;
  const isDeleted = fate.isDeleted && reference.onDelete === 'cascade';
  const set = fate.isDeleted ? reference.setColumns : reference.columns;
  const positions = reference.referenced.map((name) => positionOf(parent, name));
  const keys = positions.map((position) => rows.map((row) => row[position] ?? null));
  const lock = isDeleted ? 'FOR UPDATE OF c' : 'FOR NO KEY UPDATE OF c';
  const texts = await selectByKeys(connection, table, reference.columns, keys, lock);
  const fresh = texts.filter((text) => !known.has(`${isDeleted} ${reference.table} ${text}`));
  for (const text of fresh) known.add(`${isDeleted} ${reference.table} ${text}`);
  return {
    table,
    parent,
    reference,
    texts: fresh,
    rows: fresh.map(parseRecord),
    fate: isDeleted ? { isDeleted } : { isDeleted, columns: new Set(set) },
  };
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

/** What became of the rows that were reached, once the statement has run. */
export async function settleCascades(
  { connection }: CascadeContext,
  image: CascadeImage,
  steps: readonly Step[],
  at: number,
): Promise<readonly RowChange[]> {
  const moves = [...steps];
  const rows: RowChange[] = [];
  const told = new Set<string>();
  for (const reached of image.reached) {
    const { table } = reached;
    if (table.key.length === 0) continue;
    const key = table.key.map((name) => positionOf(table, name));
    const keyOf = (raw: RawRow): string => JSON.stringify(key.map((position) => raw[position]));
    const expected = reached.rows.map((raw) => followKey(reached, raw, moves));
    const lists = key.map((position) => expected.map((raw) => raw[position] ?? null));
    const texts = await selectByKeys(connection, table, table.key, lists, '');
    const now = new Map(texts.map((text) => [keyOf(parseRecord(text)), text]));
    for (const [index, before] of reached.rows.entries()) {
      const id = `${table.oid} ${keyOf(before)}`;
      if (told.has(id)) continue;
      told.add(id);
      const text = reached.texts[index] ?? '';
      const after = now.get(keyOf(expected[index] ?? before));
      if (after === text) continue;
      if (after !== undefined)
        moves.push({ oid: table.oid, columns: table.columns, before, after: parseRecord(after) });
      rows.push({
        table,
        before: new PostgresRow(text, table.columns),
        after: after === undefined ? null : new PostgresRow(after, table.columns),
        from: null,
        to: null,
        at,
      });
    }
  }
  return rows;
}

/** The row with the columns of its foreign key as they follow the key that they point at. */
function followKey({ table, parent, reference }: Reached, raw: RawRow, moves: readonly Step[]): RawRow {
  const positions = reference.columns.map((name) => positionOf(table, name));
  const referenced = reference.referenced.map((name) => positionOf(parent, name));
  const move = moves.find(
    ({ oid, before }) =>
      oid === parent.oid && referenced.every((at, index) => before[at] === raw[positions[index] ?? -1]),
  );
  if (move === undefined) return raw;
  return raw.map((value, position) => {
    const index = positions.indexOf(position);
    return index === -1 ? value : (move.after[referenced[index] ?? -1] ?? null);
  });
}

function positionOf(table: { readonly columns: readonly { readonly name: string }[] }, name: string): number {
  return table.columns.findIndex((column) => column.name === name);
}
