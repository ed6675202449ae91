import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createSqliteStore } from '../src/sqlite-store.js';
import { openLibsql } from './raw-connection.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

test('src/migrations.ts is what migrations/*.sql give', () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const check = ['../../scripts/compile-sql.mjs', '--check'];
  expect(() => execFileSync(process.execPath, check, { cwd, stdio: 'pipe' })).not.toThrow();
});

test("a migration into an application's database leaves its tables alone and turns the write-ahead log on", async () => {
  const directory = makeDirectory();
  const file = join(directory, 'app.db');
  const raw = openLibsql(file);
  raw.exec(`CREATE TABLE patient (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO patient VALUES (1, 'Ada')`);
  const store = createSqliteStore({ file, driver: 'libsql' });
  await store.migrate();
  expect(raw.all('SELECT name FROM patient')[0]?.name).toBe('Ada');
  expect(raw.all('PRAGMA journal_mode')[0]?.journal_mode).toBe('wal');
  await store.close();
  raw.close();
  removeDirectory(directory);
});
