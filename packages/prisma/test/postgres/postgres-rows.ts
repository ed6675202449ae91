import type { Snapshot } from '@indelible/capture/conformance';
import type { JsonValue } from '@indelible/core';
import type pg from 'pg';
import { type DomainReader, type DomainTables, readSnapshot } from '../domain-rows.js';

/** From the text that PostgreSQL itself gives each value. */
const convert: DomainReader['convert'] = {
  text: String,
  whole: Number,
  boolean: (value) => value === 'true',
  decimal: (value) => String(Number(value)),
  json: (value) => JSON.parse(String(value)) as JsonValue,
  bytes: (value) => Buffer.from(String(value).replace('\\x', ''), 'hex').toString('base64'),
  instant: (value) => new Date(`${String(value).replace(' ', 'T')}Z`).toISOString(),
};

/** All tables, read with raw SQL on a connection of its own. */
export function readPostgresSnapshot(client: pg.Client, links?: DomainTables): Promise<Snapshot> {
  const reader: DomainReader = {
    convert,
    rows: async (table, columns) => {
      const selected = columns.map(({ name }) => `"${name}"::text`).join(', ');
      const text = `SELECT ${selected} FROM "${table}"`;
      return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
    },
  };
  return readSnapshot(reader, links);
}
