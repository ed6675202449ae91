import { canonicalize, type JsonObject, type JsonValue } from '@indelible/core';
import type Database from 'libsql';
import type { Snapshot } from '../src/conformance/index.js';

const OWN = /^(?:audit_|sqlite_)/;

/** Every table of the application, row by row, apart from the code under test: values by declared type. */
export function readTables(database: Database.Database): Snapshot {
  const tables = database
    .prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    .raw()
    .all() as [string, number][];
  const snapshot = new Map<string, Map<string, JsonObject>>();
  for (const [table, isWithoutRowid] of tables) {
    if (!OWN.test(table)) snapshot.set(table, readRows(database, table, Number(isWithoutRowid) === 0));
  }
  return snapshot;
}

function readRows(database: Database.Database, table: string, hasRowid: boolean): Map<string, JsonObject> {
  const columns = database
    .prepare('SELECT name, type, pk FROM pragma_table_xinfo(?) ORDER BY cid')
    .raw()
    .all(table) as [string, string, number][];
  const key = columns
    .filter(([, , position]) => Number(position) > 0)
    .sort((left, right) => Number(left[2]) - Number(right[2]))
    .map(([name]) => name);
  const rows = database
    .prepare(`SELECT *${hasRowid ? ', rowid' : ''} FROM ${quote(table)}`)
    .safeIntegers(true)
    .raw()
    .all() as unknown[][];
  const byId = new Map<string, JsonObject>();
  for (const row of rows) {
    const fields: Record<string, JsonValue> = {};
    columns.forEach(([name, type], position) => {
      fields[name] = told(row[position], type);
    });
    const isKeyless = key.length === 0 || key.some((name) => fields[name] === null);
    byId.set(isKeyless ? `row:${row[columns.length]}` : identity(fields, key), fields);
  }
  return byId;
}

function identity(fields: JsonObject, key: readonly string[]): string {
  const [single, second] = key;
  if (single !== undefined && second === undefined) {
    const value = fields[single] ?? null;
    return typeof value === 'string' ? value : canonicalize(value);
  }
  return canonicalize(Object.fromEntries(key.map((name) => [name, fields[name] ?? null])));
}

/** The tests' tables have columns of INTEGER, REAL, TEXT and BLOB, and some of no type. */
function told(value: unknown, type: string): JsonValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value !== 'bigint' && typeof value !== 'number') return String(value);
  if (!/INT|REAL/i.test(type)) return String(value);
  const number = Number(value);
  return typeof value === 'bigint' && !Number.isSafeInteger(number) ? String(value) : number;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
