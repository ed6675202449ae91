import type { EngineRows } from '../dialect.js';
import { findColumn, type MysqlTable, positionOf } from './mysql-table.js';
import { quoteIdentifier } from './mysql-tokens.js';
import { keyOf, keyText } from './noted-rows.js';
import type { PlanRequest } from './plan-write.js';
import { ReturnedColumn } from './rewrite-write.js';
import { bytesOf, imageExpression, type RawRow, readImage } from './row-image.js';

/** The rows that a REPLACE deletes. */
export interface Replaced {
  readonly rows: readonly RawRow[];
  /**
   * How many rows the statement has deleted.
   * @param returned the rows that it has inserted
   */
  count(returned: EngineRows): number;
}

/**
 * Locks and reads the rows that stand in the way of new ones, by each unique key. Where none does, under REPEATABLE READ, that
 * locks the gap: of two transactions that replace rows which are not there yet, next to one another, one can be the victim of
 * a deadlock.
 *
 * @returns undefined where they can not be told
 */
export async function readReplaced(request: PlanRequest): Promise<Replaced | undefined> {
  const { view, sql, write, targets, ask } = request;
  const [table, values] = [targets[0]?.table, write.values];
  if (table === undefined || values === null || values.length === 0 || table.hasHiddenUniqueKey)
    return undefined;
  const listed = (write.listed ?? table.columns.map(({ name }) => name)).map(
    (name) => findColumn(table, name)?.name,
  );
  if (listed.includes(undefined) || values.some((row) => row.length !== listed.length)) return undefined;
  const texts = values.map((row) => row.map(({ start, end }) => sql.slice(start, end)));
  if (texts.flat().some((text) => /^\s*default\s*$/i.test(text))) return undefined;
  const given = texts
    .map((row) => `SELECT ${row.map((text, at) => `${text} AS c${at}`).join(', ')}`)
    .join(' UNION ALL ');
  const image = imageExpression('t', table, view.maxBytes / 4);
  const found = new Map<string, RawRow>();
  for (const key of table.uniqueKeys) {
    const conditions = key.map((name) => conditionOf(table, listed, name));
    if (conditions.some((condition) => condition === null)) continue;
    if (conditions.includes(undefined)) return undefined;
    const select = `SELECT STRAIGHT_JOIN ${image} FROM (${given}) AS n JOIN ${table.sqlName} AS t ON ${conditions.join(' AND ')} FOR UPDATE`;
    for (const [value] of await ask(select)) {
      const row = readImage(value, table);
      if (row === undefined) return undefined;
      found.set(keyOf(table, row), row);
    }
  }
  const rows = [...found.values()];
  return { rows, count: (returned) => countDeleted(table, rows, returned) };
}

/** @returns null where no row can be in the way by this column; undefined where that can not be said */
function conditionOf(
  table: MysqlTable,
  listed: readonly (string | undefined)[],
  name: string,
): string | null | undefined {
  const at = listed.indexOf(name);
  if (at !== -1) return `t.${quoteIdentifier(name)} = n.c${at}`;
  const column = findColumn(table, name);
  if (column?.isAutoIncrement === true) return null;
  if (column === undefined || column.isGenerated) return undefined;
  return `t.${quoteIdentifier(name)} = DEFAULT(t.${quoteIdentifier(name)})`;
}

function countDeleted(table: MysqlTable, replaced: readonly RawRow[], returned: EngineRows): number {
  const rows = returned
    .map((row) => readImage(row[ReturnedColumn.image], table))
    .filter((row) => row !== undefined);
  const again = rows.length - finalRows(table, returned).length;
  const isPlain = table.referencedBy.length === 0 && table.triggers.every(({ event }) => event !== 'delete');
  // The server leaves an equal row where it is, if nobody would notice.
  const equal = isPlain
    ? replaced.filter((old) => rows.some((row) => keyText(row) === keyText(old))).length
    : 0;
  return replaced.length + again - equal;
}

/** Of the rows that a REPLACE has inserted those that no later one has replaced again. */
export function finalRows(table: MysqlTable, returned: EngineRows): EngineRows {
  const last = new Map<string, number>();
  const keysOf = (row: EngineRows[number]): string[] => {
    const raw = readImage(bytesOf(row[ReturnedColumn.image]), table);
    return table.uniqueKeys.flatMap((key, at) => {
      const values = key.map((name) => raw?.[positionOf(table, name)] ?? null);
      return values.includes(null) ? [] : [`${at} ${keyText(values)}`];
    });
  };
  for (const [at, row] of returned.entries()) for (const key of keysOf(row)) last.set(key, at);
  return returned.filter((row, at) => keysOf(row).every((key) => last.get(key) === at));
}
