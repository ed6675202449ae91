import { createUuidV7 } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import {
  checkTriggers,
  describeTriggers,
  listTriggers,
  type ReconcileOptions,
  reconcile,
  withAuditContext,
} from '../src/index.js';
import { createTriggerBench, KEYS, type TriggerBench } from './trigger-bench.js';

describePostgres('reconciling', (server) => {
  let bench: TriggerBench;
  let since: Date;
  beforeAll(async () => {
    bench = await createTriggerBench(server);
  });
  beforeEach(async () => {
    await bench.reset(
      "CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a'), (2, 'b')",
    );
    const [row] = await bench.sql('SELECT clock_timestamp() AS now');
    since = row?.now as Date;
  });
  afterAll(() => bench.close());

  const update = "UPDATE item SET name = name || 'x'";
  const asAda = { context: { actor: { type: 'user', id: 'ada' } } } as const;

  async function run(options: Partial<ReconcileOptions> = {}) {
    const store = createPostgresStore({ url: bench.url, roles: false });
    try {
      return await reconcile({ store, keys: KEYS, since, ...options });
    } finally {
      await store.close();
    }
  }

  /** What the application told last, as somebody sees it who reads over its shoulder. */
  async function overheard(): Promise<string> {
    let told = '';
    await withAuditContext(
      bench.raw,
      async (client) => {
        const { rows } = await client.query("SELECT current_setting('indelible.context') AS told");
        told = String(rows[0]?.told);
        await client.query(update);
      },
      { audit: bench.audit, ...asAda },
    );
    return told;
  }

  async function as(told: string, sql: string): Promise<void> {
    await bench.sql('SELECT set_config($1, $2, false)', 'indelible.context', told);
    await bench.sql(sql);
    await bench.sql('RESET indelible.context');
  }

  test('finds nothing where the application has written everything', async () => {
    await withAuditContext(bench.raw, (client) => client.query(update), { audit: bench.audit, ...asAda });
    await withAuditContext(bench.raw, (client) => client.query(update), { audit: bench.audit });
    expect(await run()).toMatchObject({
      result: 'explained',
      checked: 4,
      unexplained: 0,
      writes: [],
      notChecked: [],
    });
  });

  test('names a hand on the database: who, with what, when and which rows', async () => {
    await withAuditContext(bench.raw, (client) => client.query(update), { audit: bench.audit, ...asAda });
    await bench.sql(
      "SET application_name = 'dba''s tool'; UPDATE item SET name = 'mine' WHERE id = 2; DELETE FROM item; SET application_name = 'psql'",
    );
    const seen: string[] = [];
    const found = await run({ onUnexplained: ({ eventId }) => void seen.push(eventId) });
    expect(found).toMatchObject({ result: 'unexplained', checked: 5, unexplained: 3 });
    expect(found.writes.map(({ action, resourceId, reason }) => [action, resourceId, reason])).toEqual([
      ['item.updated', '2', 'no-operation'],
      ['item.deleted', '1', 'no-operation'],
      ['item.deleted', '2', 'no-operation'],
    ]);
    expect(found.groups).toMatchObject([
      {
        reason: 'no-operation',
        resourceType: 'item',
        user: 'postgres',
        application: "dba's tool",
        count: 3,
        transactions: 1,
      },
    ]);
    expect(found.writes[0]).toMatchObject({
      user: 'postgres',
      address: '127.0.0.1',
      operation: null,
      index: null,
    });
    expect(seen).toEqual(found.writes.map(({ eventId }) => eventId));
  });

  test('spares the users whose writes are expected, and says so', async () => {
    await bench.sql(update);
    expect(await run({ expectedUsers: ['postgres'] })).toMatchObject({
      result: 'explained',
      checked: 2,
      notChecked: [{ what: 'expected' }],
    });
  });

  test('tells a context that somebody made up from one that the application told', async () => {
    const told = JSON.parse(await overheard());
    const fresh = createUuidV7();
    for (const forged of [
      { ...told, actor: { type: 'user', id: 'bo' } },
      { ...told, context: { ...told.context, ip: '10.0.0.1' } },
      { ...told, log: 'audit/north' },
      { ...told, operation: fresh },
      { ...told, operation: fresh, mac: undefined },
      { ...told, operation: 'not an id' },
    ]) {
      await as(JSON.stringify(forged), 'UPDATE item SET name = name || 1 WHERE id = 1');
    }
    const { writes, checked } = await run();
    expect(checked).toBe(8);
    expect(writes.map(({ reason }) => reason)).toEqual(Array(6).fill('forged'));
  });

  test('finds a context of the application that somebody used again', async () => {
    const told = await overheard();
    await as(told, 'DELETE FROM item WHERE id = 1');
    const { writes, groups } = await run();
    expect(writes).toMatchObject([
      { reason: 'replayed', action: 'item.deleted', actorId: 'ada', user: 'postgres' },
    ]);
    expect(groups).toMatchObject([{ reason: 'replayed', count: 1 }]);
    // Also where the first use lies before the time that is asked for.
    const [row] = await bench.sql('SELECT max(time) AS last FROM audit.audit_event');
    expect(await run({ since: new Date(String(row?.last)) })).toMatchObject({ checked: 1, unexplained: 1 });
  });

  test('finds an operation that is too old, or from a time to come', async () => {
    const hours = (n: number) => createUuidV7(new Date(Date.now() + n * 3_600_000));
    for (const id of [hours(-25), hours(1), hours(-1)]) {
      const { text } = await bench.audit.describeOperation(id, asAda.context);
      await as(text, 'UPDATE item SET name = name || 1 WHERE id = 1');
    }
    expect((await run()).writes.map(({ reason }) => reason)).toEqual(['stale', 'stale']);
    expect((await run({ maxAgeMs: 30 * 3_600_000 })).writes.length).toBe(1);
  });

  test('without a key, or with nothing to look at, earns no green light', async () => {
    expect(await run()).toMatchObject({
      result: 'incomplete',
      checked: 0,
      notChecked: [{ what: 'nothing' }],
    });
    await withAuditContext(bench.raw, (client) => client.query(update), { audit: bench.audit, ...asAda });
    expect(await run({ keys: undefined })).toMatchObject({
      result: 'incomplete',
      notChecked: [{ what: 'unkeyed' }],
    });
  });

  test('reads page after page, and lists no more than it is told to', async () => {
    await bench.sql("INSERT INTO item SELECT n, 'n' FROM generate_series(10, 1300) n");
    const found = await run({ maxWrites: 5 });
    expect(found).toMatchObject({ checked: 1291, unexplained: 1291, groups: [{ count: 1291 }] });
    expect(found.writes.length).toBe(5);
  });

  test('passes over what the application records by itself', async () => {
    await bench.audit.record({
      action: 'item.exported',
      category: 'data',
      resource: { type: 'item', id: '1' },
    });
    expect((await run()).checked).toBe(0);
  });

  test('knows whether somebody had the triggers off since they were installed', async () => {
    const store = createPostgresStore({ url: bench.url, roles: false });
    const check = async () =>
      (await checkTriggers(store, await listTriggers(bench.raw), KEYS)).map(
        ({ table, problem }) => `${table} ${problem}`,
      );
    expect(await check()).toEqual(['public.item unrecorded']);
    await bench.audit.record(describeTriggers(await listTriggers(bench.raw), KEYS));
    expect(await check()).toEqual([]);
    await bench.sql('VACUUM FREEZE pg_trigger');
    expect(await check()).toEqual([]);
    await bench.sql(
      "ALTER TABLE item DISABLE TRIGGER indelible_update; UPDATE item SET name = 'unseen'; ALTER TABLE item ENABLE ALWAYS TRIGGER indelible_update",
    );
    expect(await check()).toEqual(['public.item changed']);
    // Somebody who can write to the log does not make it good.
    const forged = describeTriggers(await listTriggers(bench.raw), undefined);
    await bench.audit.record(forged);
    expect(await check()).toEqual(['public.item changed']);
    await bench.sql('ALTER TABLE item DISABLE TRIGGER indelible_delete');
    expect(await check()).toEqual(['public.item disabled', 'public.item changed']);
    await bench.sql('DROP TABLE item; CREATE TABLE item (id int PRIMARY KEY)');
    expect(await check()).toEqual(['public.item missing']);
    await bench.sql('DROP TABLE item');
    expect(await check()).toEqual(['public.item gone']);
    await store.close();
  });
});
