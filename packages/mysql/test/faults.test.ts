import { createServer } from 'node:net';
import { createSealBatch } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { withRaw } from './raw-connection.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

describeMysql('faults', (server) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await server.createDatabase();
  });
  afterEach(() => database.drop());

  const sql = (statement: string) => withRaw(database.url, (raw) => raw.all(statement));
  const open = (url = database.url) => createMysqlStore({ url });

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
          url.username = 'nobody';
          url.password = 'hush-hush';
        }),
        /does not let this user in/,
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
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = changed((given) => {
      given.port = String(address.port);
    });
    const store = createMysqlStore({ url, connectTimeoutMs: 200 });
    await expect(store.append(makeEvents(1, 0, 1))).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
    await store.close();
    silent.close();
  });

  test('connections that are all in use are waited for as long as it was said, and work again afterwards', async () => {
    await (await migrated()).close();
    const store = createMysqlStore({ url: database.url, connections: 1, connectTimeoutMs: 300 });
    await store.append(makeEvents(1, 0, 1));
    await withRaw(database.url, async (holder) => {
      await holder.all('LOCK TABLES audit_event WRITE, audit_pending WRITE');
      const waiting = store.append(makeEvents(1, 1, 2));
      await expect(store.append(makeEvents(1, 2, 3))).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
      await holder.all('UNLOCK TABLES');
      expect(await waiting).toEqual({ appended: 1, duplicates: 0 });
    });
    expect(await store.append(makeEvents(1, 2, 3))).toEqual({ appended: 1, duplicates: 0 });
    await store.close();
  });

  /** Makes every insertion fail with this error, or as often as it is said. */
  async function failWith(number: number, times = 1_000): Promise<void> {
    await sql('CREATE TABLE IF NOT EXISTS tries (n INT) ENGINE = MyISAM');
    await sql('DELETE FROM tries');
    await sql('DROP TRIGGER IF EXISTS fails');
    await sql(`CREATE TRIGGER fails BEFORE INSERT ON audit_event FOR EACH ROW BEGIN
      INSERT INTO tries VALUES (1);
      IF (SELECT COUNT(*) FROM tries) <= ${times} THEN
        SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = ${number}, MESSAGE_TEXT = 'as the server says it';
      END IF;
    END`);
  }

  test('a full disk, a cancelled statement and a lock that is not given are told apart', async () => {
    const store = await migrated();
    const faults = [
      [1021, 'AUDIT_STORE_UNAVAILABLE', /the disk is full/],
      [1114, 'AUDIT_STORE_UNAVAILABLE', /the table is full/],
      [1290, 'AUDIT_STORE_UNAVAILABLE', /read-only/],
      [1040, 'AUDIT_STORE_UNAVAILABLE', /no connection left/],
      [1449, 'AUDIT_STORE_UNAVAILABLE', /can not run the triggers.*the triggers anew/],
      [1317, 'AUDIT_STORE_TIMEOUT', /cancelled a statement/],
      [1205, 'AUDIT_STORE_TIMEOUT', /lock in time/],
      [1213, 'AUDIT_STORE_TIMEOUT', /deadlock/],
      [1419, 'AUDIT_STORE_UNAVAILABLE', /log_bin_trust_function_creators/],
    ] as const;
    for (const [number, code, message] of faults) {
      await failWith(number);
      await expect(store.append(makeEvents(1, 0, 1)), String(number)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    }
    await sql('DROP TRIGGER fails');
    expect(await store.append(makeEvents(1, 0, 1))).toEqual({ appended: 1, duplicates: 0 });
    await store.close();
  });

  test('a deadlock or a lock that is given late is tried again, and the event is stored once', async () => {
    const store = await migrated();
    for (const [at, number] of [1205, 1213].entries()) {
      await failWith(number, 4);
      expect(await store.append([makeEvent(1, at)])).toEqual({ appended: 1, duplicates: 0 });
      expect(await sql('SELECT COUNT(*) AS n FROM tries')).toEqual([{ n: '5' }]);
    }
    expect(await sql('SELECT COUNT(*) AS n FROM audit_event')).toEqual([{ n: '2' }]);
    await store.close();
  });

  test('connections that the server ended are replaced without anybody noticing', async () => {
    const store = await migrated();
    const kill = () =>
      withRaw(database.url, async (raw) => {
        const connections = await raw.all(
          'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
        );
        expect(connections.length).toBeGreaterThan(0);
        for (const { id } of connections) await raw.all(`KILL ${id}`);
      });
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
    'audit_head',
    'audit_checkpoint',
    'audit_guard',
    'audit_migration',
  ]) {
    test(`a database that has lost ${table} fails the check with AUDIT_TABLES_MISSING`, async () => {
      const store = await migrated();
      await sql(`SET foreign_key_checks = 0; DROP TABLE ${table}`);
      await expect(store.check()).rejects.toMatchObject({
        code: 'AUDIT_TABLES_MISSING',
        message: expect.stringContaining('npx indelible migrate'),
      });
      await store.close();
    });
  }

  test('a row that a trigger drops where duplicates are passed over is a failure of the append', async () => {
    const store = await migrated();
    const [first, second] = makeEvents(1, 0, 2);
    if (first === undefined || second === undefined) throw new Error('no events');
    await store.append([first]);
    // A trigger can not pass over a row; one that moves it to a key that is there already comes as near as can be.
    await sql(`CREATE TRIGGER drops BEFORE INSERT ON audit_event FOR EACH ROW
      SET NEW.id = IF(NEW.id = '${second.id}', '${first.id}', NEW.id)`);
    await expect(store.append([first, second])).rejects.toMatchObject({
      code: 'AUDIT_STORE_UNAVAILABLE',
      message: expect.stringContaining('triggers of audit_event'),
    });
    expect(await sql('SELECT id FROM audit_event')).toEqual([{ id: first.id }]);
    await store.close();
  });

  test('an event that no column can hold is refused by a code of its own, and a long one is not', async () => {
    const store = await migrated();
    const event = makeEvent(1, 1);
    const bad = [
      { ...event, id: 'no uuid' },
      { ...event, log: 'größer' },
      { ...event, log: 'audit ' },
      { ...event, log: 'x'.repeat(513) },
      { ...event, leaf: Buffer.alloc(31) },
    ];
    for (const each of bad) {
      await expect(store.append([each])).rejects.toMatchObject({ code: 'AUDIT_EVENT_INVALID' });
      for (const isFresh of [true, false]) {
        expect(() => store.transactional?.statements([each], { isFresh })).toThrow(
          expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }),
        );
      }
    }
    const long = Array.from({ length: 70_000 }, (_, at) =>
      String.fromCharCode(0x4e00 + ((at * 7_919) % 20_000)),
    ).join('');
    const columns = {
      ...event.columns,
      action: long,
      actorId: long,
      resourceId: long,
      resourceType: long,
      tenant: 'a\0b',
      requestId: long,
    };
    await store.append([{ ...event, columns }]);
    expect((await store.find(event.id))?.columns).toEqual(columns);
    const { action, actorId, resourceId, resourceType, requestId } = columns;
    const filter = { action, actorId, resourceId, resourceType, requestId };
    expect(await store.list(filter)).toHaveLength(1);
    for (const [field, value] of Object.entries(filter)) {
      expect(await store.list({ ...filter, [field]: `${value.slice(0, -1)}x` })).toEqual([]);
      expect(await store.list({ ...filter, [field]: `${value} ` })).toEqual([]);
    }
    await store.close();
  });

  test('texts are told apart to the byte: case, accents, forms, spaces at the end', async () => {
    const store = await migrated();
    const names = ['ada', 'Ada', 'adà', 'ada\u0300', 'ada ', 'ada\0', '', ' '];
    await store.append(
      names.map((actorId, at) => {
        const event = makeEvent(1, at);
        return { ...event, columns: { ...event.columns, actorId, transactionId: actorId } };
      }),
    );
    for (const name of names) {
      for (const filter of [{ actorId: name }, { transactionId: name }]) {
        const found = await store.list(filter);
        expect(found.map(({ columns }) => columns.actorId)).toEqual([name]);
      }
    }
    expect(await store.list({ log: `${LOG} ` })).toEqual([]);
    expect(await store.list({ log: 'größer' })).toEqual([]);
    await store.close();
  });

  test('what is larger than one packet goes in several, and one event that is says so', async () => {
    const store = await migrated();
    const [packet] = await sql('SELECT @@max_allowed_packet AS size');
    const size = Number(packet?.size);
    const part = Math.floor(size / 5);
    const large = Array.from({ length: 12 }, (_, at) => ({
      ...makeEvent(1, at),
      body: Buffer.alloc(part, at + 1),
    }));
    expect(await store.append(large)).toEqual({ appended: 12, duplicates: 0 });
    expect(await store.append(large)).toEqual({ appended: 0, duplicates: 12 });
    const sizes: number[] = [];
    await store.seal({
      log: LOG,
      limit: 12,
      compute: (_head, pending) => {
        for (const { body } of pending) sizes.push(body.every((byte) => byte === body[0]) ? body.length : 0);
        return { entries: [], head: null };
      },
    });
    expect(sizes).toEqual(Array(12).fill(part));
    await expect(
      store.append([makeEvent(2, 0), { ...makeEvent(2, 1), body: Buffer.alloc(size) }]),
    ).rejects.toMatchObject({
      code: 'AUDIT_EVENT_INVALID',
      message: expect.stringMatching(/takes \d+ in one packet.*max_allowed_packet/),
    });
    expect(await sql('SELECT COUNT(*) AS n FROM audit_event')).toEqual([{ n: '12' }]);
    await store.close();
  }, 120_000);

  test('a server that may lose commits is named by the check', async () => {
    const warnings: string[] = [];
    const store = createMysqlStore({
      url: database.url,
      onWarning: (warning) => warnings.push(warning),
    });
    await store.migrate();
    await store.check();
    expect(warnings).toEqual([]);
    await sql('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    try {
      await store.check();
      await store.check();
    } finally {
      await sql('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
    }
    expect(warnings).toEqual([expect.stringContaining('innodb_flush_log_at_trx_commit is 2')]);
    await store.close();
  });

  test('a seal does not wait for whoever alters the tables', async () => {
    const store = await migrated();
    await store.append(makeEvents(1, 0, 3));
    const compute = createSealBatch();
    await withRaw(database.url, async (holder) => {
      await holder.all('LOCK TABLES audit_entry WRITE');
      const started = performance.now();
      expect(await store.seal({ log: LOG, limit: 10, compute })).toEqual({ sealed: 0, busy: true });
      expect(performance.now() - started).toBeLessThan(8_000);
      await holder.all('UNLOCK TABLES');
    });
    expect((await store.seal({ log: LOG, limit: 10, compute })).sealed).toBe(3);
    await store.close();
  });
});
