import { createMysqlStore } from '@indelible/mysql';
import { describe, expect, test } from 'vitest';
import { withRaw } from '../../../packages/mysql/test/raw-connection.js';
import { describeMysql, type TestMysql } from '../../../packages/mysql/test/test-mysql.js';
import { type Outage, openAudit, outageSuite, storedEvents } from './outage-suite.js';
import { type Way, WaywardProxy } from './wayward-proxy.js';

/** A database behind a proxy that goes this way while the outage lasts. */
async function behindProxy(server: TestMysql, way: Way): Promise<Outage> {
  const database = await server.createDatabase();
  const store = createMysqlStore({ url: database.url });
  await store.migrate();
  await store.close();
  const proxy = new WaywardProxy(database.url);
  const open = createMysqlStore({ url: await proxy.open(), callTimeoutMs: 2_000 });
  return {
    store: open,
    begin: () => {
      proxy.way = way;
    },
    end: () => {
      proxy.way = 'open';
    },
    bodies: () =>
      withRaw(database.url, async (raw) =>
        (await raw.all('SELECT body FROM audit_event ORDER BY id')).map(({ body }) => body as Buffer),
      ),
    dispose: async () => {
      await open.close();
      await proxy.close();
      await database.drop();
    },
  };
}

describeMysql('a MySQL store', (server) => {
  describe('that is cut off', () => {
    outageSuite({ factory: () => behindProxy(server, 'cut'), codes: ['AUDIT_STORE_UNAVAILABLE'] });
  });

  describe('that does not answer any more', () => {
    outageSuite({ factory: () => behindProxy(server, 'hanging'), codes: ['AUDIT_STORE_TIMEOUT'] });
  });

  test('that is slow only delays what has to wait, and nothing is lost or doubled', async () => {
    const outage = await behindProxy(server, { delayMs: 100 });
    try {
      const { audit } = openAudit(outage, { storeTimeoutMs: 8_000 });
      await audit.record({ action: 'invoice.sent', category: 'data' });
      await outage.begin();
      const outcomes = await Promise.all(
        (['data', 'auth', 'request'] as const).map((category) =>
          audit.record({ action: 'invoice.sent', category }),
        ),
      );
      expect(outcomes[0]?.where).toBe('store');
      expect(outcomes[1]?.where).toBeOneOf(['store', 'spool']);
      expect(outcomes[2]?.where).toBe('store');
      await outage.end();
      await audit.flush();
      expect(await storedEvents(outage)).toHaveLength(4);
      expect(audit.health()).toMatchObject({ lost: 0, spooled: 0 });
    } finally {
      await outage.dispose();
    }
  });
});
