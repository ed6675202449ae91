import type { EngineRows, Inexact } from '../dialect.js';
import type { PostgresTable } from './postgres-table.js';
import { parseRecord } from './record-text.js';
import { EngineColumn } from './rewrite-write.js';
import { ownKey, positionOf, type RawRow, selectByKeys, type TableReader } from './select-by-keys.js';

/**
 * Whether a key that is checked late still tells rows apart: until then two rows may stand under it, and one statement may
 * let rows exchange theirs. One after the other nobody can tell that.
 */
export async function findLateKeys(
  reader: TableReader,
  table: PostgresTable,
  rows: EngineRows,
): Promise<readonly Inexact[]> {
  if (!table.isKeyLate) return [];
  const images = [EngineColumn.old, EngineColumn.new].map((column) =>
    rows.map((row) => {
      const text = row[column];
      return typeof text === 'string' ? text : null;
    }),
  );
  const [before = [], after = []] = images.map((texts) =>
    texts.map((text) => (text === null ? null : parseRecord(text))),
  );
  const raws = [...before, ...after].filter((raw) => raw !== null);
  const unique = [...new Map(raws.map((raw) => [keyOf(table, raw), raw])).values()];
  const found = await selectByKeys(reader, table, ownKey(table, unique), '');
  // Two rows may be alike in all that they hold.
  const isTwice =
    found.texts.length !== new Set(images[1]?.filter((text) => text !== null)).size ||
    found.count !== found.texts.length;
  if (!isTwice && !hasExchange(table, before, after)) return [];
  const reason = `the key of "${table.name.name}", which is checked late: two rows stand under one, or rows have exchanged theirs`;
  return [{ table: table.name, fidelity: 'opaque', reason }];
}

function hasExchange(
  table: PostgresTable,
  before: readonly (RawRow | null)[],
  after: readonly (RawRow | null)[],
): boolean {
  const moves = new Map<string, string>();
  for (const [at, old] of before.entries()) {
    const now = after[at] ?? null;
    if (old !== null && now !== null && keyOf(table, old) !== keyOf(table, now)) {
      moves.set(keyOf(table, old), keyOf(table, now));
    }
  }
  const done = new Set<string>();
  for (const start of moves.keys()) {
    const path = new Set<string>();
    for (let key: string | undefined = start; key !== undefined && !done.has(key); key = moves.get(key)) {
      if (path.has(key)) return true;
      path.add(key);
    }
    for (const key of path) done.add(key);
  }
  return false;
}

function keyOf(table: PostgresTable, raw: RawRow): string {
  return JSON.stringify(table.key.map((name) => raw[positionOf(table, name)]));
}
