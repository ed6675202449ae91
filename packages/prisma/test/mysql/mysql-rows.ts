import type { Snapshot } from '@indelible/capture/conformance';
import type { JsonValue } from '@indelible/core';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type DomainReader, type DomainTables, readSnapshot } from '../domain-rows.js';

/** From the text that the server itself gives each value. */
const convert: DomainReader['convert'] = {
  text: String,
  whole: Number,
  boolean: (value) => value === '1',
  decimal: (value) => String(Number(value)),
  json: (value) => JSON.parse(String(value)) as JsonValue,
  bytes: (value) => Buffer.from(String(value), 'hex').toString('base64'),
  instant: (value) => new Date(`${String(value).replace(' ', 'T')}Z`).toISOString(),
};

/** All tables, read with raw SQL on a connection of its own. */
export function readMysqlSnapshot(connection: Connection, links?: DomainTables): Promise<Snapshot> {
  const reader: DomainReader = {
    convert,
    rows: async (table, columns) => {
      const selected = columns.map(({ name, kind }) =>
        kind === 'bytes' ? `HEX(\`${name}\`)` : `CAST(\`${name}\` AS CHAR)`,
      );
      const sql = `SELECT ${selected.join(', ')} FROM \`${table}\``;
      const [rows] = await connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true });
      return rows;
    },
  };
  return readSnapshot(reader, links);
}
