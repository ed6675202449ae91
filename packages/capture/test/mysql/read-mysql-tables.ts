import { canonicalize, type JsonObject, type JsonValue, toJson } from '@indelible/core';
import type { RawConnection } from '../../../mysql/test/raw-connection.js';
import type { Snapshot } from '../../src/conformance/index.js';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isJson: boolean;
}

/** Every table of the application, row by row, apart from the code under test, with values in the form in which events tell them. */
export async function readMysqlTables({ all }: RawConnection): Promise<Snapshot> {
  const columns = new Map<string, Column[]>();
  const keys = new Map<string, string[]>();
  const found = await all(
    `SELECT c.TABLE_NAME AS t, c.COLUMN_NAME AS c, c.DATA_TYPE AS d, c.COLUMN_KEY AS k, EXISTS (SELECT 1
        FROM information_schema.CHECK_CONSTRAINTS x WHERE x.CONSTRAINT_SCHEMA = c.TABLE_SCHEMA AND x.TABLE_NAME = c.TABLE_NAME
          AND x.CHECK_CLAUSE = CONCAT('json_valid(\`', c.COLUMN_NAME, '\`)')) AS j
      FROM information_schema.COLUMNS c WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME NOT LIKE 'audit\\_%'
      ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
  );
  for (const row of found) {
    const [table, name] = [String(row.t), String(row.c)];
    columns.set(table, [
      ...(columns.get(table) ?? []),
      { name, type: String(row.d), isJson: Number(row.j) === 1 },
    ]);
    if (row.k === 'PRI') keys.set(table, [...(keys.get(table) ?? []), name]);
  }
  const snapshot = new Map<string, Map<string, JsonObject>>();
  for (const [table, own] of columns) {
    const rows = await all(`SELECT * FROM ${table}`);
    const byId = new Map<string, JsonObject>();
    for (const row of rows) {
      const fields = Object.fromEntries(own.map((column) => [column.name, told(row[column.name], column)]));
      byId.set(identity(fields, keys.get(table) ?? []), fields);
    }
    snapshot.set(table, byId);
  }
  return snapshot;
}

function told(value: unknown, { type, isJson }: Column): JsonValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  // The driver has parsed it already.
  if (isJson) return toJson(value);
  const text = String(value);
  if (type === 'int') return Number(text);
  if (type === 'decimal') return text.replace(/\.?0+$/, '');
  if (type === 'datetime') {
    const [day, time = ''] = text.split(' ');
    const [seconds = '', fraction = ''] = time.split('.');
    return `${day}T${seconds}.${fraction.replace(/0+$/, '').padEnd(3, '0')}Z`;
  }
  return text;
}

function identity(fields: JsonObject, key: readonly string[]): string {
  const [single, second] = key;
  if (single !== undefined && second === undefined) {
    const value = fields[single] ?? null;
    return typeof value === 'string' ? value : canonicalize(value);
  }
  return canonicalize(Object.fromEntries(key.map((name) => [name, fields[name] ?? null])));
}
