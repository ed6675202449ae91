import { createSealBatch, deriveKeys } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChild } from '../../postgres/test/run-child.js';
import { checkSnapshot } from '../../sqlite/test/chain-check.js';
import { LOG, SECRET } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { withRaw } from './raw-connection.js';
import { createRawDatabase } from './raw-database.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

const WRITER = new URL('./child/writer.mjs', import.meta.url);
const MIGRATOR = new URL('./child/migrator.mjs', import.meta.url);

describeMysql('processes', (server) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await server.createDatabase();
  });
  afterEach(() => database.drop());

  async function migrateDatabase(): Promise<void> {
    const store = createMysqlStore({ url: database.url });
    await store.migrate();
    await store.close();
  }

  /** Seals what the processes left and gives the ids of the entries, in order. */
  async function sealRest(): Promise<readonly string[]> {
    const store = createMysqlStore({ url: database.url });
    const compute = createSealBatch({ log: LOG, keys: deriveKeys(SECRET) });
    for (;;) {
      const outcome = await store.seal({ log: LOG, limit: 500, compute });
      if (outcome.sealed === 0 && !outcome.busy) break;
    }
    await store.close();
    return checkSnapshot(await createRawDatabase(database.url).snapshot(), LOG, SECRET);
  }

  test('16 processes × 1,000 events make one log: indexes 0 to 15,999, no gap, no fork, all verified', async () => {
    await migrateDatabase();
    const children = Array.from({ length: 16 }, (_, writer) =>
      startChild(WRITER, [database.url, String(writer), '0', '1000']),
    );
    await Promise.all(children.map((child) => child.done));
    expect(await sealRest()).toHaveLength(16_000);
  }, 240_000);

  test('a process killed at random points loses nothing that it was told is durable, and its retry doubles nothing', async () => {
    await migrateDatabase();
    const total = 3_000;
    let acknowledged = 0;
    let kills = 0;
    for (let round = 0; round < 12; round += 1) {
      const child = startChild(WRITER, [database.url, '1', String(acknowledged), String(total)]);
      const { exitCode } = child.process;
      while (child.lines.length === 0 && exitCode === null && child.process.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      child.process.kill('SIGKILL');
      if ((await child.done) === 'killed') kills += 1;
      // The batch in doubt, which may have been committed, is appended again by the next round.
      acknowledged = Math.max(acknowledged, ...child.lines.map(Number));
      const snapshot = await createRawDatabase(database.url).snapshot();
      checkSnapshot(snapshot, LOG, SECRET);
      expect(snapshot.events.length).toBeGreaterThanOrEqual(acknowledged);
    }
    expect(kills).toBeGreaterThan(6);
    await startChild(WRITER, [database.url, '1', String(acknowledged), String(total)]).done;
    expect(await sealRest()).toHaveLength(total);
  }, 120_000);

  test('twenty processes that migrate at once apply each migration once', async () => {
    const at = Date.now() + 4_000;
    const children = Array.from({ length: 20 }, () => startChild(MIGRATOR, [database.url, String(at)]));
    await Promise.all(children.map((child) => child.done));
    const outcomes = children.map((child) => JSON.parse(child.lines[0] ?? '{}'));
    expect(outcomes.filter((outcome) => outcome.applied.length > 0)).toHaveLength(1);
    expect(new Set(outcomes.map((outcome) => outcome.version)).size).toBe(1);
    const rows = await withRaw(database.url, (raw) => raw.all('SELECT version FROM audit_migration'));
    expect(rows).toHaveLength(1);
  }, 60_000);
});
