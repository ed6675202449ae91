import pg from 'pg';
import { expect, test } from 'vitest';
import { makeEvents } from '../../sqlite/test/child/events.mjs';
import { createPostgresStore } from '../src/postgres-store.js';
import { describePostgres } from './test-postgres.js';

describePostgres('the statement for one fresh event', (server) => {
  test('stores every column as it would among others, and refuses the leaf that they refuse', async () => {
    const database = await server.createDatabase();
    const store = createPostgresStore({ url: database.url, roles: false });
    const client = new pg.Client({ connectionString: database.url });
    try {
      await store.migrate();
      await client.connect();
      const events = makeEvents(3, 0, 2).map((event, position) => ({
        ...event,
        columns: {
          ...event.columns,
          tenant: 'north',
          requestId: `r'${position}\\`,
          transactionId: 't',
          ip: '192.0.2.7',
        },
      }));
      const [one, other] = events;
      if (one === undefined || other === undefined) throw new Error('expected two events');
      const insert = async (given: typeof events): Promise<unknown[]> => {
        await client.query('BEGIN');
        for (const { sql, params } of store.transactional?.statements(given, { isFresh: true }) ?? []) {
          expect((await client.query(sql, [...params])).rowCount).toBe(given.length);
        }
        const { rows } = await client.query('SELECT * FROM audit.audit_event ORDER BY id');
        await client.query('ROLLBACK');
        return rows;
      };
      const among = await insert(events);
      expect(among).toHaveLength(2);
      expect([...(await insert([one])), ...(await insert([other]))]).toEqual(among);
      for (const given of [
        [{ ...one, leaf: Buffer.alloc(31) }],
        [{ ...one, leaf: Buffer.alloc(31) }, other],
      ]) {
        expect(() => store.transactional?.statements(given, { isFresh: true })).toThrow(
          expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }),
        );
      }
    } finally {
      await client.end();
      await store.close();
      await database.drop();
    }
  });
});
