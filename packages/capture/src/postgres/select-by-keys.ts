import type { CaptureConnection } from '../dialect.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { quoteIdentifier, quoteTable } from './quote-identifier.js';
import { rowExpression } from './rewrite-write.js';

/** A row by the texts of its values, in the order of its table's columns. */
export type RawRow = readonly (string | null)[];

/**
 * The rows of which the columns have one of the values, as record texts.
 * @param keys a list of values, as text, for each of the columns
 * @param lock what stands at the statement's end; the table is called c
 */
export async function selectByKeys(
  connection: CaptureConnection,
  table: PostgresTable,
  columns: readonly string[],
  keys: readonly RawRow[],
  lock: string,
): Promise<readonly string[]> {
  const lists = keys.map((_, position) => `$${position + 1}::text[]`).join(', ');
  const names = keys.map((_, position) => `k${position}`).join(', ');
  const conditions = columns.map((name, position) => {
    const type = table.columns.find((column) => column.name === name)?.castType ?? 'text';
    return `c.${quoteIdentifier(name)} = k.k${position}::${type}`;
  });
  const rows = await connection.query(
    `SELECT ${rowExpression('c', table)} FROM ${quoteTable(table.relation)} c
     JOIN ROWS FROM (unnest(${lists})) AS k(${names}) ON ${conditions.join(' AND ')} ${lock}`,
    keys.map(arrayText),
  );
  return [...new Set(rows.map(([text]) => String(text)))];
}

function arrayText(values: RawRow): string {
  const items = values.map((value) =>
    value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${items.join(',')}}`;
}
