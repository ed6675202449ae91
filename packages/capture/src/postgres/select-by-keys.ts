import type { CaptureConnection } from '../dialect.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { quoteIdentifier, quoteTable } from './quote-identifier.js';
import { type ImageLimits, readImage, rowExpression } from './row-image.js';

/** A row by the texts of its values, in the order of its table's columns. */
export type RawRow = readonly (string | null)[];

export interface KeyColumn {
  readonly name: string;
  /** Of the values: that of the column, or, of a foreign key, that of the column which it points at. */
  readonly type: string;
  readonly values: RawRow;
}

/** A connection, and what of a table's rows it leaves on the server. */
export interface TableReader {
  readonly connection: CaptureConnection;
  readonly imagesOf: (table: PostgresTable) => ImageLimits | undefined;
}

/**
 * The rows of which the columns have one of the values, as record texts.
 * @param rest what stands at the statement's end; the table is called c
 * @param limit with more rows `isCut` is true
 */
export async function selectByKeys(
  { connection, imagesOf }: TableReader,
  table: PostgresTable,
  columns: readonly KeyColumn[],
  rest: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<{ readonly texts: readonly string[]; readonly count: number; readonly isCut: boolean }> {
  const lists = columns.map((_, position) => `$${position + 1}::text[]`).join(', ');
  const names = columns.map((_, position) => `k${position}`).join(', ');
  const conditions = columns.map(
    ({ name, type }, position) => `c.${quoteIdentifier(name)} = k.k${position}::${type}`,
  );
  const rows = await connection.query(
    `SELECT ${rowExpression('c', table, imagesOf(table))} AS found FROM ${quoteTable(table.relation)} c
     JOIN ROWS FROM (unnest(${lists})) AS k(${names}) ON ${conditions.join(' AND ')} ${rest}`,
    columns.map(({ values }) => arrayText(values)),
  );
  return {
    texts: [...new Set(rows.map(([text]) => readImage(table, text) ?? ''))],
    // Of values that are given twice a row comes twice.
    count: rows.length,
    isCut: rows.length > limit,
  };
}

/** The columns of the table's own key. */
export function ownKey(table: PostgresTable, rows: readonly RawRow[]): readonly KeyColumn[] {
  return table.key.map((name) => {
    const position = positionOf(table, name);
    const type = table.columns[position]?.castType ?? 'text';
    return { name, type, values: rows.map((row) => row[position] ?? null) };
  });
}

export function positionOf(
  table: { readonly columns: readonly { readonly name: string }[] },
  name: string,
): number {
  return table.columns.findIndex((column) => column.name === name);
}

function arrayText(values: RawRow): string {
  const items = values.map((value) =>
    value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${items.join(',')}}`;
}
