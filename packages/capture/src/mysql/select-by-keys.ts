import type { CaptureConnection, SqlValue } from '../dialect.js';
import { type MysqlColumn, type MysqlTable, positionOf } from './mysql-table.js';
import { quoteIdentifier } from './mysql-tokens.js';
import { imageExpression, type RawRow, readImage } from './row-image.js';

/** A statement takes 65,535 parameters at most. */
const MAX_PARAMETERS = 40_000;

/** Locks and reads the rows whose columns have one of the combinations of values. Every read of ours locks: a plain one would
 * make the snapshot of the caller's transaction. */
export async function selectByKeys(
  connection: CaptureConnection,
  table: MysqlTable,
  columns: readonly string[],
  values: readonly RawRow[],
  maxBytes: number,
): Promise<readonly (RawRow | undefined)[]> {
  const whole = values.filter((row) => row.every((value) => value !== null));
  const rows: (RawRow | undefined)[] = [];
  const image = imageExpression('t', table, maxBytes / 4);
  const known = columns.flatMap((name) => table.columns[positionOf(table, name)] ?? []);
  const names = columns.map((name) => `t.${quoteIdentifier(name)}`);
  const step = Math.max(1, Math.floor(MAX_PARAMETERS / Math.max(1, columns.length)));
  for (let from = 0; from < whole.length; from += step) {
    const params: SqlValue[] = [];
    const tuples = whole.slice(from, from + step).map((row) => {
      const items = row.map((value, at) => item(value ?? Buffer.alloc(0), known[at], params));
      return items.length === 1 ? items[0] : `(${items.join(',')})`;
    });
    const left = names.length === 1 ? names[0] : `(${names.join(',')})`;
    const sql = `SELECT ${image} FROM ${table.sqlName} AS t WHERE ${left} IN (${tuples.join(',')}) FOR UPDATE`;
    for (const [value] of await connection.query(sql, params)) rows.push(readImage(value, table));
  }
  return rows;
}

/** A value in a statement, of the type of its column, so that an index finds it. */
function item(value: Buffer, column: MysqlColumn | undefined, params: SqlValue[]): string {
  const text = value.toString('latin1');
  switch (column?.form) {
    case 'integer':
    case 'decimal':
      return /^-?[0-9]+(?:\.[0-9]+)?$/.test(text) ? text : 'NULL';
    case 'double':
    case 'single':
      return /^-?[0-9.]+(?:e[+-]?[0-9]+)?$/i.test(text) ? `${/e/i.test(text) ? text : `${text}e0`}` : 'NULL';
    case 'instant':
      return /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? `FROM_UNIXTIME(${text})` : 'NULL';
    case 'bytes':
      params.push(value);
      return '?';
    default:
      params.push(value.toString('utf8'));
      return '?';
  }
}
