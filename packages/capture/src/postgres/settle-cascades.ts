import type { Inexact } from '../dialect.js';
import { actingReferences, type CascadeImage } from './cascades.js';
import type { PostgresReference, PostgresTable } from './postgres-catalogue.js';
import { PostgresRow } from './postgres-row.js';
import { parseRecord } from './record-text.js';
import type { PostgresChange } from './recorders.js';
import { ownKey, positionOf, type RawRow, selectByKeys, type TableReader } from './select-by-keys.js';

/** A row that the statement itself touched, as record texts. */
export interface OwnRow {
  readonly table: PostgresTable;
  readonly before: string;
  readonly after: string | null;
  readonly at: number;
  /** Where the row stands, for tables without a key. */
  readonly place: string | null;
}

/** A row that the statement or a foreign key touches. */
interface Tracked {
  readonly table: PostgresTable;
  readonly before: string;
  readonly at: number;
  readonly place: string | null;
  /** As the statement itself left it; undefined where it did not touch it. */
  readonly own: string | null | undefined;
  /** As the foreign keys should leave it; null: deleted. */
  now: RawRow | null;
  /** A foreign key may have touched it. */
  isReached: boolean;
}

/**
 * What became of all rows that the statement touched and of those that were reached, once it has run. The keys under which
 * rows are found again follow from what the foreign keys do.
 *
 * @param at when, where nothing else tells it
 */
export async function settleCascades(
  view: TableReader,
  image: Pick<CascadeImage, 'reached'>,
  own: readonly OwnRow[],
  at: number,
): Promise<{ readonly rows: readonly PostgresChange[]; readonly inexact: readonly Inexact[] }> {
  const followed = new FollowedRows();
  for (const row of own) followed.addOwn(row);
  for (const reached of image.reached) {
    for (const text of reached.texts) followed.addReached(reached.table, text, at);
  }
  followed.carryOn();
  const rows: PostgresChange[] = [];
  const inexact: Inexact[] = [];
  for (const [owner, tracked] of followed.byTable()) {
    const unsure = tracked.filter(({ isReached }) => isReached);
    const found = owner.key.length === 0 ? undefined : await findAgain(view, owner, unsure);
    for (const row of tracked) {
      let after = row.own ?? null;
      // A row without a key can not be found again, and is marked already.
      if (row.isReached && found === undefined && row.own === undefined) continue;
      if (row.isReached && found !== undefined) {
        const known = found(row);
        if (known === undefined && row.now !== null) {
          const reason = `a row of "${owner.name.name}" that could not be found again behind a foreign key`;
          inexact.push({ table: owner.name, fidelity: 'opaque', count: 1, reason });
          continue;
        }
        after = known ?? null;
      }
      if (after !== row.before) rows.push(toChange(row, after));
    }
  }
  return { rows, inexact };
}

/** Reads the rows anew. The answer gives the text of one, or undefined where it is not there. */
async function findAgain(
  view: TableReader,
  table: PostgresTable,
  rows: readonly Tracked[],
): Promise<(row: Tracked) => string | undefined> {
  const raws = rows.map(({ now, before }) => now ?? parseRecord(before));
  const found = raws.length === 0 ? undefined : await selectByKeys(view, table, ownKey(table, raws), '');
  const texts = found?.texts ?? [];
  const byKey = new Map(texts.map((text) => [keyOf(table, parseRecord(text)), text]));
  const taken = new Set(rows.flatMap(({ now }) => (now === null ? [] : [keyOf(table, now)])));
  return ({ now, before }) => {
    if (now !== null) return byKey.get(keyOf(table, now));
    // A trigger may have kept it, unless another row stands under its key now.
    const key = keyOf(table, parseRecord(before));
    return taken.has(key) ? undefined : byKey.get(key);
  };
}

function toChange({ table, before, at, place }: Tracked, after: string | null): PostgresChange {
  return {
    table,
    before: new PostgresRow(before, table.columns),
    after: after === null ? null : new PostgresRow(after, table.columns),
    from: place,
    to: place,
    at,
  };
}

/** The rows as the foreign keys leave them, step by step as the database goes. */
class FollowedRows {
  readonly #rows = new Map<string, Tracked>();
  readonly #byTable = new Map<string, Tracked[]>();
  readonly #indexes = new Map<string, PointerIndex>();

  addOwn({ table, before, after, at, place }: OwnRow): void {
    // Without a key two rows may look the same.
    const id = table.key.length === 0 ? `own ${this.#rows.size}` : idOf(table, parseRecord(before));
    const now = after === null ? null : parseRecord(after);
    this.#add(id, { table, before, at, place, own: after, now, isReached: false });
  }

  addReached(table: PostgresTable, before: string, at: number): void {
    const raw = parseRecord(before);
    const id = idOf(table, raw);
    const known = this.#rows.get(id);
    if (known === undefined) {
      this.#add(id, { table, before, at, place: null, own: undefined, now: raw, isReached: true });
    } else {
      known.isReached ||= known.own !== null;
    }
  }

  #add(id: string, row: Tracked): void {
    this.#rows.set(id, row);
    const siblings = this.#byTable.get(row.table.oid) ?? [];
    siblings.push(row);
    this.#byTable.set(row.table.oid, siblings);
  }

  *byTable(): Iterable<readonly [PostgresTable, readonly Tracked[]]> {
    for (const rows of this.#byTable.values()) {
      const [first] = rows;
      if (first !== undefined) yield [first.table, rows];
    }
  }

  /** Lets the foreign keys act on what the statement itself did, in its order. */
  carryOn(): void {
    const moved = [...this.#rows.values()].filter(({ own }) => own !== undefined);
    for (const row of moved) {
      this.#carry(row.table, parseRecord(row.before), row.own === null ? null : parseRecord(row.own ?? ''));
    }
  }

  #carry(table: PostgresTable, before: RawRow, after: RawRow | null): void {
    const changed = table.columns.filter((_, at) => after !== null && before[at] !== after[at]);
    const fate =
      after === null
        ? ({ isDeleted: true } as const)
        : ({ isDeleted: false, columns: new Set(changed.map(({ name }) => name)) } as const);
    if (!fate.isDeleted && fate.columns.size === 0) return;
    for (const reference of actingReferences(table, fate)) {
      const values = reference.referenced.map((name) => before[positionOf(table, name)] ?? null);
      if (values.includes(null)) continue;
      const next = reference.referenced.map((name) => after?.[positionOf(table, name)] ?? null);
      for (const row of this.#pointingAt(reference, values))
        this.#follow(row, reference, next, after === null);
    }
  }

  #follow(row: Tracked, reference: PostgresReference, next: RawRow, isDeleted: boolean): void {
    const { now, table } = row;
    if (now === null) return;
    row.isReached = true;
    const action = isDeleted ? reference.onDelete : reference.onUpdate;
    if (isDeleted && action === 'cascade') {
      row.now = null;
    } else {
      const set = isDeleted ? reference.setColumns : reference.columns;
      row.now = now.map((value, position) => {
        const name = table.columns[position]?.name ?? '';
        if (!set.includes(name)) return value;
        // The default that SET DEFAULT sets is not known: who points at that row is not followed any further.
        return action === 'cascade' ? (next[reference.columns.indexOf(name)] ?? null) : null;
      });
      this.#note(row);
    }
    this.#carry(table, now, row.now);
  }

  #pointingAt(reference: PostgresReference, values: RawRow): readonly Tracked[] {
    const wanted = JSON.stringify(values);
    const found = this.#indexOf(reference).rows.get(wanted) ?? [];
    // An index keeps what once was.
    return [...found].filter((row) => row.now !== null && pointer(reference, row) === wanted);
  }

  #indexOf(reference: PostgresReference): PointerIndex {
    const name = JSON.stringify([reference.table, reference.columns]);
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    const index: PointerIndex = { reference, rows: new Map() };
    this.#indexes.set(name, index);
    for (const row of this.#rows.values()) noteIn(index, row);
    return index;
  }

  #note(row: Tracked): void {
    for (const index of this.#indexes.values()) noteIn(index, row);
  }
}

/** The rows that once pointed somewhere, by where. */
interface PointerIndex {
  readonly reference: PostgresReference;
  readonly rows: Map<string, Set<Tracked>>;
}

function noteIn({ reference, rows }: PointerIndex, row: Tracked): void {
  if (!isOf(reference, row) || row.now === null) return;
  const value = pointer(reference, row);
  const found = rows.get(value) ?? new Set();
  found.add(row);
  rows.set(value, found);
}

function isOf(reference: PostgresReference, { table }: Tracked): boolean {
  return table.oid === reference.table || table.root === reference.table;
}

function pointer(reference: PostgresReference, { table, now }: Tracked): string {
  return JSON.stringify(reference.columns.map((name) => now?.[positionOf(table, name)] ?? null));
}

function idOf(table: PostgresTable, raw: RawRow): string {
  return `${table.root} ${table.key.length === 0 ? JSON.stringify(raw) : keyOf(table, raw)}`;
}

function keyOf(table: PostgresTable, raw: RawRow): string {
  return JSON.stringify(table.key.map((name) => raw[positionOf(table, name)]));
}
