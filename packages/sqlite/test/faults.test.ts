import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createSealBatch } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLibsqlDriver } from '../src/libsql-driver.js';
import { createSqliteStore } from '../src/sqlite-store.js';
import { LOG, makeEvent, makeEvents } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { startChild } from './run-child.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

const NOBODY = '65534';

let directory = '';
let file = '';

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

const open = () => createSqliteStore({ file, driver: 'libsql' });

async function failureOf(call: () => Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

/** One clear error: its code, a cause, and no directory in what is printed. */
async function expectUnavailable(call: () => Promise<unknown>, words: RegExp): Promise<void> {
  const error = await failureOf(call);
  expect(error).toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE', cause: expect.anything() });
  expect(error.message).toMatch(words);
  expect(error.message).not.toContain(directory);
}

test('a file that is no database is said to be none, and stays as it was', async () => {
  writeFileSync(file, 'minutes of the meeting\n'.repeat(500));
  const store = open();
  await expectUnavailable(() => store.append(makeEvents(1, 0, 1)), /audit\.db is not a SQLite database/);
  await expectUnavailable(() => store.migrate(), /is not a SQLite database/);
  await store.close();
});

test('a missing directory is named as the fault when the store is made', async () => {
  file = join(directory, 'nowhere', 'audit.db');
  await expectUnavailable(async () => open(), /the directory for the database file audit\.db does not exist/);
});

test('a directory in the place of the file can not be opened', async () => {
  mkdirSync(file);
  await expectUnavailable(() => open().append(makeEvents(1, 0, 1)), /audit\.db can not be opened/);
});

test('a file that is not there has no tables, and is not made by looking', async () => {
  const store = open();
  const error = await failureOf(() => store.check());
  expect(error.code).toBe('AUDIT_TABLES_MISSING');
  expect(error.message).toMatch(/npx indelible migrate --url file:/);
  expect(existsSync(file)).toBe(false);
  await store.close();
});

for (const table of [
  'audit_event',
  'audit_pending',
  'audit_entry',
  'audit_checkpoint',
  'audit_head',
  'audit_migration',
]) {
  test(`a database that has lost ${table} fails the check with AUDIT_TABLES_MISSING`, async () => {
    const store = open();
    await store.migrate();
    const raw = openLibsql(file);
    raw.exec(`DROP TABLE ${table}`);
    raw.close();
    await expect(store.check()).rejects.toMatchObject({ code: 'AUDIT_TABLES_MISSING' });
    await store.close();
  });
}

test('a file and a directory that may not be written give one clear error each', async () => {
  const store = open();
  await store.migrate();
  await store.append(makeEvents(2, 0, 1));
  await store.close();
  const isRoot = process.getuid?.() === 0;
  chmodSync(directory, 0o755);
  chmodSync(file, 0o444);
  if (!isRoot) chmodSync(directory, 0o555);
  try {
    const child = startChild('unprivileged.mjs', [file, isRoot ? NOBODY : '']);
    await child.done;
    const { append } = JSON.parse(child.lines[0] ?? '{}');
    expect(append).toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE', hasCause: true });
    expect(append.message).toMatch(/audit\.db (is read-only|can not be opened|may not be written)/);
    expect(append.message).not.toContain(directory);

    const other = startChild('unprivileged.mjs', [join(directory, 'new.db'), isRoot ? NOBODY : '']);
    await other.done;
    const { migrate } = JSON.parse(other.lines[0] ?? '{}');
    expect(migrate).toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE', hasCause: true });
    expect(migrate.message).toMatch(/new\.db can not be opened/);
  } finally {
    chmodSync(directory, 0o755);
  }
});

/** A disk of its own where this process may mount one. */
function tryMountSmallDisk(): string | undefined {
  const disk = join(directory, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
    return disk;
  } catch {
    return undefined;
  }
}

test('a full disk refuses the whole append, keeps what was there, and takes events again when there is room', async () => {
  const disk = tryMountSmallDisk();
  // Where nothing may be mounted the database gets a limit: SQLite's answer, SQLITE_FULL, is the same.
  const libsql = createLibsqlDriver();
  let limited = disk === undefined;
  const driver = {
    library: libsql.library,
    open(path: string) {
      const connection = libsql.open(path);
      if (limited) connection.exec('PRAGMA max_page_count = 200');
      return connection;
    },
  };
  const filler = join(disk ?? directory, 'filler');
  file = join(disk ?? directory, 'audit.db');
  try {
    const store = createSqliteStore({ file, driver });
    await store.migrate();
    await store.append(makeEvents(1, 0, 20));
    if (disk !== undefined) {
      try {
        writeFileSync(filler, Buffer.alloc(2 ** 20));
      } catch {
        // It takes what room there is.
      }
    }
    await expectUnavailable(
      () => store.append(makeEvents(2, 0, 3_000)),
      /audit\.db can not grow: the disk is full/,
    );
    expect(await store.list({ limit: 1_000 })).toHaveLength(20);
    await expectUnavailable(() => store.append(makeEvents(2, 0, 3_000)), /the disk is full/);
    limited = false;
    if (disk !== undefined) writeFileSync(filler, '');
    await store.append(makeEvents(3, 0, 20));
    await store.seal({ log: LOG, limit: 100, compute: createSealBatch() });
    expect((await store.head(LOG))?.size).toBe(40);
    await store.close();
  } finally {
    if (disk !== undefined) execFileSync('umount', ['--lazy', disk]);
  }
});

test('a file that is replaced while it is in use is noticed, and the new one is used from then on', async () => {
  const store = open();
  await store.migrate();
  await store.append(makeEvents(1, 0, 3));
  renameSync(file, join(directory, 'yesterday.db'));
  const other = open();
  await other.migrate();
  await expect(store.append(makeEvents(1, 3, 4))).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  await store.append(makeEvents(1, 3, 4));
  expect((await other.list()).map((event) => event.id)).toEqual([makeEvent(1, 3).id]);
  await store.close();
  await other.close();
});

test('a link to the file and the file are one database', async () => {
  const store = open();
  await store.migrate();
  const link = join(directory, 'link.db');
  symlinkSync(file, link);
  const linked = createSqliteStore({ file: link, driver: 'libsql' });
  expect(linked.transactional?.database).toBe(store.transactional?.database);
  expect(linked.transactional?.database).toMatch(new RegExp(`^sqlite:/.*${basename(file)}$`));
  await store.close();
  await linked.close();
});

test('a pending row of an event that is sealed already does not stop its log', async () => {
  const store = open();
  await store.migrate();
  await store.append(makeEvents(1, 0, 2));
  const seal = () => store.seal({ log: LOG, limit: 100, compute: createSealBatch() });
  await seal();
  const raw = openLibsql(file);
  raw.run('INSERT INTO audit_pending (log, id) VALUES (?, ?)', [LOG, makeEvent(1, 0).id]);
  await store.append(makeEvents(1, 2, 5));
  expect(await seal()).toEqual({ sealed: 3, busy: false });
  expect(raw.all('SELECT id FROM audit_pending').map((row) => row.id)).toEqual([makeEvent(1, 0).id]);
  raw.close();
  await store.close();
});

test('rows whose types somebody changed are read as they are, for verification to judge', async () => {
  const store = open();
  await store.migrate();
  await store.append(makeEvents(1, 0, 1));
  await store.seal({ log: LOG, limit: 10, compute: createSealBatch() });
  const raw = openLibsql(file);
  raw.exec(`DROP TABLE audit_entry; CREATE TABLE audit_entry (log, idx, event_id, leaf, hash, sealed_at);
    INSERT INTO audit_entry VALUES ('${LOG}', 9223372036854775807 - 1, NULL, 'text', NULL, 'never');
    INSERT INTO audit_entry VALUES ('${LOG}', 3, '${makeEvent(1, 0).id}', 1.5, x'', 1e300);`);
  raw.close();
  const entries = [];
  for await (const batch of store.entries(LOG)) entries.push(...batch);
  expect(entries.map((entry) => [entry.index, entry.eventId, entry.event?.id ?? null])).toEqual([
    [3, makeEvent(1, 0).id, makeEvent(1, 0).id],
    [9223372036854776000, '', null],
  ]);
  await store.close();
});
