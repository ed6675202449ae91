import { createSealBatch } from '@indelible/core';
import { expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { openRaw, withRaw } from './raw-connection.js';
import { describeMysql } from './test-mysql.js';

const ROUNDS = 40;
const BATCH = 1_000;

describeMysql('beside a transaction that stays open', (server) => {
  test('the sealer passes over nothing, and what can not be purged delays nothing but itself', async () => {
    const { url, drop } = await server.createDatabase();
    const store = createMysqlStore({ url });
    await store.migrate();
    const compute = createSealBatch();
    const holder = await openRaw(url);
    await holder.all('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await holder.all('START TRANSACTION WITH CONSISTENT SNAPSHOT; SELECT COUNT(*) FROM audit_pending');
    for (let round = 0; round < ROUNDS; round += 1) {
      await store.append(makeEvents(round, 1, BATCH + 1));
      expect((await store.seal({ log: LOG, limit: BATCH, compute })).sealed).toBe(BATCH);
    }
    // The rows that its snapshot may still ask for stand in the table: it has more pages than an empty one.
    const [table] = await withRaw(url, async (raw) => {
      await raw.all('ANALYZE TABLE audit_pending');
      return raw.all(
        'SELECT data_length AS bytes FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
        ['audit_pending'],
      );
    });
    expect(Number(table?.bytes)).toBeGreaterThan(ROUNDS * BATCH * 40);

    // What was given to an older transaction of this process and is committed only now.
    const late = makeEvent(0, 0);
    await store.append([late]);
    const outcome = await store.seal({ log: LOG, limit: BATCH, compute });
    expect(outcome.sealed).toBe(1);
    expect((await store.find(late.id))?.index).toBe(ROUNDS * BATCH);
    await holder.all('ROLLBACK');
    await holder.close();
    await store.close();
    await drop();
  }, 120_000);

  test('a transaction that holds its own events open keeps neither others from being sealed nor its own for ever', async () => {
    const { url, drop } = await server.createDatabase();
    const store = createMysqlStore({ url });
    await store.migrate();
    const compute = createSealBatch();
    const holder = await openRaw(url);
    await holder.all('SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION');
    for (const { sql, params } of store.transactional?.statements(makeEvents(1, 0, 50)) ?? [])
      await holder.all(sql, params);
    for (let round = 0; round < 20; round += 1) {
      await store.append(makeEvents(0, round * 10, round * 10 + 10));
      await store.append(makeEvents(2, round * 10, round * 10 + 10));
      expect(await store.seal({ log: LOG, limit: 100, compute })).toEqual({ sealed: 20, busy: false });
    }
    await holder.all('COMMIT');
    expect((await store.seal({ log: LOG, limit: 100, compute })).sealed).toBe(50);
    await holder.close();
    await store.close();
    await drop();
  });
});
