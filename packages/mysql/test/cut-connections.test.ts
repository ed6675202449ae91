import { createSealBatch, deriveKeys } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CuttingProxy } from '../../postgres/test/cutting-proxy.js';
import { checkSnapshot } from '../../sqlite/test/chain-check.js';
import { LOG, makeEvents, SECRET } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { createRawDatabase } from './raw-database.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

/** Nobody sends a second question before the answer to the first: what comes next begins an answer. */
class TurnCounter {
  #isAsked = false;

  asked(): void {
    this.#isAsked = true;
  }

  count(): number {
    const answers = this.#isAsked ? 1 : 0;
    this.#isAsked = false;
    return answers;
  }
}

describeMysql('a connection that is cut before the answer comes', (server) => {
  let database: TestDatabase;
  let proxy: CuttingProxy;
  let url = '';
  beforeEach(async () => {
    database = await server.createDatabase();
    proxy = new CuttingProxy(database.url, () => new TurnCounter());
    url = await proxy.open();
    const store = createMysqlStore({ url: database.url });
    await store.migrate();
    await store.close();
  });
  afterEach(async () => {
    await proxy.close();
    await database.drop();
  });

  const stored = async () => (await createRawDatabase(database.url).snapshot()).events.length;
  const compute = createSealBatch({ log: LOG, keys: deriveKeys(SECRET) });

  test('an append goes on by itself and doubles nothing, wherever it was cut', async () => {
    for (let at = 1; at <= 20; at += 1) {
      const store = createMysqlStore({ url });
      // The second half is a retry, which takes the longer way.
      for (const events of [makeEvents(at, 0, 10), makeEvents(at, 5, 15)]) {
        proxy.cutAt = at;
        const { appended, duplicates } = await store.append(events);
        expect(appended + duplicates).toBe(10);
      }
      proxy.cutAt = Number.POSITIVE_INFINITY;
      expect(await stored()).toBe(at * 15);
      await store.close();
    }
    expect(proxy.cuts).toBeGreaterThan(18);
  });

  test('an append that is cut again and again fails with one code, and its retry doubles nothing', async () => {
    const store = createMysqlStore({ url });
    await store.append(makeEvents(1, 0, 1));
    const always = setInterval(() => {
      proxy.cutAt = Math.min(proxy.cutAt, 1);
    }, 0);
    proxy.cutAt = 1;
    await expect(store.append(makeEvents(1, 0, 10))).rejects.toMatchObject({
      code: 'AUDIT_STORE_UNAVAILABLE',
    });
    clearInterval(always);
    proxy.cutAt = Number.POSITIVE_INFINITY;
    await store.append(makeEvents(1, 0, 10));
    expect(await stored()).toBe(10);
    await store.close();
  });

  test('a seal leaves a log that the next one continues, wherever it was cut', async () => {
    for (let at = 1; at <= 24; at += 1) {
      const direct = createMysqlStore({ url: database.url });
      await direct.append(makeEvents(at, 0, 7));
      const store = createMysqlStore({ url });
      proxy.cutAt = at;
      await store.seal({ log: LOG, limit: 5, compute }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
      });
      proxy.cutAt = Number.POSITIVE_INFINITY;
      checkSnapshot(await createRawDatabase(database.url).snapshot(), LOG, SECRET);
      // Through the same store, whose position knows nothing of what became of its transaction.
      for (let sealed = -1; sealed !== 0; ) {
        const outcome = await store.seal({ log: LOG, limit: 500, compute });
        if (!outcome.busy) sealed = outcome.sealed;
      }
      expect(checkSnapshot(await createRawDatabase(database.url).snapshot(), LOG, SECRET)).toHaveLength(
        at * 7,
      );
      await store.close();
      await direct.close();
    }
    expect(proxy.cuts).toBeGreaterThan(15);
  });
});
