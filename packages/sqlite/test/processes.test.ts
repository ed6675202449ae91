import { join } from 'node:path';
import { createSealBatch, deriveKeys } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSqliteStore } from '../src/sqlite-store.js';
import { checkChain } from './chain-check.js';
import { LOG, SECRET } from './child/events.mjs';
import { openLibsql } from './raw-connection.js';
import { type Child, startChild } from './run-child.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

let directory = '';
let file = '';

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'audit.db');
});
afterEach(() => removeDirectory(directory));

async function migrateFile(): Promise<void> {
  const store = createSqliteStore({ file, driver: 'libsql' });
  await store.migrate();
  await store.close();
}

/** Seals what the processes left and gives the ids of the entries, in order. */
async function sealRest(): Promise<readonly string[]> {
  const store = createSqliteStore({ file, driver: 'libsql' });
  const compute = createSealBatch({ log: LOG, keys: deriveKeys(SECRET) });
  for (;;) {
    const outcome = await store.seal({ log: LOG, limit: 500, compute });
    if (outcome.sealed === 0 && !outcome.busy) break;
  }
  await store.close();
  const raw = openLibsql(file);
  try {
    return await checkChain(raw, LOG, SECRET);
  } finally {
    raw.close();
  }
}

test('16 processes × 1,000 events make one log: indexes 0 to 15,999, no gap, no fork, all verified', async () => {
  await migrateFile();
  const children = Array.from({ length: 16 }, (_, writer) =>
    startChild('writer.mjs', [file, 'libsql', String(writer), '0', '1000']),
  );
  await Promise.all(children.map((child) => child.done));
  const ids = await sealRest();
  expect(ids).toHaveLength(16_000);
}, 180_000);

test('a process killed at random points loses nothing that it was told is durable, and its retry doubles nothing', async () => {
  await migrateFile();
  const total = 4_000;
  let acknowledged = 0;
  let kills = 0;
  for (let round = 0; round < 20; round += 1) {
    const child = startChild('writer.mjs', [file, 'libsql', '1', String(acknowledged), String(total)]);
    await firstLine(child);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
    child.process.kill('SIGKILL');
    if ((await child.done) === 'killed') kills += 1;
    // The batch in doubt, which may have been committed, is appended again by the next round.
    acknowledged = Math.max(acknowledged, ...child.lines.map(Number));
    const raw = openLibsql(file);
    const count = Number(raw.all('SELECT count(*) AS n FROM audit_event')[0]?.n);
    await checkChain(raw, LOG, SECRET);
    raw.close();
    expect(count).toBeGreaterThanOrEqual(acknowledged);
  }
  expect(kills).toBeGreaterThan(10);
  await startChild('writer.mjs', [file, 'libsql', '1', String(acknowledged), String(total)]).done;
  const ids = await sealRest();
  expect(ids).toHaveLength(total);
}, 120_000);

test('twenty processes that migrate at once apply each migration once', async () => {
  const at = Date.now() + 1_500;
  const children = Array.from({ length: 20 }, () => startChild('migrator.mjs', [file, 'libsql', String(at)]));
  await Promise.all(children.map((child) => child.done));
  const outcomes = children.map((child) => JSON.parse(child.lines[0] ?? '{}'));
  expect(outcomes.filter((outcome) => outcome.applied.length > 0)).toHaveLength(1);
  expect(new Set(outcomes.map((outcome) => outcome.version)).size).toBe(1);
  const raw = openLibsql(file);
  expect(raw.all('SELECT version FROM audit_migration')).toHaveLength(1);
  expect(raw.all('PRAGMA journal_mode')[0]?.journal_mode).toBe('wal');
  raw.close();
}, 60_000);

function firstLine(child: Child): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (child.lines.length > 0 || child.process.exitCode !== null) resolve();
      else setTimeout(look, 2);
    };
    look();
  });
}
