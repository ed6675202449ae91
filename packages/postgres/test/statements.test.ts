import { createSealBatch } from '@indelible/core';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { databaseNameSql } from '../src/index.js';
import { createPostgresStore } from '../src/postgres-store.js';
import { openRaw, withRaw } from './raw-connection.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

describePostgres('statements for a foreign transaction', (server) => {
  let database: TestDatabase;
  let store: ReturnType<typeof createPostgresStore>;
  beforeAll(async () => {
    database = await server.createDatabase();
    store = createPostgresStore({ url: database.url, roles: false });
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const statementsOf = (...args: Parameters<NonNullable<typeof store.transactional>['statements']>) =>
    store.transactional?.statements(...args) ?? [];
  const onlyStatement = (...args: Parameters<typeof statementsOf>) => {
    const [statement, ...more] = statementsOf(...args);
    if (statement === undefined || more.length > 0) throw new Error('expected one statement');
    return statement;
  };

  test('one statement of eighteen parameters takes thousands of events', async () => {
    const { sql, params } = onlyStatement(makeEvents(1, 0, 5_000), { isFresh: true });
    expect(params).toHaveLength(18);
    expect(params.every((param) => typeof param === 'string' || param instanceof Uint8Array)).toBe(true);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    expect((await client.query(sql, [...params])).rowCount).toBe(5_000);
    await client.end();
    expect(statementsOf(makeEvents(1, 0, 12_000))).toHaveLength(3);
  });

  test('what is stored with the same bytes is passed over and not counted, other bytes are refused', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const run = ({ sql, params }: ReturnType<typeof onlyStatement>) => client.query(sql, [...params]);
    expect((await run(onlyStatement(makeEvents(2, 0, 3)))).rowCount).toBe(3);
    expect((await run(onlyStatement(makeEvents(2, 1, 5)))).rowCount).toBe(2);
    const other = { ...makeEvent(2, 1), body: Buffer.from('{}') };
    await expect(run(onlyStatement([other]))).rejects.toMatchObject({ code: '23505' });
    await expect(run(onlyStatement([makeEvent(2, 1)], { isFresh: true }))).rejects.toMatchObject({
      code: '23505',
    });
    expect(() => onlyStatement([makeEvent(2, 9), { ...makeEvent(2, 9), body: Buffer.from('{}') }])).toThrow(
      expect.objectContaining({ code: 'AUDIT_ID_CONFLICT' }),
    );
    expect((await run(onlyStatement([makeEvent(2, 9), makeEvent(2, 9)]))).rowCount).toBe(1);
    await client.end();
  });

  test('two open transactions both write, and neither they nor a seal wait for one another', async () => {
    const [one, two] = [await openRaw(database.url), await openRaw(database.url)];
    const start = performance.now();
    for (const [writer, raw] of [one, two].entries()) {
      await raw.all("BEGIN; SET LOCAL lock_timeout = '2s'");
      const { sql, params } = onlyStatement(makeEvents(10 + writer, 0, 20), { isFresh: true });
      await raw.all(sql, params);
    }
    await store.append(makeEvents(12, 0, 20));
    const sealed = await sealAll();
    expect(sealed).toBeGreaterThanOrEqual(20);
    await two.all('COMMIT');
    expect(await sealAll()).toBe(20);
    await one.all('COMMIT');
    expect(await sealAll()).toBe(20);
    expect(performance.now() - start).toBeLessThan(20_000);
    await one.close();
    await two.close();
  });

  async function sealAll(): Promise<number> {
    let total = 0;
    for (;;) {
      const { sealed, busy } = await store.seal({ log: LOG, limit: 1_000, compute: createSealBatch() });
      total += sealed;
      if (sealed === 0 && !busy) return total;
    }
  }

  test('the database has one name by every way that leads to it, and another one has another', async () => {
    const other = await server.createDatabase();
    const away = createPostgresStore({ url: other.url, roles: false });
    await away.migrate();
    const name = await store.transactional?.identify?.();
    expect(name).toMatch(/^postgres:[0-9a-f-]{36}:\d+:audit$/);
    const byHost = new URL(database.url);
    byHost.hostname = 'localhost';
    for (const url of [database.url, byHost.href]) {
      expect(await withRaw(url, (raw) => raw.all(databaseNameSql()))).toEqual([{ name }]);
    }
    expect(await away.transactional?.identify?.()).not.toBe(name);
    await away.close();
    await other.drop();
  });
});
