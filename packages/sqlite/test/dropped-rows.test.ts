import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pathOfUrl } from '../src/database-file.js';
import { createSqliteStore } from '../src/sqlite-store.js';
import { makeEvents } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

let directory = '';
let file = '';
beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

test('an append whose rows a trigger drops in silence is refused as a whole', async () => {
  const store = createSqliteStore({ file });
  await store.migrate();
  const [first, second] = makeEvents(1, 0, 2);
  if (first === undefined || second === undefined) throw new Error('no events');
  const raw = openLibsql(file);
  raw.exec(`CREATE TRIGGER drops BEFORE INSERT ON audit_event WHEN NEW.id = '${second.id}'
    BEGIN SELECT RAISE(IGNORE); END`);
  await expect(store.append([first, second])).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  await expect(store.append([second])).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  expect(raw.all('SELECT id FROM audit_event')).toEqual([]);
  expect(await store.append([first])).toEqual({ appended: 1, duplicates: 0 });
  // Not either where some of the call stands there already.
  await expect(store.append([first, second])).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  raw.close();
  await store.close();
});

test('a URL with a percent sign that encodes nothing names that file', () => {
  expect(pathOfUrl('file:./100%.db')).toBe('./100%.db');
  expect(pathOfUrl('file:./a%20b.db')).toBe('./a b.db');
});
