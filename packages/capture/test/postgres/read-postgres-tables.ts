import { canonicalize, type JsonObject, type JsonValue, toJson } from '@indelible/core';
import type pg from 'pg';
import type { Snapshot } from '../../src/conformance/index.js';

interface TableRow {
  readonly oid: string;
  readonly name: string;
  readonly regclass: string;
  readonly isPartitioned: boolean;
  readonly key: readonly string[] | null;
  readonly columns: readonly (readonly [name: string, type: string])[] | null;
}

const TABLES = `SELECT c.oid::text, c.relname AS name, c.oid::regclass::text AS regclass, c.relkind = 'p' AS "isPartitioned",
    (SELECT json_agg(a.attname ORDER BY k.n) FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, n)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
    (SELECT json_agg(json_build_array(a.attname, format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL))
      ORDER BY a.attnum) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema|audit$)'`;

/**
 * Every table of the application that has a primary key, row by row, apart from the code under test: the database itself
 * writes the values in the form in which events tell them.
 */
export async function readPostgresTables(client: pg.Client): Promise<Snapshot> {
  const { rows: tables } = await client.query<TableRow>(TABLES);
  const snapshot = new Map<string, ReadonlyMap<string, JsonObject>>();
  for (const table of tables) {
    if (table.key !== null) snapshot.set(table.name, await readRows(client, table, table.key));
  }
  return snapshot;
}

async function readRows(
  client: pg.Client,
  table: TableRow,
  key: readonly string[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const columns = table.columns ?? [];
  const cellsOf = columns.map(([name, type]) => asJson(`t.${quote(name)}`, type));
  const { rows } = await client.query<[string]>({
    text: `SELECT ${nested(cellsOf)}::text FROM ${table.isPartitioned ? '' : 'ONLY'} ${table.regclass} t`,
    rowMode: 'array',
  });
  const byId = new Map<string, JsonObject>();
  for (const [text] of rows) {
    const cells = (JSON.parse(text) as JsonValue[][]).flat(1);
    const fields: Record<string, JsonValue> = {};
    columns.forEach(([name, type], position) => {
      fields[name] = told(cells[position] ?? null, type);
    });
    byId.set(identity(fields, key), fields);
  }
  return byId;
}

/** A function takes no more than a hundred arguments. */
function nested(cells: readonly string[]): string {
  const groups: string[] = [];
  for (let at = 0; at < cells.length; at += 50) {
    groups.push(`json_build_array(${cells.slice(at, at + 50).join(', ')})`);
  }
  return `json_build_array(${groups.join(', ')})`;
}

const INSTANT = `'YYYY-MM-DD"T"HH24:MI:SS.US'`;

/** An expression of JSON that loses nothing: what JavaScript would round is text. */
function asJson(column: string, type: string): string {
  if (type.endsWith('[]')) {
    return `(SELECT CASE WHEN ${column} IS NULL THEN NULL ELSE coalesce(json_agg(${asJson('e', type.slice(0, -2))}), '[]') END
      FROM unnest(${column}) AS e)`;
  }
  if (type === 'numeric') return `trim_scale(${column})::text`;
  if (type.startsWith('timestamp')) {
    // Other instants are told as the database writes them.
    const utc = type.startsWith('timestamp with time zone') ? `${column} AT TIME ZONE 'UTC'` : column;
    return `CASE WHEN isfinite(${column}) AND extract(year FROM ${utc}) BETWEEN 1 AND 9999
      THEN to_char(${utc}, ${INSTANT}) ELSE ${column}::text END`;
  }
  if (type === 'bytea') return `replace(encode(${column}, 'base64'), E'\\n', '')`;
  if (type === 'json' || type === 'jsonb' || type === 'boolean') return `to_json(${column})`;
  return `${column}::text`;
}

function told(value: JsonValue, type: string): JsonValue {
  if (value === null) return null;
  if (type.endsWith('[]')) {
    return Array.isArray(value) ? value.map((item) => told(item, type.slice(0, -2))) : value;
  }
  if (type === 'integer' || type === 'smallint' || type === 'real' || type === 'double precision') {
    return toJson(Number(value));
  }
  const text = String(value);
  if (type.startsWith('timestamp') && text.includes('T')) return `${text.replace(/0{1,3}$/, '')}Z`;
  return value;
}

function identity(fields: JsonObject, key: readonly string[]): string {
  const [single, second] = key;
  if (single !== undefined && second === undefined) {
    const value = fields[single] ?? null;
    return typeof value === 'string' ? value : canonicalize(value);
  }
  return canonicalize(Object.fromEntries(key.map((name) => [name, fields[name] ?? null])));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
