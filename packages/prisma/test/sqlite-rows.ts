import type { Snapshot } from '@indelible/capture/conformance';
import type { JsonValue } from '@indelible/core';
import { type DomainReader, type DomainTables, readSnapshot } from './domain-rows.js';
import type { RawDatabase } from './sqlite-libraries.js';

const convert: DomainReader['convert'] = {
  text: String,
  whole: Number,
  boolean: (value) => Number(value) === 1,
  decimal: (value) => String(Number(value)),
  json: (value) => JSON.parse(String(value)) as JsonValue,
  bytes: (value) => Buffer.from(value as Uint8Array).toString('base64'),
  instant: (value) => new Date(String(value)).toISOString(),
};

/** All tables, read with raw SQL on a connection of its own. */
export function readSqliteSnapshot(
  raw: RawDatabase,
  links?: DomainTables,
  own: Partial<DomainReader['convert']> = {},
): Promise<Snapshot> {
  const reader: DomainReader = {
    convert: { ...convert, ...own },
    rows: async (table, columns) => {
      // A 64-bit integer would come as a number that is rounded.
      const selected = columns.map(({ name }) =>
        name === 'visits' ? `CAST("${name}" AS TEXT)` : `"${name}"`,
      );
      return raw
        .prepare(`SELECT ${selected.join(', ')} FROM "${table}"`)
        .raw()
        .all() as unknown[][];
    },
  };
  return readSnapshot(reader, links);
}
