import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBetterSqlite3Driver } from '../src/better-sqlite3-driver.js';
import { announceLibrary } from '../src/library-registry.js';
import { hasNodeSqlite } from '../src/node-sqlite-driver.js';
import { openStore } from '../src/open-store.js';
import { createSqliteStore } from '../src/sqlite-store.js';
import { makeEvents } from './child/events.mjs';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

const DEFAULT = hasNodeSqlite() ? 'node:sqlite' : 'libsql';
const OTHER = hasNodeSqlite() ? 'libsql' : 'better-sqlite3';

let directory = '';
let file = '';
let realPath = '';

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
  realPath = join(realpathSync(directory), 'audit.db');
});
afterEach(() => removeDirectory(directory));

/** As an ORM package does that must not import this one. */
function announceByHand(path: string, library: string): void {
  const key = Symbol.for('indelible.sqlite.libraries.v1');
  const known: unknown = Reflect.get(globalThis, key);
  const libraries = known instanceof Map ? known : new Map();
  Reflect.set(globalThis, key, libraries.set(path, library));
}

/** A driver with a name of its own, to see which library was chosen. */
function named(library: string) {
  return createBetterSqlite3Driver(createRequire(import.meta.url)('libsql'), library);
}

test('a file that an ORM opens with one library can not be opened with another', () => {
  announceLibrary(realPath, 'libsql');
  expect(() => createSqliteStore({ file, driver: named('another') })).toThrow(
    expect.objectContaining({ code: 'AUDIT_DRIVER_CONFLICT' }),
  );
  expect(() => announceLibrary(realPath, 'another')).toThrow(
    expect.objectContaining({ code: 'AUDIT_DRIVER_CONFLICT' }),
  );
});

test('what an ORM package wrote into the registry by hand counts as well', async () => {
  announceByHand(realPath, 'libsql');
  expect(() => createSqliteStore({ file, driver: named('another') })).toThrow(
    expect.objectContaining({ code: 'AUDIT_DRIVER_CONFLICT' }),
  );
  const store = createSqliteStore({ file });
  await store.migrate();
  await store.append(makeEvents(1, 0, 1));
  await store.close();
});

test('a library that is announced while the store has the file open with another one is refused', async () => {
  const store = createSqliteStore({ file, driver: named('mine') });
  await store.migrate();
  expect(() => announceLibrary(realPath, 'theirs')).toThrow(
    expect.objectContaining({ code: 'AUDIT_DRIVER_CONFLICT' }),
  );
  announceByHand(realPath, 'theirs');
  await expect(store.append(makeEvents(1, 0, 1))).rejects.toMatchObject({ code: 'AUDIT_DRIVER_CONFLICT' });
  await store.close();
});

test('the first library that opens a file stays its library, also after the store was closed', async () => {
  const store = createSqliteStore({ file, driver: named('one') });
  await store.migrate();
  await store.close();
  expect(() => createSqliteStore({ file, driver: named('two') })).toThrow(
    expect.objectContaining({ code: 'AUDIT_DRIVER_CONFLICT' }),
  );
  const beside = createSqliteStore({ file, driver: named('one') });
  await beside.check();
  await beside.close();
});

test('a store that may choose takes the library of an ORM that announces itself before the first call', async () => {
  const store = createSqliteStore({ file });
  announceLibrary(realPath, 'sql.js');
  await expect(store.migrate()).rejects.toMatchObject({ code: 'AUDIT_DRIVER_MISSING' });
  await store.close();
});

test(`without an announcement the library is ${DEFAULT}`, async () => {
  const store = createSqliteStore({ file });
  await store.migrate();
  expect(() => announceLibrary(realPath, DEFAULT)).not.toThrow();
  expect(() => announceLibrary(realPath, OTHER)).toThrow();
  await store.close();
});

test('the application passes the Database class of better-sqlite3 or an instance, which is left alone', async () => {
  const Database = createRequire(import.meta.url)('libsql');
  const instance = new Database(file);
  instance.exec('PRAGMA busy_timeout = 1234');
  for (const given of [Database, instance]) {
    const store = createSqliteStore({ file, driver: createBetterSqlite3Driver(given, 'libsql') });
    await store.migrate();
    await store.append(makeEvents(1, 0, 2));
    expect(await store.list()).toHaveLength(2);
    await store.close();
  }
  expect(instance.prepare('PRAGMA busy_timeout').all([])[0].timeout).toBe(1234);
  instance.close();
  expect(() => createBetterSqlite3Driver({})).toThrow(TypeError);
  expect(() => createBetterSqlite3Driver(class {})).toThrow(TypeError);
});

test('a URL names the file, from the working directory where it is relative', async () => {
  const here = realpathSync(process.cwd());
  const databaseOf = async (url: string) => {
    const store = await openStore(url, { driver: 'libsql' });
    await store.close();
    return store.transactional?.database;
  };
  for (const url of [
    'file:./a.db',
    'file:a.db',
    'sqlite:a.db',
    'sqlite:./a.db',
    'sqlite://./a.db',
    'FILE:a.db?connection_limit=1',
  ]) {
    expect(await databaseOf(url), url).toBe(`sqlite:${join(here, 'a.db')}`);
  }
  for (const url of [
    `file:${realPath}`,
    `file://${realPath}`,
    `sqlite://${realPath}`,
    `sqlite:${realPath}`,
  ]) {
    expect(await databaseOf(url), url).toBe(`sqlite:${realPath}`);
  }
  expect(await databaseOf(`file:${realPath.replace('audit.db', 'a%20b.db')}`)).toBe(
    `sqlite:${realPath.replace('audit.db', 'a b.db')}`,
  );
});

test('a database in memory or behind a network is refused', async () => {
  for (const url of [
    ':memory:',
    'file::memory:',
    'file::memory:?cache=shared',
    'sqlite::memory:',
    'file:x?mode=memory',
    'file:',
    'libsql://somewhere',
    'http://somewhere/x.db',
    'https://somewhere/x.db',
    'x.db',
  ]) {
    await expect(openStore(url), url).rejects.toMatchObject({ code: 'AUDIT_DATABASE_UNSUPPORTED' });
  }
  expect(() => createSqliteStore({ file: ':memory:' })).toThrow(
    expect.objectContaining({ code: 'AUDIT_DATABASE_UNSUPPORTED' }),
  );
});

test('wrong options are refused at once', async () => {
  for (const options of [{ driver: 'mysql' }, { driver: 7 }]) {
    await expect(openStore(`file:${file}`, options)).rejects.toThrow(TypeError);
  }
  for (const options of [{ synchronous: 'OFF' }, { busyTimeoutMs: '1' }, { sychronous: 'FULL' }]) {
    await expect(openStore(`file:${file}`, options)).rejects.toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
  }
});
