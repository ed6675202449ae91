import type { RowChange, RowImage, StoredValue, TableInfo } from './dialect.js';

/**
 * Puts the changes of one statement in an order in which they can be told one after the other: a row gives up its key
 * before another one takes it.
 */
export function orderChanges(changes: readonly RowChange[]): RowChange[] {
  if (keepAllKeys(changes)) return [...changes];
  const numbers = new Map<TableInfo, number>();
  const key = (change: RowChange, row: RowImage | null, place: string | null): string | undefined => {
    if (row === null) return undefined;
    const number = numbers.get(change.table) ?? numbers.size;
    numbers.set(change.table, number);
    return `${number} ${keyText(change.table, row, place)}`;
  };
  const leaving = new Map<string, RowChange>();
  for (const change of changes) {
    const old = key(change, change.before, change.from);
    if (old !== undefined) leaving.set(old, change);
  }
  const ordered = new Set<RowChange>();
  for (const change of changes) {
    const chain = new Set<RowChange>();
    for (let next: RowChange | undefined = change; next !== undefined && !ordered.has(next); ) {
      if (chain.has(next)) break;
      chain.add(next);
      const taken = key(next, next.after, next.to);
      next = taken === undefined ? undefined : leaving.get(taken);
    }
    for (const link of [...chain].reverse()) ordered.add(link);
  }
  return [...ordered];
}

/** The changes of one statement's writes in the order of the database's clock, as far as they can be told so. */
export function inOneOrder(changes: readonly RowChange[]): RowChange[] {
  const isSorted = changes.every((change, at) => at === 0 || (changes[at - 1]?.at ?? 0) <= (change.at ?? 0));
  return orderChanges(isSorted ? changes : changes.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0)));
}

/** Most statements give up no key and take none: their rows may be told in any order. */
function keepAllKeys(changes: readonly RowChange[]): boolean {
  const positions = new Map<TableInfo, readonly number[]>();
  return changes.every(({ table, before, after, from, to }) => {
    if (before === null || after === null) return false;
    if (table.key.length === 0) return from === to;
    let key = positions.get(table);
    if (key === undefined) {
      key = table.key.map((name) => table.columns.findIndex((column) => column.name === name));
      positions.set(table, key);
    }
    return key.every((position) => before.equals(after, position));
  });
}

function keyText(table: TableInfo, row: RowImage, place: string | null): string {
  if (table.key.length === 0) return place ?? '';
  const parts = table.key.map((name) =>
    valueText(row.value(table.columns.findIndex((column) => column.name === name))),
  );
  return JSON.stringify(parts);
}

function valueText(value: StoredValue): string {
  if (value.type === 'null') return value.type;
  if (value.type === 'list') return JSON.stringify(value.items.map(valueText));
  if (value.type === 'digest') return `${value.type} ${value.sha256}`;
  return `${value.type} ${value.type === 'bytes' ? Buffer.from(value.bytes).toString('hex') : value.text}`;
}
