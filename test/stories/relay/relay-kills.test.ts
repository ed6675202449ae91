import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type AuditStore,
  createAudit,
  type PreparedEvent,
  readBody,
  type SqlStatement,
} from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import { createPostgresStore } from '@indelible/postgres';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { expect, test } from 'vitest';
import {
  openRaw as openMysqlRaw,
  withRaw as withMysqlRaw,
} from '../../../packages/mysql/test/raw-connection.js';
import { describeMysql, type TestMysql } from '../../../packages/mysql/test/test-mysql.js';
import { openRaw, withRaw } from '../../../packages/postgres/test/raw-connection.js';
import { describePostgres, type TestPostgres } from '../../../packages/postgres/test/test-postgres.js';

const BIN = fileURLToPath(new URL('../../../packages/cli/dist/bin.js', import.meta.url));
const SECRET = 'the secret of the story of the relay';
const KILLS = 12;
const TENANTS = [undefined, 'north', 'south'];

/** A database, and ways into it that lead past our code. */
interface Side {
  readonly url: string;
  readonly store: AuditStore;
  /** In front of the names of the audit tables. */
  readonly schema: string;
  readonly begin: string;
  execute(statement: SqlStatement): Promise<void>;
  numbers(sql: string): Promise<number[]>;
  bodies(sql: string): Promise<Uint8Array[]>;
  dispose(): Promise<void>;
}

const EVENTS = (schema: string) => `SELECT e.body FROM ${schema}audit_event e
  LEFT JOIN ${schema}audit_entry n ON n.event_id = e.id ORDER BY n.log, n.idx`;

async function openPostgres(server: TestPostgres): Promise<Side> {
  const database = await server.createDatabase();
  const store = createPostgresStore({ url: database.url, roles: false });
  const raw = await openRaw(database.url);
  return {
    url: database.url,
    store,
    schema: 'audit.',
    begin: 'BEGIN',
    execute: async ({ sql, params }) => {
      await raw.all(sql, params);
    },
    numbers: (sql) =>
      withRaw(database.url, async (own) => (await own.all(sql)).map((row) => Number(Object.values(row)[0]))),
    bodies: (sql) =>
      withRaw(database.url, async (own) => (await own.all(sql)).map(({ body }) => body as Buffer)),
    dispose: async () => {
      await raw.close();
      await store.close();
      await database.drop();
    },
  };
}

async function openMysql(server: TestMysql): Promise<Side> {
  const database = await server.createDatabase();
  const store = createMysqlStore({ url: database.url });
  const raw = await openMysqlRaw(database.url);
  return {
    url: database.url,
    store,
    schema: '',
    begin: 'START TRANSACTION',
    execute: async ({ sql, params }) => {
      await raw.all(sql, params);
    },
    numbers: (sql) =>
      withMysqlRaw(database.url, async (own) =>
        (await own.all(sql)).map((row) => Number(Object.values(row)[0])),
      ),
    bodies: (sql) =>
      withMysqlRaw(database.url, async (own) => (await own.all(sql)).map(({ body }) => body as Buffer)),
    dispose: async () => {
      await raw.close();
      await store.close();
      await database.drop();
    },
  };
}

async function openFile(): Promise<Side> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-relay-'));
  const file = join(directory, 'data.db');
  const store = createSqliteStore({ file, driver: 'libsql', busyTimeoutMs: 10_000 });
  const raw = new Database(file);
  raw.exec('PRAGMA busy_timeout = 10000');
  return {
    url: `file:${file}`,
    store,
    schema: '',
    begin: 'BEGIN IMMEDIATE',
    execute: async ({ sql, params }) => {
      raw.prepare(sql).run(params);
    },
    numbers: async (sql) => (raw.prepare(sql).raw().all() as unknown[][]).map(([value]) => Number(value)),
    bodies: async (sql) =>
      (raw.prepare(sql).raw().all() as unknown[][]).map(([value]) => value as Uint8Array),
    dispose: async () => {
      raw.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Business rows and their events in transactions of the application, some of them rolled back. */
async function write(side: Side, make: (n: number) => Promise<PreparedEvent>, on: AbortSignal) {
  const { outbox } = side.store;
  if (outbox === undefined) throw new Error('there is no outbox');
  const plain = (sql: string) => side.execute({ sql, params: [] });
  const ids: string[] = [];
  for (let n = 0; !on.aborted; n += 1) {
    await plain(side.begin);
    await plain(`INSERT INTO item (id) VALUES (${n})`);
    const event = await make(n);
    for (const statement of outbox.transactional.statements([event], { isFresh: true })) {
      await side.execute(statement);
    }
    const isKept = n % 7 !== 3;
    await plain(isKept ? 'COMMIT' : 'ROLLBACK');
    if (isKept) ids.push(event.id);
    if (n % 5 === 0) await pause(1);
  }
  return ids;
}

async function killRelays(from: Side, to: Side): Promise<number> {
  let talked = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const relays = [startRelay(from, to), ...(kill % 3 === 0 ? [startRelay(from, to)] : [])];
    const [first] = relays;
    const heard = new Promise<void>((resolve) => {
      first?.stdout?.once('data', () => resolve());
    });
    await Promise.race([heard.then(() => (talked += 1)), pause(20_000)]);
    await pause(Math.random() * 120);
    await Promise.all(
      relays.map((relay) => {
        const gone = new Promise((resolve) => relay.once('exit', resolve));
        relay.kill('SIGKILL');
        return gone;
      }),
    );
  }
  return talked;
}

function startRelay(from: Side, to: Side, ...args: string[]): ChildProcess {
  const { NODE_PATH: _, ...env } = process.env;
  const watch = args.length === 0 ? ['--watch', '--interval', '5ms', '--json'] : args;
  return spawn(process.execPath, [BIN, 'relay', '--from', from.url, '--to', to.url, ...watch], {
    env,
    stdio: ['ignore', 'pipe', args.length === 0 ? 'ignore' : 'inherit'],
  });
}

async function tell(open: () => Promise<{ from: Side; to: Side }>): Promise<void> {
  const { from, to } = await open();
  const spool = mkdtempSync(join(tmpdir(), 'indelible-relay-spool-'));
  const audit = createAudit({
    store: to.store,
    hmacKey: SECRET,
    lifecycleEvents: false,
    sealAfterMs: false,
    storeTimeoutMs: 15_000,
    spool: { directory: spool },
  });
  try {
    for (const { store } of [from, to]) await store.migrate();
    await from.execute({ sql: 'CREATE TABLE item (id INTEGER PRIMARY KEY)', params: [] });
    const stop = new AbortController();
    const make = async (n: number): Promise<PreparedEvent> => {
      const tenant = TENANTS[n % TENANTS.length];
      const context = tenant === undefined ? {} : { tenant };
      const [event] = await audit.prepare([
        { action: 'item.created', category: 'data', details: { n }, context },
      ]);
      if (event === undefined) throw new Error('no event was made');
      return event;
    };
    const written = write(from, make, stop.signal);
    const sealing = (async () => {
      while (!stop.signal.aborted) {
        await audit.seal();
        await pause(20);
      }
    })();
    expect(await killRelays(from, to)).toBeGreaterThan(KILLS / 2);
    stop.abort();
    const ids = await written;
    await sealing;
    const last = startRelay(from, to, '--json');
    expect(await new Promise((resolve) => last.once('exit', resolve))).toBe(0);
    await audit.seal();

    expect(await from.numbers(`SELECT count(*) FROM ${from.schema}audit_outbox`)).toEqual([0]);
    const events = (await to.bodies(EVENTS(to.schema))).map(readBody);
    expect(events.map(({ id }) => id).sort()).toEqual(ids);
    expect(events.map(({ details }) => Number(details?.n)).sort((one, other) => one - other)).toEqual(
      await from.numbers('SELECT id FROM item ORDER BY id'),
    );
    // In the order in which they are sealed, log by log: that in which they were committed.
    for (const log of new Set(events.map((event) => event.log))) {
      const ofLog = events.filter((event) => event.log === log).map(({ details }) => Number(details?.n));
      expect(ofLog).toEqual([...ofLog].sort((one, other) => one - other));
    }
    expect((await audit.verify()).map(({ result }) => result)).toEqual(['valid', 'valid', 'valid']);
    expect(ids.length).toBeGreaterThan(KILLS * 10);
  } finally {
    await audit.close();
    await from.dispose();
    await to.dispose();
    rmSync(spool, { recursive: true, force: true });
  }
}

describePostgres('a relay that is killed again and again loses, doubles and reorders nothing', (server) => {
  test(
    'from a file to the server',
    () => tell(async () => ({ from: await openFile(), to: await openPostgres(server) })),
    120_000,
  );

  test(
    'from the server to a file',
    () => tell(async () => ({ from: await openPostgres(server), to: await openFile() })),
    120_000,
  );
});

describeMysql('a relay that is killed again and again loses, doubles and reorders nothing', (server) => {
  test(
    'from a file to the server',
    () => tell(async () => ({ from: await openFile(), to: await openMysql(server) })),
    120_000,
  );

  test(
    'from the server to a file',
    () => tell(async () => ({ from: await openMysql(server), to: await openFile() })),
    120_000,
  );
});
