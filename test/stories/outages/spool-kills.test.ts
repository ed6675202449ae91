import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AuditEvent, type AuditStore, createAudit, readBody } from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import { createPostgresStore } from '@indelible/postgres';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRaw as openMysqlRaw } from '../../../packages/mysql/test/raw-connection.js';
import { describeMysql } from '../../../packages/mysql/test/test-mysql.js';
import { openRaw } from '../../../packages/postgres/test/raw-connection.js';
import { describePostgres } from '../../../packages/postgres/test/test-postgres.js';
import { WaywardProxy } from './wayward-proxy.js';

const SPOOLER = fileURLToPath(new URL('../children/spooler.mjs', import.meta.url));
const SECRET = 'the secret of the story of killed spools';
const FIRST = 4_000;
const ALL = 6_000;
const KILLS = 4;

/** A store that can be taken away, and a way to its tables past everything of ours. */
interface Place {
  readonly url: string;
  away(): void;
  /** Back, and so slow that a replay can be met on its way. */
  slow(): void;
  back(): void;
  bodies(): Promise<readonly Uint8Array[]>;
  dispose(): Promise<void>;
}

function start(args: readonly string[]) {
  const { NODE_PATH: _, ...env } = process.env;
  const child = spawn(process.execPath, [SPOOLER, ...args], {
    env: { ...env, AUDIT_HMAC_KEY: SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let complaints = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    complaints += data.toString();
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    lines: () => output.split('\n').slice(0, -1),
    complaints: () => complaints,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface SpoolWork {
  readonly from: number;
  readonly to: number;
  /** Events that the spool takes. */
  readonly most: number;
  /** Where one event more goes, or why it does not. */
  readonly atEnd: string;
}

/** Records while the store is away, says how it went, and is killed. @returns the ids that were promised */
async function spoolUntilKilled(
  place: Place,
  spool: string,
  { from, to, most, atEnd }: SpoolWork,
): Promise<string[]> {
  const child = start([place.url, spool, ...[from, to, most].map(String)]);
  const isDone = () => child.lines().at(-1)?.endsWith(' end') === true;
  await expect.poll(isDone, { timeout: 40_000, interval: 20 }).toBe(true);
  await child.kill();
  const lines = child.lines();
  expect(lines.pop()).toBe(`${atEnd} end`);
  expect(lines.every((line) => line.startsWith('spool '))).toBe(true);
  return lines.map((line) => line.slice('spool '.length));
}

async function tell(place: Place): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-spool-kills-'));
  const spool = join(directory, 'spool');
  onTestFinished(async () => {
    await place.dispose();
    rmSync(directory, { recursive: true, force: true });
  });
  const logins = async (): Promise<AuditEvent[]> =>
    (await place.bodies()).map(readBody).filter(({ action }) => action === 'auth.login');

  place.away();
  // The spool is bounded: one event more is refused, and says why.
  const bounded = { from: 0, to: FIRST, most: FIRST, atEnd: 'AUDIT_SPOOL_FULL' };
  const told = await spoolUntilKilled(place, spool, bounded);
  const second = { from: FIRST, to: ALL, most: 1_000_000, atEnd: 'spool' };
  told.push(...(await spoolUntilKilled(place, spool, second)));
  expect(told).toHaveLength(ALL);
  place.slow();
  const met: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = (await place.bodies()).length;
    const child = start([place.url, spool]);
    const hasBegun = async () => (await place.bodies()).length > before + 1;
    for (let tries = 0; tries < 2_000 && !(await hasBegun()); tries += 1) await pause(2);
    await pause(Math.random() * 30);
    await child.kill();
    // What is there is the beginning of what was told, without a gap, and nothing of it twice.
    const ids = (await logins()).map(({ id }) => id);
    expect(ids).toEqual(told.slice(0, ids.length));
    met.push(ids.length);
  }
  // At least one was met in the middle.
  expect(met.some((count) => count > 0 && count < ALL)).toBe(true);

  place.back();
  const errors: (Error & { code?: string })[] = [];
  const audit = createAudit({
    store: place.url,
    hmacKey: SECRET,
    lifecycleEvents: false,
    storeTimeoutMs: 10_000,
    spool: { directory: spool },
    onError: (error) => errors.push(error),
  });
  await audit.record({ action: 'auth.logout' });
  const left = () => readdirSync(spool).filter((name) => name.endsWith('.spool')).length;
  for (let tries = 0; tries < 100 && left() > 0; tries += 1) {
    await pause(50);
    await audit.flush();
  }
  await audit.flush();
  const health = audit.health();
  await audit.seal();
  const verdicts = await audit.verify();
  await audit.close();
  expect(left()).toBe(0);
  const stored = await logins();
  expect(stored.map(({ id }) => id)).toEqual(told);
  expect(stored.map(({ details }) => Number(details?.n))).toEqual(told.map((_, n) => n));
  expect(health).toMatchObject({ lost: 0, spooled: 0 });
  expect(verdicts.map(({ result }) => result)).toEqual(['valid']);
  expect(errors.filter(({ code }) => code !== 'AUDIT_SPOOL_DAMAGED')).toEqual([]);
}

async function migrated(store: AuditStore): Promise<void> {
  await store.migrate();
  await store.close();
}

describe('what processes that were killed left in the spool comes back in order and once', () => {
  test('to a file', async () => {
    const root = mkdtempSync(join(tmpdir(), 'indelible-spool-file-'));
    const data = join(root, 'data');
    mkdirSync(data);
    const file = join(data, 'audit.db');
    await migrated(createSqliteStore({ file, driver: 'libsql' }));
    await tell({
      url: `file:${file}`,
      away: () => renameSync(data, `${data}.away`),
      slow: () => renameSync(`${data}.away`, data),
      back: () => {},
      bodies: async () => {
        if (!existsSync(file)) return [];
        const database = new Database(file, { readonly: true });
        try {
          const rows = database.prepare('SELECT body FROM audit_event ORDER BY id').raw().all();
          return (rows as unknown[][]).map(([body]) => body as Uint8Array);
        } finally {
          database.close();
        }
      },
      dispose: async () => rmSync(root, { recursive: true, force: true }),
    });
  }, 120_000);
});

/** A database behind a proxy. */
async function behindProxy(
  database: { readonly url: string; drop(): Promise<void> },
  openConnection: typeof openRaw,
  table: string,
): Promise<Place> {
  const raw = await openConnection(database.url);
  const proxy = new WaywardProxy(database.url);
  return {
    url: await proxy.open(),
    away: () => {
      proxy.way = 'cut';
    },
    slow: () => {
      proxy.way = { delayMs: 30 };
    },
    back: () => {
      proxy.way = 'open';
    },
    bodies: async () =>
      (await raw.all(`SELECT body FROM ${table} ORDER BY id`)).map(({ body }) => body as Buffer),
    dispose: async () => {
      await raw.close();
      await proxy.close();
      await database.drop();
    },
  };
}

describePostgres(
  'what processes that were killed left in the spool comes back in order and once',
  (server) => {
    test('to a server', async () => {
      const database = await server.createDatabase();
      await migrated(createPostgresStore({ url: database.url, roles: false }));
      await tell(await behindProxy(database, openRaw, 'audit.audit_event'));
    }, 120_000);
  },
);

describeMysql('what processes that were killed left in the spool comes back in order and once', (server) => {
  test('to a server', async () => {
    const database = await server.createDatabase();
    await migrated(createMysqlStore({ url: database.url }));
    await tell(await behindProxy(database, openMysqlRaw, 'audit_event'));
  }, 120_000);
});
