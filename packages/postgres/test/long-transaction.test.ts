import { createSealBatch } from '@indelible/core';
import { expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createPostgresStore } from '../src/postgres-store.js';
import { openRaw, withRaw } from './raw-connection.js';
import { describePostgres } from './test-postgres.js';

const ROUNDS = 40;
const BATCH = 1_000;

describePostgres('beside a transaction that stays open', (server) => {
  test('the sealer does not read the rows that can not be cleaned away, and passes over nothing', async () => {
    const { url, drop } = await server.createDatabase();
    const store = createPostgresStore({ url, roles: false });
    await store.migrate();
    const compute = createSealBatch();
    const holder = await openRaw(url);
    await holder.all(
      'BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE held (); SELECT pg_current_xact_id()',
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      await store.append(makeEvents(round, 1, BATCH + 1));
      expect((await store.seal({ log: LOG, limit: BATCH, compute })).sealed).toBe(BATCH);
    }
    // Vacuum can not take them: they are younger than the transaction.
    const dead = await withRaw(url, async (raw) => {
      await raw.all('VACUUM audit.audit_pending');
      return raw.all("SELECT pg_relation_size('audit.audit_pending')::int AS size");
    });
    expect(dead[0]?.size).toBeGreaterThan(ROUNDS * BATCH * 40);

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
  }, 60_000);
});
