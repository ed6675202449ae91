import { createSealBatch, type PreparedEvent, type SqlStatement } from '@indelible/core';
import mysql, { type Connection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { databaseNameSql } from '../src/index.js';
import { createMysqlStore } from '../src/mysql-store.js';
import { openRaw, withRaw } from './raw-connection.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

describeMysql('statements for a foreign transaction', (server) => {
  let database: TestDatabase;
  let store: ReturnType<typeof createMysqlStore>;
  beforeAll(async () => {
    database = await server.createDatabase();
    store = createMysqlStore({ url: database.url });
    await store.migrate();
    await withRaw(database.url, (raw) =>
      raw.all('CREATE TABLE patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40))'),
    );
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const transactional = () => {
    if (store.transactional === undefined) throw new Error('expected statements');
    return store.transactional;
  };
  const statementsOf = (events: readonly PreparedEvent[], isFresh = false) =>
    transactional().statements(events, { isFresh });

  /** A connection as an ORM might have it, by both protocols. */
  async function withConnection(
    settings: mysql.ConnectionOptions,
    work: (
      run: (statement: SqlStatement, method?: 'query' | 'execute') => Promise<number>,
      connection: Connection,
    ) => Promise<void>,
  ): Promise<void> {
    const connection = await mysql.createConnection({ uri: database.url, ...settings });
    try {
      await work(async ({ sql, params }, method = 'execute') => {
        const [result] =
          method === 'query'
            ? await connection.query(sql, [...params])
            : await connection.execute(sql, [...params]);
        return 'affectedRows' in result ? result.affectedRows : -1;
      }, connection);
    } finally {
      await connection.end();
    }
  }

  async function count(connection: Connection, statement: SqlStatement): Promise<number> {
    const [rows] = await connection.execute({ sql: statement.sql, rowsAsArray: true }, [...statement.params]);
    return Number(Array.isArray(rows) && Array.isArray(rows[0]) ? rows[0][0] : Number.NaN);
  }

  test('a few statements take thousands of events, and count them', async () => {
    const statements = statementsOf(makeEvents(1, 0, 5_000), true);
    expect(statements.length).toBeLessThan(8);
    await withConnection({}, async (run) => {
      let stored = 0;
      for (const statement of statements) stored += await run(statement, 'query');
      expect(stored).toBe(5_000);
    });
    const large = makeEvents(2, 0, 3).map((event) => ({ ...event, body: Buffer.alloc(600_000) }));
    expect(statementsOf(large)).toHaveLength(3);
  });

  test('what is stored with the same bytes is passed over and not counted; other bytes are told by countStored', async () => {
    await withConnection({}, async (run, connection) => {
      const runAll = async (events: readonly PreparedEvent[], isFresh = false) => {
        let stored = 0;
        for (const statement of statementsOf(events, isFresh)) stored += await run(statement);
        return stored;
      };
      const stands = (events: readonly PreparedEvent[]) => {
        const statement = transactional().countStored?.(events);
        if (statement === undefined) throw new Error('expected a statement');
        return count(connection, statement);
      };
      expect(await runAll(makeEvents(2, 0, 3))).toBe(3);
      expect(await stands(makeEvents(2, 0, 3))).toBe(3);
      expect(await runAll(makeEvents(2, 1, 5))).toBe(2);
      expect(await stands(makeEvents(2, 1, 5))).toBe(4);
      const [other] = makeEvents(2, 1, 2).map((event) => ({
        ...event,
        body: Buffer.from('{}'),
        leaf: Buffer.alloc(32),
      }));
      if (other === undefined) throw new Error('no event');
      expect(await runAll([other, makeEvent(2, 2)])).toBe(0);
      expect(await stands([other, makeEvent(2, 2)])).toBe(1);
      expect(await stands([makeEvent(2, 99)])).toBe(0);
      await expect(runAll([makeEvent(2, 1)], true)).rejects.toMatchObject({ errno: 1062 });
      expect(() => statementsOf([makeEvent(2, 9), { ...makeEvent(2, 9), body: Buffer.from('{}') }])).toThrow(
        expect.objectContaining({ code: 'AUDIT_ID_CONFLICT' }),
      );
      expect(await runAll([makeEvent(2, 9), makeEvent(2, 9)])).toBe(1);
    });
  });

  test('a retry sees what was committed after the snapshot of its transaction was taken', async () => {
    await withConnection({}, async (run, connection) => {
      await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      await store.append(makeEvents(3, 0, 4));
      for (const statement of statementsOf(makeEvents(3, 0, 4))) expect(await run(statement)).toBe(0);
      const statement = transactional().countStored?.(makeEvents(3, 0, 4));
      expect(statement === undefined ? -1 : await count(connection, statement)).toBe(4);
      await connection.query('COMMIT');
    });
  });

  test('LAST_INSERT_ID() stays, and COMMIT leaves ROW_COUNT() as it always does', async () => {
    await withConnection({}, async (run, connection) => {
      const ask = async (sql: string) => (await connection.query({ sql, rowsAsArray: true }))[0];
      for (const isFresh of [true, false]) {
        await connection.query('START TRANSACTION');
        await connection.query("INSERT INTO patient (name) VALUES ('Ada'), ('Grace')");
        const id = await ask('SELECT LAST_INSERT_ID()');
        for (const statement of statementsOf(makeEvents(isFresh ? 4 : 5, 0, 3), isFresh))
          await run(statement);
        expect(await ask('SELECT LAST_INSERT_ID()')).toEqual(id);
        await connection.query('COMMIT');
        expect(await ask('SELECT ROW_COUNT()')).toEqual([[0]]);
      }
    });
  });

  let writer = 100;
  test.each([
    ['a character set without emoji', { charset: 'UTF8_GENERAL_CI' }, []],
    ['a character set of one byte', { charset: 'latin1' }, []],
    ['a sql_mode that is not strict', {}, ["SET SESSION sql_mode = ''"]],
    [
      'quotes and backslashes that mean something else',
      {},
      ["SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'"],
    ],
    [
      'another time zone and collation',
      {},
      ["SET time_zone = '+11:00', collation_connection = 'utf8mb4_bin'"],
    ],
  ] as const)('stores the same bytes and columns through %s', async (what, settings, setUp) => {
    const body = Uint8Array.from({ length: 256 }, (_, at) => at);
    const texts = {
      actorId: 'O\'Hara \\"%s? 🧑‍⚕️ Größe',
      resourceId: 'ÿ\u0080\ufffd',
      tenant: '',
      requestId: '𝒜',
    };
    const events = makeEvents(writer++, 0, 2).map((event) => ({
      ...event,
      body,
      columns: { ...event.columns, ...texts },
    }));
    await withConnection(settings, async (run, connection) => {
      for (const sql of setUp) await connection.query(sql);
      // What a driver puts into the text of a statement is its own affair where backslashes escape nothing.
      const byText = what.includes('backslashes') ? 'execute' : 'query';
      for (const [at, event] of events.entries()) {
        for (const statement of statementsOf([event], at === 0))
          expect(await run(statement, at === 0 ? byText : 'execute')).toBe(1);
      }
    });
    for (const event of events) {
      const found = await store.find(event.id);
      expect(found?.columns).toEqual(event.columns);
      expect(Buffer.from(found?.body ?? [])).toEqual(Buffer.from(body));
    }
    expect((await store.list({ actorId: texts.actorId, limit: 100 })).length).toBeGreaterThanOrEqual(2);
  });

  test('two open transactions both write, and neither they nor a seal wait for one another', async () => {
    await sealAll();
    const [one, two] = [await openRaw(database.url), await openRaw(database.url)];
    for (const [writer, raw] of [one, two].entries()) {
      await raw.all('SET SESSION innodb_lock_wait_timeout = 2; START TRANSACTION');
      for (const { sql, params } of statementsOf(makeEvents(10 + writer, 0, 20), writer === 0))
        await raw.all(sql, params);
    }
    await store.append(makeEvents(12, 0, 20));
    expect(await sealAll()).toBe(20);
    await two.all('COMMIT');
    expect(await sealAll()).toBe(20);
    await one.all('COMMIT');
    expect(await sealAll()).toBe(20);
    await one.close();
    await two.close();
  });

  async function sealAll(): Promise<number> {
    let total = 0;
    for (;;) {
      const { sealed, busy } = await store.seal({ log: LOG, limit: 1_000, compute: createSealBatch() });
      expect(busy).toBe(false);
      total += sealed;
      if (sealed === 0) return total;
    }
  }

  test('the database has one name by every way that leads to it, and another one has another', async () => {
    const other = await server.createDatabase();
    const away = createMysqlStore({ url: other.url });
    await away.migrate();
    const name = await store.transactional?.identify?.();
    expect(name).toMatch(/^mysql:[0-9a-f-]{36}:indelible_test_\w+$/);
    const byHost = new URL(database.url);
    byHost.hostname = 'localhost';
    for (const url of [database.url, byHost.href]) {
      expect(await withRaw(url, (raw) => raw.all(databaseNameSql()))).toEqual([{ name }]);
    }
    const own = new URL(database.url).pathname.slice(1);
    expect(await withRaw(other.url, (raw) => raw.all(databaseNameSql(own)))).toEqual([{ name }]);
    expect(await away.transactional?.identify?.()).not.toBe(name);
    await away.close();
    await other.drop();
  });
});
