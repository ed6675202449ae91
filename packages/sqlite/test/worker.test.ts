import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createSealBatch, deriveKeys, describeSealBatch } from '@indelible/core';
import { storeSuite } from '@indelible/core/conformance';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
// The thread runs the built package, so that is what is tested here.
import { announceLibrary, createSqliteStore } from '../dist/index.js';
import { checkChain } from './chain-check.js';
import { LOG, makeEvent, makeEvents, SECRET } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { startChild } from './run-child.js';
import { createSqliteHarness } from './sqlite-harness.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

const options = { log: LOG, keys: deriveKeys(SECRET) };
const sealRequest = {
  log: LOG,
  limit: 250,
  compute: createSealBatch(options),
  portable: describeSealBatch(options),
};

let directory = '';
let file = '';

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

async function threaded(worker: boolean | 'auto' = true) {
  const store = createSqliteStore({ file, driver: 'libsql', worker });
  await store.migrate();
  return store;
}

/** The threads of this process that have the file open, by what only they can answer: the in-thread path does not. */
async function runsInThread(store: Awaited<ReturnType<typeof threaded>>): Promise<boolean> {
  let inThisThread = false;
  await store.seal({
    log: LOG,
    limit: 1,
    compute: () => {
      inThisThread = true;
      return { entries: [], head: null };
    },
    portable: describeSealBatch(options),
  });
  return !inThisThread;
}

describe('the SQLite store with a thread that writes', () => {
  storeSuite({
    test,
    factory: async () => {
      const harness = createSqliteHarness('libsql', openLibsql);
      return {
        ...harness,
        open: async () => createSqliteStore({ file: harness.file, driver: 'libsql', worker: true }),
      };
    },
  });
});

test('what a thread appends and seals is one verified chain', async () => {
  const store = await threaded();
  for (let at = 0; at < 1_000; at += 100) await store.append(makeEvents(1, at, at + 100));
  let sealed = 0;
  while (sealed < 1_000) sealed += (await store.seal(sealRequest)).sealed;
  expect(await store.append(makeEvents(1, 990, 1_010))).toEqual({ appended: 10, duplicates: 10 });
  expect(await runsInThread(store)).toBe(true);
  await store.close();
  const raw = openLibsql(file);
  expect((await checkChain(raw, LOG, SECRET)).length).toBeGreaterThanOrEqual(1_000);
  raw.close();
});

test('errors come out of the thread with their codes, and the batch that failed leaves nothing', async () => {
  const store = await threaded();
  await store.append(makeEvents(1, 0, 2));
  const forged = { ...makeEvent(1, 0), body: Buffer.from('{}') };
  await expect(store.append([makeEvent(1, 5), forged])).rejects.toMatchObject({
    code: 'AUDIT_ID_CONFLICT',
    message: expect.stringContaining(makeEvent(1, 0).id),
  });
  await store.seal(sealRequest);
  const raw = openLibsql(file);
  raw.exec('UPDATE audit_head SET mac = zeroblob(32)');
  await store.append(makeEvents(1, 2, 4));
  await expect(store.seal(sealRequest)).rejects.toMatchObject({ code: 'AUDIT_HEAD_INVALID' });
  const module = new URL('./child/portable-failure.mjs', import.meta.url).href;
  const portable = { module, name: 'createFailure', data: null };
  await expect(store.seal({ ...sealRequest, portable })).rejects.toThrow('no such computation');
  expect(raw.all('SELECT id FROM audit_event')).toHaveLength(4);
  expect(raw.all('SELECT idx FROM audit_entry')).toHaveLength(2);
  raw.exec('DROP TABLE audit_event');
  await expect(store.append(makeEvents(1, 7, 8))).rejects.toMatchObject({ code: 'AUDIT_TABLES_MISSING' });
  raw.close();
  await store.close();
});

test('an event that is not vouched for in the thread is named to the caller', async () => {
  const store = await threaded();
  const wrong = { ...makeEvent(1, 1), leaf: Buffer.alloc(32) };
  await store.append([makeEvent(1, 0), wrong]);
  const outcome = await store.seal(sealRequest);
  expect(outcome).toMatchObject({ sealed: 1, busy: false });
  expect(outcome.refused).toEqual([{ id: wrong.id, reason: expect.stringMatching(/leaf/) }]);
  await store.close();
});

test('while another holds the lock the thread answers `busy`, keeps trying to append and then gives up', async () => {
  const store = createSqliteStore({ file, driver: 'libsql', worker: true, busyTimeoutMs: 300 });
  await store.migrate();
  await store.append(makeEvents(1, 0, 1));
  const raw = openLibsql(file);
  raw.exec('BEGIN IMMEDIATE');
  expect(await store.seal(sealRequest)).toEqual({ sealed: 0, busy: true });
  await expect(store.append(makeEvents(1, 1, 2))).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
  const late = store.append(makeEvents(1, 1, 3));
  await new Promise((resolve) => setTimeout(resolve, 50));
  raw.exec('COMMIT');
  expect(await late).toEqual({ appended: 2, duplicates: 0 });
  raw.close();
  await store.close();
});

test('a store closes after what was asked for before', async () => {
  const store = await threaded();
  const appends = Array.from({ length: 10 }, (_, writer) => store.append(makeEvents(writer, 0, 50)));
  await store.close();
  await Promise.all(appends);
  const raw = openLibsql(file);
  expect(raw.all('SELECT count(*) AS n FROM audit_event')[0]?.n).toBe(500n);
  raw.close();
  await expect(store.append(makeEvents(20, 0, 1))).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
});

test('a process that forgets to close ends by itself, after its last append', async () => {
  const child = startChild('idle-writer.mjs', [file]);
  expect(await child.done).toBe('ended');
  expect(child.lines).toEqual(['50']);
});

test('`auto` starts the thread under load, and not for a few events', async () => {
  const store = await threaded('auto');
  await store.append(makeEvents(1, 0, 5));
  expect(await runsInThread(store)).toBe(false);
  for (let writer = 2; writer < 60 && !(await runsInThread(store)); writer += 1) {
    await store.append(makeEvents(writer, 0, 1_000));
    // The thread says that it is there in a message, which takes a turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await runsInThread(store)).toBe(true);
  await store.close();
});

test('a file that an ORM of this process announces is written without a thread from then on', async () => {
  const store = await threaded();
  await store.append(makeEvents(1, 0, 5));
  expect(await runsInThread(store)).toBe(true);
  announceLibrary(realpathSync(file), 'libsql');
  expect(await runsInThread(store)).toBe(false);
  expect(await store.append(makeEvents(1, 5, 6))).toEqual({ appended: 1, duplicates: 0 });
  await store.close();
});

/** How long an append of a thousand events of 16 KiB holds this thread before it gives its promise, in milliseconds. */
async function holdOfLargeAppend(worker: boolean): Promise<number> {
  file = join(directory, `${Math.random()}.db`);
  const store = await threaded(worker);
  await store.append(makeEvents(1, 0, 1));
  const events = makeEvents(2, 0, 1_000).map((event) => ({ ...event, body: Buffer.alloc(16_384, 32) }));
  const start = performance.now();
  const append = store.append(events);
  const held = performance.now() - start;
  await append;
  await store.close();
  return held;
}

test('a thousand large events hold the event loop for less than half as long as without a thread', async () => {
  const without: number[] = [];
  const within: number[] = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    without.push(await holdOfLargeAppend(false));
    within.push(await holdOfLargeAppend(true));
  }
  const held = `${within.map(Math.round).join(', ')} ms, and ${without.map(Math.round).join(', ')} ms without`;
  expect(Math.min(...within), held).toBeLessThan(Math.min(...without) / 2);
});
