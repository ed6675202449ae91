import { createSealBatch } from '@indelible/core';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { openStore } from '../src/open-store.js';
import { createPostgresStore } from '../src/postgres-store.js';
import { withRaw } from './raw-connection.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

describePostgres('faults', (server) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await server.createDatabase();
  });
  afterEach(() => database.drop());

  const sql = (statement: string) => withRaw(database.url, (raw) => raw.all(statement));
  const open = (url = database.url) => createPostgresStore({ url, roles: false });

  async function migrated() {
    const store = open();
    await store.migrate();
    return store;
  }

  function changed(change: (url: URL) => void): string {
    const url = new URL(database.url);
    change(url);
    return url.href;
  }

  test('each way of not getting in is one clear error, and tries nothing in silence', async () => {
    await withRaw(server.url, (raw) =>
      raw.all(
        `DO $$ BEGIN CREATE ROLE indelible_locked_out NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$`,
      ),
    );
    const ways: [string, RegExp][] = [
      [
        changed((url) => {
          url.pathname = '/there_is_none';
        }),
        /does not exist/,
      ],
      [
        changed((url) => {
          url.port = '1';
        }),
        /refuses connections/,
      ],
      [
        changed((url) => {
          url.hostname = 'no-such-host.invalid';
        }),
        /host that can not be found/,
      ],
      [
        changed((url) => {
          url.username = 'indelible_locked_out';
        }),
        /does not let this role in|refuses the password/,
      ],
    ];
    for (const [url, words] of ways) {
      const store = open(url);
      for (const call of [
        () => store.append(makeEvents(1, 0, 1)),
        () => store.migrate(),
        () => store.logs(),
      ]) {
        await expect(call()).rejects.toMatchObject({
          code: 'AUDIT_STORE_UNAVAILABLE',
          message: expect.stringMatching(words),
          cause: expect.anything(),
        });
      }
      await store.close();
    }
  });

  test('a server that takes the connection and says nothing is given up', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = changed((given) => {
      given.port = String(address.port);
    });
    const store = createPostgresStore({ url, connectTimeoutMs: 200 });
    await expect(store.append(makeEvents(1, 0, 1))).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
    await store.close();
    silent.close();
  });

  test('a read-only server refuses what writes, whatever the defaults of the session are', async () => {
    const store = await migrated();
    await store.append(makeEvents(1, 0, 1));
    await store.close();
    const name = new URL(database.url).pathname.slice(1);
    await withRaw(server.url, (raw) =>
      raw.all(`ALTER DATABASE ${name} SET default_transaction_read_only = on`),
    );
    const reading = open();
    expect(await reading.list()).toHaveLength(1);
    await expect(reading.append(makeEvents(1, 1, 2))).rejects.toMatchObject({
      code: 'AUDIT_STORE_UNAVAILABLE',
      message: expect.stringContaining('read-only'),
    });
    await reading.close();
  });

  test('a database whose transactions are serializable by default appends and seals as any other', async () => {
    await (await migrated()).close();
    const name = new URL(database.url).pathname.slice(1);
    await withRaw(server.url, (raw) =>
      raw.all(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`),
    );
    const stores = [open(), open(), open()];
    const compute = createSealBatch({ log: LOG });
    await Promise.all(
      stores.map(async (store, at) => {
        for (let n = 0; n < 20; n += 1) {
          await store.append(makeEvents(at, n * 5, n * 5 + 5));
          await store.seal({ log: LOG, limit: 10, compute });
        }
      }),
    );
    const [store] = stores;
    // Each knows of its own events at once; those of others it may find later, where a look at everything was slow.
    for (const each of stores) {
      for (let isDone = false; !isDone; ) {
        const { sealed, busy } = await each.seal({ log: LOG, limit: 500, compute });
        isDone = sealed === 0 && !busy;
      }
    }
    expect(await store?.logs()).toEqual([{ log: LOG, events: 300, pending: 0, entries: 300, hasHead: true }]);
    for (const each of stores) await each.close();
  });

  test('a full disk, a cancelled statement and a lock that is not given are told apart', async () => {
    const store = await migrated();
    const faults = [
      ['disk_full', 'AUDIT_STORE_UNAVAILABLE', /the disk is full/],
      ['query_canceled', 'AUDIT_STORE_TIMEOUT', /statement_timeout/],
      ['lock_not_available', 'AUDIT_STORE_TIMEOUT', /lock in time/],
      ['too_many_connections', 'AUDIT_STORE_UNAVAILABLE', /no connection left/],
    ] as const;
    for (const [condition, code, message] of faults) {
      await sql(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'as the server says it' USING ERRCODE = '${condition}'; END $$`);
      await sql(
        'CREATE TRIGGER fail BEFORE INSERT ON audit.audit_event FOR EACH STATEMENT EXECUTE FUNCTION fail()',
      );
      await expect(store.append(makeEvents(1, 0, 1))).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
      await sql('DROP TRIGGER fail ON audit.audit_event');
    }
    expect(await store.append(makeEvents(1, 0, 1))).toEqual({ appended: 1, duplicates: 0 });
    await store.close();
  });

  test('a statement_timeout of the role ends an append that waits, and the next one goes through', async () => {
    const store = await migrated();
    await store.close();
    const name = new URL(database.url).pathname.slice(1);
    await withRaw(server.url, (raw) => raw.all(`ALTER DATABASE ${name} SET statement_timeout = '300ms'`));
    const timed = open();
    await withRaw(database.url, async (holder) => {
      await holder.all('BEGIN; LOCK TABLE audit.audit_event');
      await expect(timed.append(makeEvents(1, 0, 1))).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
      await holder.all('ROLLBACK');
    });
    expect(await timed.append(makeEvents(1, 0, 1))).toEqual({ appended: 1, duplicates: 0 });
    await timed.close();
  });

  test('connections that the server ended are replaced without anybody noticing', async () => {
    const store = await migrated();
    const kill = () =>
      sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await store.append(makeEvents(1, 0, 1));
    await kill();
    expect(await store.append(makeEvents(1, 0, 3))).toEqual({ appended: 2, duplicates: 1 });
    await kill();
    expect(await store.list()).toHaveLength(3);
    await store.close();
  });

  for (const table of [
    'audit_event',
    'audit_pending',
    'audit_entry',
    'audit_checkpoint',
    'audit_head',
    'audit_migration',
  ]) {
    test(`a database that has lost ${table} fails the check with AUDIT_TABLES_MISSING`, async () => {
      const store = await migrated();
      await sql(`DROP TABLE audit.${table} CASCADE`);
      await expect(store.check()).rejects.toMatchObject({
        code: 'AUDIT_TABLES_MISSING',
        message: expect.stringContaining('npx indelible migrate'),
      });
      await store.close();
    });
  }

  test('rows that a trigger drops in silence are a failure of the append', async () => {
    const store = await migrated();
    const [first, second] = makeEvents(1, 0, 2);
    if (first === undefined || second === undefined) throw new Error('no events');
    await sql(`CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id = '${second.id}' THEN RETURN NULL; END IF; RETURN NEW; END $$`);
    await sql(
      'CREATE TRIGGER drops BEFORE INSERT ON audit.audit_event FOR EACH ROW EXECUTE FUNCTION drops()',
    );
    await expect(store.append([first, second])).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
    expect(await sql('SELECT id FROM audit.audit_event')).toEqual([]);
    expect(await store.append([first])).toEqual({ appended: 1, duplicates: 0 });
    await expect(store.append([first, second])).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
    expect(await sql('SELECT id FROM audit.audit_event')).toHaveLength(1);
    await store.close();
  });

  test('an event that no column can hold is refused by a code of its own, and the others are not', async () => {
    const store = await migrated();
    const event = makeEvent(1, 1);
    const bad = [
      { ...event, id: 'no uuid' },
      { ...event, columns: { ...event.columns, actorId: 'a\0b' } },
      { ...event, leaf: Buffer.alloc(31) },
    ];
    for (const each of bad) {
      await expect(store.append([each])).rejects.toMatchObject({ code: 'AUDIT_EVENT_INVALID' });
    }
    const long = Array.from({ length: 1_024 }, (_, at) =>
      String.fromCharCode(0x4e00 + ((at * 7_919) % 20_000)),
    ).join('');
    const large = {
      ...event,
      columns: { ...event.columns, resourceId: long, resourceType: long.slice(0, 256) },
    };
    await store.append([large]);
    expect(await store.list({ resourceId: long })).toHaveLength(1);
    expect(await store.list({ resourceId: `${long.slice(0, -1)}x` })).toEqual([]);
    expect(await store.list({ actorId: 'a\0b' })).toEqual([]);
    await store.close();
  });

  test('a pool that was passed is used and never ended, with parsers of its own and one connection', async () => {
    const parse = (value: string) => `not ${value}`;
    const pool = new pg.Pool({
      connectionString: database.url,
      max: 1,
      types: { getTypeParser: () => parse },
    });
    const store = createPostgresStore({ pool, roles: false });
    await store.migrate();
    await store.append(makeEvents(1, 0, 3));
    await store.seal({ log: LOG, limit: 10, compute: createSealBatch() });
    expect((await store.list())[2]?.index).toBe(2);
    await store.close();
    await expect(store.list()).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 'not 1' }]);
    await pool.end();
  });

  test('what is committed is on disk also where the database has that switched off', async () => {
    const store = await migrated();
    await store.close();
    const name = new URL(database.url).pathname.slice(1);
    await withRaw(server.url, (raw) => raw.all(`ALTER DATABASE ${name} SET synchronous_commit = off`));
    // What stands there when the rows are written is what counts at COMMIT.
    await sql('CREATE TABLE seen (setting text)');
    await sql(`CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`);
    await sql(
      'CREATE TRIGGER see AFTER INSERT ON audit.audit_event FOR EACH STATEMENT EXECUTE FUNCTION see()',
    );
    const durable = open();
    await durable.append(makeEvents(1, 0, 1));
    await durable.append(makeEvents(1, 0, 2));
    const settings = await sql('SELECT setting FROM seen');
    expect(settings.length).toBeGreaterThanOrEqual(2);
    expect(new Set(settings.map((row) => row.setting))).toEqual(new Set(['on']));
    expect(await sql('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'off' }]);
    await durable.close();
  });

  test('options that are not to be are refused at once, and a URL is never repeated', async () => {
    for (const options of [
      {},
      { url: database.url, pool: new pg.Pool() },
      { url: database.url, connections: 0 },
      { url: database.url, schema: '' },
      { url: database.url, schema: 'x'.repeat(64) },
      { url: database.url, roles: { writer: '' } },
    ]) {
      expect(() => createPostgresStore(options)).toThrow(TypeError);
    }
    await expect(openStore(database.url, { colour: 'red' })).rejects.toMatchObject({
      code: 'AUDIT_CONFIG_INVALID',
    });
    const wrong = 'postgres://ada:hush hush@[::1/x';
    try {
      createPostgresStore({ url: wrong });
      expect.unreachable();
    } catch (error) {
      const { inspect } = await import('node:util');
      expect(error).toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
      expect(inspect(error, { depth: 10 })).not.toContain('hush');
    }
  });

  test('a schema of any name keeps a log of its own, also by the URL', async () => {
    const store = await openStore(
      `${database.url}?audit_schema=${encodeURIComponent('Tr"ail, 2')}&schema=public`,
      {
        roles: false,
      },
    );
    await store.migrate();
    await store.append(makeEvents(1, 0, 2));
    await store.seal({ log: LOG, limit: 10, compute: createSealBatch() });
    expect(await sql('SELECT count(*)::int AS n FROM "Tr""ail, 2".audit_entry')).toEqual([{ n: 2 }]);
    const other = await migrated();
    expect(await other.logs()).toEqual([]);
    expect(await other.transactional?.identify?.()).not.toBe(await store.transactional?.identify?.());
    await store.close();
    await other.close();
  });
});
