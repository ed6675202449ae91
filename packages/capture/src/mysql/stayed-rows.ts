import type { Inexact } from '../dialect.js';
import type { SchemaView } from './cascades.js';
import { type MysqlTable, positionOf } from './mysql-table.js';
import { keyOf, keyText } from './noted-rows.js';
import { type RawRow, sameBytes } from './row-image.js';
import { selectByKeys } from './select-by-keys.js';
import type { OwnRow } from './settle-rows.js';

/**
 * Which rows stay where they were although an UPDATE IGNORE has assigned them another key: it passes over a row whose key is
 * taken, and tells nobody. Such a row is still there, as it was.
 */
export async function findStayed(
  view: SchemaView,
  own: readonly OwnRow[],
): Promise<{ readonly rows: readonly OwnRow[]; readonly unclear: readonly Inexact[] }> {
  const rows: OwnRow[] = [];
  const unclear: Inexact[] = [];
  for (const table of new Set(own.map((row) => row.table))) {
    const all = own.filter((row) => row.table === table);
    const keys = all.flatMap(({ before }) => (before === null ? [] : [keyValues(table, before)]));
    const found = await selectByKeys(view.connection, table, table.key, keys, view.maxBytes);
    const there = new Map(found.flatMap((row) => (row === undefined ? [] : [[keyOf(table, row), row]])));
    const settled = all.map((row): OwnRow => {
      const { before } = row;
      const now = before === null ? undefined : there.get(keyOf(table, before));
      if (before === null || now === undefined || !isSame(before, now)) return row;
      return { ...row, nextKey: undefined };
    });
    const ends = settled.map(({ before, nextKey }) => keyText(nextKey ?? keyValues(table, before ?? [])));
    if (new Set(ends).size === ends.length) {
      rows.push(...settled);
      continue;
    }
    // One has come to where an equal one was.
    const reason = `rows of "${table.name.name}" of which an UPDATE IGNORE has moved some to where equal ones were`;
    unclear.push({ table: table.name, fidelity: 'opaque', count: settled.length, reason });
  }
  return { rows, unclear };
}

function keyValues(table: MysqlTable, row: RawRow): RawRow {
  return table.key.map((name) => row[positionOf(table, name)] ?? null);
}

function isSame(one: RawRow, two: RawRow): boolean {
  return one.every((value, at) => sameBytes(value, two[at] ?? null));
}
