import { createUuidV7 } from '@indelible/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeEvent } from '../../sqlite/test/child/events.mjs';
import { createPostgresStore } from '../src/postgres-store.js';
import { text, withRaw } from './raw-connection.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

const warnings: string[] = [];
beforeEach(() => void warnings.splice(0));

describePostgres('partitions', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.createDatabase();
    const store = open();
    await store.migrate();
    await store.close();
  });
  afterAll(() => database.drop());

  const open = () =>
    createPostgresStore({ url: database.url, roles: false, onWarning: (warning) => warnings.push(warning) });
  const sql = (statement: string, ...params: readonly unknown[]) =>
    withRaw(database.url, (raw) => raw.all(statement, params));
  const partitions = async () =>
    (
      await sql(`SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class AS c
        JOIN pg_inherits AS i ON i.inhrelid = c.oid WHERE i.inhparent = 'audit.audit_event'::regclass ORDER BY 1`)
    ).map((row) => ({ name: text(row.name), bound: text(row.bound) }));
  const month = (ahead: number) => {
    const now = new Date();
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
  };
  const nameOf = (date: Date) => `audit_event_${date.toISOString().slice(0, 7).replace('-', '_')}`;
  const eventAt = (date: Date) => ({ ...makeEvent(1, 1), id: createUuidV7(date) });
  const partitionOf = async (id: string) =>
    (await sql('SELECT tableoid::regclass::text AS name FROM audit.audit_event WHERE id = $1', id))[0]?.name;

  test('this month and three after it have one, from the first UUIDv7 of a month to that of the next', async () => {
    const found = await partitions();
    expect(found.map(({ name }) => name)).toEqual(
      [...[0, 1, 2, 3].map((ahead) => nameOf(month(ahead))), 'audit_event_default'].sort(),
    );
    for (const ahead of [0, 1, 2, 3]) {
      const [from = '', to = ''] = [month(ahead), month(ahead + 1)].map((date) =>
        date.getTime().toString(16).padStart(12, '0'),
      );
      const uuid = (hex: string) => `'${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000'`;
      const { bound } = found.find(({ name }) => name === nameOf(month(ahead))) ?? {};
      expect(bound).toBe(`FOR VALUES FROM (${uuid(from)}) TO (${uuid(to)})`);
    }
  });

  test('an event goes to the partition of its month, and to DEFAULT where there is none', async () => {
    const store = open();
    const last = new Date(month(2).getTime() - 1);
    const events = [month(1), last, month(2), month(7), new Date(0)].map(eventAt);
    await store.append(events);
    const places = await Promise.all(events.map(({ id }) => partitionOf(id)));
    expect(places).toEqual(
      [
        nameOf(month(1)),
        nameOf(month(1)),
        nameOf(month(2)),
        'audit_event_default',
        'audit_event_default',
      ].map((name) => `audit.${name}`),
    );
    await store.close();
  });

  test('each partition, also one that is made later, refuses what the table refuses, with triggers off too', async () => {
    await sql('SELECT audit.audit_make_partitions(4)');
    const names = ['audit_event', ...(await partitions()).map(({ name }) => name), 'audit_entry'];
    expect(names).toContain(nameOf(month(4)));
    for (const name of names) {
      for (const [verb, statement] of [
        ['UPDATE', `UPDATE audit.${name} SET log = log`],
        ['DELETE', `DELETE FROM audit.${name}`],
        ['TRUNCATE', `TRUNCATE audit.${name}`],
        ['TRUNCATE', `TRUNCATE audit.${name} CASCADE`],
      ] as const) {
        for (const role of ['origin', 'replica', 'local']) {
          await expect(
            sql(`SET session_replication_role = ${role}; ${statement}`),
            `${statement}, ${role}`,
          ).rejects.toMatchObject({
            code: '23001',
            message: expect.stringMatching(new RegExp(`insert-only: ${verb} is refused`)),
          });
        }
      }
    }
  });

  test('an event that the owner puts into a partition directly is pending like any other', async () => {
    const event = eventAt(month(1));
    await sql(
      `SET session_replication_role = replica; INSERT INTO audit.${nameOf(month(1))}
        SELECT '${event.id}', log, body, leaf, time, action, category, outcome, actor_type, actor_id
        FROM audit.audit_event LIMIT 1`,
    );
    expect(await sql('SELECT id FROM audit.audit_pending WHERE id = $1', event.id)).toHaveLength(1);
  });

  test('rows of a month in DEFAULT keep that month there, and making the others goes on', async () => {
    const store = open();
    const [stray] = [eventAt(month(6))];
    if (stray === undefined) throw new Error('no event');
    await store.append([stray]);
    const [row] = await sql('SELECT audit.audit_make_partitions(8) AS made');
    // Month 7 has an event in DEFAULT since the test before.
    expect(row?.made).toBe(6);
    const names = (await partitions()).map(({ name }) => name);
    expect(names).not.toContain(nameOf(month(6)));
    expect(names).toContain(nameOf(month(8)));
    const later = eventAt(new Date(month(6).getTime() + 1_000));
    await store.append([later]);
    expect(await partitionOf(later.id)).toBe('audit.audit_event_default');
    await store.close();
  });

  test('twenty that make the same partitions at once do no harm', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => sql('SELECT audit.audit_make_partitions(12) AS made')),
    );
    expect(made).toHaveLength(20);
    await sql('SELECT audit.audit_make_partitions(12)');
    expect((await partitions()).map(({ name }) => name)).toContain(nameOf(month(12)));
  });

  test('making them waits for nobody for long: a reader of DEFAULT is left alone, and it is tried again later', async () => {
    const done = await withRaw(database.url, async (reader) => {
      await reader.all('BEGIN; SELECT count(*) FROM audit.audit_event_default');
      const start = performance.now();
      await sql('SELECT audit.audit_make_partitions(13)');
      await reader.all('COMMIT');
      return performance.now() - start;
    });
    expect(done).toBeLessThan(5_000);
    expect((await partitions()).map(({ name }) => name)).not.toContain(nameOf(month(13)));
    await sql('SELECT audit.audit_make_partitions(13)');
    expect((await partitions()).map(({ name }) => name)).toContain(nameOf(month(13)));
  });

  test('the first seal of a process makes what is missing, and a check warns of it', async () => {
    for (const { name } of await partitions()) {
      if (name > nameOf(month(0)) && name !== 'audit_event_default') {
        await sql(`ALTER TABLE audit.audit_event DETACH PARTITION audit.${name}`);
        await sql(`ALTER TABLE audit.${name} RENAME TO old_${name}`);
      }
    }
    const store = open();
    await store.check();
    expect(warnings).toEqual([expect.stringContaining('of the next 3 months 0 have a partition')]);
    await store.seal({ log: 'audit', limit: 1, compute: () => ({ entries: [], head: null }) });
    expect((await partitions()).map(({ name }) => name)).toContain(nameOf(month(3)));
    await store.close();
    await open().check();
    expect(warnings).toHaveLength(1);
  });
});
