import { join } from 'node:path';
import { createSealBatch } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSqliteStore } from '../src/sqlite-store.js';
import { LOG, makeEvents } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

/** A page has 500 rows: behind its last one a second row of the same id or index would be passed over. */
const COUNT = 600;

let directory = '';
let file = '';
beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

async function count(batches: AsyncIterable<readonly unknown[]>): Promise<number> {
  let rows = 0;
  for await (const batch of batches) rows += batch.length;
  return rows;
}

/** Takes the keys of a table away, as its owner can, and puts a second row beside the last one of the first page. */
function double(table: string, key: string): void {
  const raw = openLibsql(file);
  raw.exec(`CREATE TABLE loose AS SELECT * FROM ${table}; DROP TABLE ${table};
    INSERT INTO loose SELECT * FROM loose ORDER BY ${key} LIMIT 1 OFFSET 499; ALTER TABLE loose RENAME TO ${table}`);
  raw.close();
}

test.each([
  ['audit_event', 'id'],
  ['audit_entry', 'idx'],
])('every row is read where %s has one of them twice', async (table, key) => {
  const store = createSqliteStore({ file });
  await store.migrate();
  await store.append(makeEvents(1, 0, COUNT));
  await store.seal({ log: LOG, limit: COUNT, compute: createSealBatch() });
  expect(await count(store.entries(LOG))).toBe(COUNT);
  double(table, key);
  expect(await count(store.entries(LOG))).toBe(COUNT + 1);
  expect(await count(store.entries(LOG, { from: 499, to: 501 }))).toBe(3);
  await store.close();
});

test('every pending row is read where audit_event has one of them twice', async () => {
  const store = createSqliteStore({ file });
  await store.migrate();
  await store.append(makeEvents(1, 0, COUNT));
  expect(await count(store.pending(LOG))).toBe(COUNT);
  double('audit_event', 'id');
  expect(await count(store.pending(LOG))).toBe(COUNT + 1);
  await store.close();
});
