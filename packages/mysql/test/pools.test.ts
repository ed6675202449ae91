import { createSealBatch } from '@indelible/core';
import mariadb from 'mariadb';
import mysql from 'mysql2/promise';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChild } from '../../postgres/test/run-child.js';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import type { MysqlPool } from '../src/mysql-pool.js';
import { createMysqlStore } from '../src/mysql-store.js';
import { openStore } from '../src/open-store.js';
import { connect, withRaw } from './raw-connection.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

describeMysql('connections', (server) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await server.createDatabase();
  });
  afterEach(() => database.drop());

  const sql = (statement: string) => withRaw(database.url, (raw) => raw.all(statement));

  const ISOLATION = server.kind === 'MariaDB' ? '@@session.tx_isolation' : '@@session.transaction_isolation';

  interface GivenPool extends MysqlPool {
    query(sql: string): Promise<unknown>;
    end(): Promise<void>;
  }

  /** Settings of an application that are not ours, on the only connection of its pool. */
  const SPOILED = [
    'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
    "SET SESSION autocommit = 0, time_zone = '+05:30'",
    'SET NAMES latin1',
  ];
  const pools: Readonly<Record<string, () => GivenPool>> = {
    mysql2: () =>
      mysql.createPool({
        uri: database.url,
        connectionLimit: 1,
        rowsAsArray: false,
        namedPlaceholders: true,
        typeCast: () => 'of the application',
      }),
    mariadb: () => {
      const { hostname, port, username, pathname } = new URL(database.url);
      return mariadb.createPool({
        host: hostname,
        port: Number(port),
        user: username,
        database: pathname.slice(1),
        connectionLimit: 1,
        metaAsArray: true,
        bigIntAsNumber: true,
        typeCast: () => 'of the application',
      });
    },
  };

  for (const [driver, createPool] of Object.entries(pools)) {
    test(`a pool of ${driver} is used and never ended, whatever its connection is set to, and given back as it was`, async () => {
      const pool = createPool();
      for (const statement of SPOILED) await pool.query(statement);
      const store = createMysqlStore({ pool, onWarning: () => {} });
      await store.migrate();
      // The migration closes its connection.
      for (const statement of SPOILED) await pool.query(statement);
      await pool.query('SET @own = 7');
      await store.check();
      const event = makeEvent(1, 1);
      const columns = { ...event.columns, actorId: "'🧑‍⚕️\\", tenant: '' };
      expect(await store.append([makeEvent(1, 0), { ...event, columns }])).toEqual({
        appended: 2,
        duplicates: 0,
      });
      expect(await sql('SELECT COUNT(*) AS n FROM audit_event')).toEqual([{ n: '2' }]);
      expect(await store.append(makeEvents(1, 0, 3))).toEqual({ appended: 1, duplicates: 2 });
      await expect(store.append([{ ...event, leaf: Buffer.alloc(32) }])).rejects.toMatchObject({
        code: 'AUDIT_ID_CONFLICT',
      });
      expect((await store.seal({ log: LOG, limit: 2, compute: createSealBatch() })).sealed).toBe(2);
      // What somebody else has written since is seen: no snapshot is left open.
      await withRaw(database.url, async (raw) => {
        await raw.all("INSERT INTO audit_pending VALUES ('audit/elsewhere', 'stray')");
      });
      expect([...(await store.pendingLogs())].sort()).toEqual([LOG, 'audit/elsewhere'].sort());
      expect((await store.find(event.id))?.columns).toEqual(columns);
      expect((await store.find(event.id))?.sealedAt).toBeTypeOf('bigint');
      expect(await store.list({ actorId: columns.actorId })).toHaveLength(1);
      expect((await store.head(LOG))?.size).toBe(2);
      expect((await store.logs()).map(({ entries }) => entries)).toEqual([2, 0]);
      await store.close();
      await expect(store.list()).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
      // One that has read nothing yet begins with reading the version, which begins a transaction here.
      const fresh = createMysqlStore({ pool });
      expect(await fresh.append(makeEvents(1, 3, 4))).toEqual({ appended: 1, duplicates: 0 });
      await fresh.close();
      const second = createMysqlStore({ pool });
      await second.seal({ log: LOG, limit: 5, compute: createSealBatch() });
      expect(await sql('SELECT COUNT(*) AS n FROM audit_entry')).toEqual([{ n: '4' }]);
      await second.close();

      const connection = await pool.getConnection();
      const answer = await connection.query({
        sql: `SELECT CONCAT_WS(';', ${ISOLATION}, @@sql_mode, IF(@@autocommit, 1, 0), @@time_zone, @@character_set_client, @own,
            ${server.kind === 'MariaDB' ? '@@in_transaction' : '0'}) AS settings`,
        rowsAsArray: true,
        ...{ typeCast: (_field: unknown, next: () => unknown) => next() },
      });
      await connection.release();
      expect(JSON.stringify(answer)).toContain(
        'REPEATABLE-READ;PIPES_AS_CONCAT,ANSI_QUOTES,NO_BACKSLASH_ESCAPES;0;+05:30;latin1;7;0',
      );
      await pool.end();
    });
  }

  for (const [driver, createPool] of Object.entries(pools)) {
    test(`a connection of ${driver} that is ended while it is used ends no process, and leaves no listener behind`, async () => {
      const owner = createMysqlStore({ url: database.url });
      await owner.migrate();
      await owner.close();
      const pool = createPool();
      const store = createMysqlStore({ pool, onWarning: () => {} });
      await store.check();
      await withRaw(database.url, async (holder) => {
        await holder.all('LOCK TABLES audit_event WRITE, audit_pending WRITE');
        const waiting = store.append(makeEvents(1, 0, 1));
        const blocked = `SELECT id FROM information_schema.processlist
          WHERE db = DATABASE() AND info LIKE 'INSERT INTO%' AND id <> CONNECTION_ID()`;
        let found = await sql(blocked);
        while (found.length === 0) found = await sql(blocked);
        for (const { id } of found) await sql(`KILL ${id}`);
        await holder.all('UNLOCK TABLES');
        expect(await waiting).toEqual({ appended: 1, duplicates: 0 });
      });
      for (let n = 0; n < 15; n += 1) await store.append(makeEvents(2, n, n + 1));
      const connection = await pool.getConnection();
      const listeners =
        'listenerCount' in connection && typeof connection.listenerCount === 'function'
          ? connection.listenerCount('error')
          : 0;
      expect(listeners).toBeLessThan(3);
      await connection.release();
      await store.close();
      await pool.end();
    });
  }

  test('connections of its own are set up the same, whatever the defaults of the server and the user are', async () => {
    const store = createMysqlStore({ url: database.url, connections: 1 });
    await store.migrate();
    await sql('CREATE TABLE seen (settings TEXT)');
    await sql(`CREATE TRIGGER sees BEFORE INSERT ON audit_head FOR EACH ROW
      INSERT INTO seen SELECT CONCAT_WS(';', @@session.time_zone, IF(@@session.foreign_key_checks, 1, 0),
        IF(@@session.unique_checks, 1, 0), IF(@@session.autocommit, 1, 0), @@session.character_set_client, ${ISOLATION}, @@session.lock_wait_timeout)`);
    await store.append(makeEvents(1, 0, 1));
    await store.seal({ log: LOG, limit: 1, compute: createSealBatch() });
    expect(await sql('SELECT settings FROM seen')).toEqual([
      { settings: '+00:00;1;1;1;utf8mb4;READ-COMMITTED;1' },
    ]);
    await store.close();
  });

  test('a process that closes nothing ends all the same', async () => {
    const store = createMysqlStore({ url: database.url });
    await store.migrate();
    await store.close();
    const child = startChild(new URL('./child/forgetful.mjs', import.meta.url), [database.url]);
    expect(await child.done).toBe('ended');
    expect(await sql('SELECT COUNT(*) AS n FROM audit_event')).toEqual([{ n: '1' }]);
  });

  test('another database for the tables, by the URL too, keeps a log of its own beside the application', async () => {
    const other = await server.createDatabase();
    try {
      const name = new URL(other.url).pathname.slice(1);
      await sql('CREATE TABLE audit_event (name TEXT)');
      const store = await openStore(`${database.url}?audit_database=${name}`);
      expect(store.migrationSql).toContain(`USE \`${name}\``);
      await store.migrate();
      await store.check();
      await store.append(makeEvents(1, 0, 2));
      expect(await store.append(makeEvents(1, 1, 3))).toEqual({ appended: 1, duplicates: 1 });
      await store.seal({ log: LOG, limit: 10, compute: createSealBatch() });
      expect(await withRaw(other.url, (raw) => raw.all('SELECT COUNT(*) AS n FROM audit_entry'))).toEqual([
        { n: '3' },
      ]);
      expect(await sql('SHOW TABLES')).toHaveLength(1);
      expect(await store.transactional?.identify?.()).toMatch(new RegExp(`:${name}$`));
      const application = await connect(database.url);
      for (const { sql: text, params } of store.transactional?.statements(makeEvents(2, 0, 1)) ?? [])
        await application.execute(text, [...params]);
      await application.end();
      expect(await store.list()).toHaveLength(4);
      await store.close();
      const nameless = new URL(database.url);
      nameless.pathname = '/';
      const apart = createMysqlStore({ url: nameless.href, database: name });
      expect(await apart.list()).toHaveLength(4);
      await apart.close();
      const lost = createMysqlStore({ url: nameless.href });
      await expect(lost.migrate()).rejects.toMatchObject({
        message: expect.stringContaining('into the URL'),
      });
      await lost.close();
    } finally {
      await other.drop();
    }
  });

  test('options that are not to be are refused at once, and a URL is never repeated', async () => {
    const pool = mysql.createPool({ uri: database.url });
    for (const options of [
      {},
      { url: database.url, pool },
      { url: database.url, connections: 0 },
      { url: database.url, database: '' },
      { url: database.url, database: 'x'.repeat(65) },
      { url: database.url, roles: { writer: '' } },
    ]) {
      expect(() => createMysqlStore(options)).toThrow(TypeError);
    }
    await pool.end();
    await expect(openStore(database.url, { colour: 'red' })).rejects.toMatchObject({
      code: 'AUDIT_CONFIG_INVALID',
    });
    for (const wrong of ['mysql://ada:hush hush@[::1/x', 'mysql://ada:hush%zz@host/x', 'hush://host/x']) {
      try {
        createMysqlStore({ url: wrong });
        expect.unreachable();
      } catch (error) {
        const { inspect } = await import('node:util');
        expect(error).toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
        expect(inspect(error, { depth: 10 })).not.toContain('hush');
      }
    }
  });

  test('a store that only reads writes nothing', async () => {
    const store = createMysqlStore({ url: database.url });
    await store.migrate();
    await store.append(makeEvents(1, 0, 1));
    await store.close();
    const reader = await openStore(database.url, { readOnly: true, connections: 1 });
    expect(await reader.list()).toHaveLength(1);
    for (const call of [
      () => reader.append(makeEvents(1, 1, 2)),
      () => reader.migrate(),
      () => reader.seal({ log: LOG, limit: 1, compute: createSealBatch() }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
    }
    await reader.close();
  });
});
