import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertTells, type Snapshot } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, type JsonObject, type JsonValue, readBody } from '@indelible/core';
import Database from 'libsql';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMysql } from '../../packages/mysql/test/test-mysql.js';
import { describePostgres } from '../../packages/postgres/test/test-postgres.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const KEY = 'a test secret of more than thirty-two bytes';

/** A database that an application is given, and a way to read it that is neither the application's nor ours. */
interface Place {
  readonly url: string;
  /** What the audit has to be told, where the ORM's database is not at hand. */
  readonly storeUrl: string;
  query(sql: string): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

interface Application {
  readonly register: string;
  readonly tests: string;
  readonly urlName: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How many tests it has. */
  readonly count: number;
  /** By model: the table, its key, and its columns with their fields. */
  readonly tables: Readonly<
    Record<string, readonly [table: string, key: string, columns: Readonly<Record<string, string>>]>
  >;
}

const LIBRARY: Application = {
  register: '@indelible/typeorm/register',
  tests: 'typeorm/library.test.mjs',
  urlName: 'LIBRARY_URL',
  count: 8,
  tables: {
    Member: ['member', 'id', { id: 'id', name: 'name', loans: 'loans' }],
    Book: ['book', 'code', { code: 'code', title: 'title', copies_left: 'left' }],
    Loan: ['loan', 'id', { id: 'id', memberId: 'memberId', bookCode: 'bookCode', note: 'note' }],
  },
};

const SHOP: Application = {
  register: '@indelible/sequelize/register',
  tests: 'sequelize/shop.test.cjs',
  urlName: 'SHOP_URL',
  count: 6,
  tables: {
    Product: ['product', 'code', { code: 'code', label: 'label', in_stock: 'stock' }],
    Order: ['shop_order', 'id', { id: 'id', customer: 'customer', state: 'state' }],
    Line: ['line', 'id', { id: 'id', amount: 'amount', orderId: 'orderId', productCode: 'productCode' }],
  },
};

const notes = (kind: 'cjs' | 'esm'): Application => ({
  register: '@indelible/prisma/register',
  tests: 'prisma/notes.test.cjs',
  urlName: 'NOTES_FILE',
  env: { NOTES_CLIENT: kind },
  count: 7,
  tables: {
    Notebook: ['notebook', 'id', { id: 'id', name: 'name' }],
    Note: ['note', 'id', { id: 'id', text: 'text', pinned: 'pinned', notebook_id: 'notebookId' }],
  },
});

const directory = mkdtempSync(join(tmpdir(), 'indelible-second-apps-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Run {
  readonly code: number;
  readonly passed: number;
  readonly output: string;
}

function run(
  app: Application,
  url: string,
  preload: boolean,
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const args = ['--test-reporter=tap', ...(preload ? ['--import', app.register] : []), join(HERE, app.tests)];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: HERE, env: { ...process.env, NODE_OPTIONS: '', ...app.env, [app.urlName]: url, ...env } },
      (error, stdout, stderr) => {
        const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, passed, output: `${stdout}\n${stderr}` });
      },
    );
  });
}

async function snapshot(app: Application, place: Place): Promise<Snapshot> {
  const models = new Map<string, Map<string, JsonObject>>();
  const quote = place.url.startsWith('mysql') ? '`' : '"';
  for (const [model, [table, key, columns]] of Object.entries(app.tables)) {
    const names = Object.keys(columns).map((name) => `${quote}${name}${quote}`);
    const byId = new Map<string, JsonObject>();
    for (const values of await place.query(`SELECT ${names.join(', ')} FROM ${quote}${table}${quote}`)) {
      const row = Object.fromEntries(
        Object.values(columns).map((field, at) => [field, values[at] as JsonValue]),
      );
      byId.set(String(row[key]), row);
    }
    models.set(model, byId);
  }
  return models;
}

async function readEvents(place: Place): Promise<readonly AuditEvent[]> {
  const table = place.url.startsWith('postgres') ? 'audit.audit_event' : 'audit_event';
  const rows = await place.query(`SELECT body FROM ${table} WHERE category = 'data' ORDER BY id`);
  return rows.map(([body]) => {
    if (!(body instanceof Uint8Array)) throw new TypeError('a body is bytes');
    return readBody(body);
  });
}

/** What the application's own tests come to, with and without; and then the log, held to every row that they have left. */
function holds(app: Application, makePlace: () => Promise<Place>): void {
  test('passes its own tests with auditing switched on from outside, and every row is on record', async () => {
    const plain = await makePlace();
    const audited = await makePlace();
    try {
      const without = await run(app, plain.url, false);
      expect(without, without.output).toMatchObject({ code: 0, passed: app.count });
      const withAudit = await run(app, audited.url, true, { AUDIT_HMAC_KEY: KEY, AUDIT_MIGRATE: '1' });
      expect(withAudit, withAudit.output).toMatchObject({ code: 0, passed: app.count });

      const rows = await snapshot(app, audited);
      expect(rows).toEqual(await snapshot(app, plain));
      const empty = new Map(Object.keys(app.tables).map((model) => [model, new Map<string, JsonObject>()]));
      const events = await readEvents(audited);
      assertTells(events, empty, rows);
      expect(events.length).toBeGreaterThan(10);

      const audit = createAudit({ store: audited.storeUrl, hmacKey: KEY, lifecycleEvents: false });
      const verdicts = await audit.verify();
      await audit.close();
      expect(verdicts.map(({ result, findings }) => [result, findings])).toEqual([['valid', []]]);
    } finally {
      await plain.close();
      await audited.close();
    }
  }, 90_000);
}

let files = 0;

async function createFile(): Promise<Place> {
  files += 1;
  const url = join(directory, `app-${files}.db`);
  return {
    url,
    storeUrl: `file:${url}`,
    query: async (sql) => {
      const database = new Database(url);
      try {
        return database.prepare(sql).raw().all() as unknown[][];
      } finally {
        database.close();
      }
    },
    close: async () => undefined,
  };
}

describe('a library with TypeORM on SQLite', () => {
  holds(LIBRARY, createFile);
});

describe('notebooks with Prisma on SQLite', () => {
  beforeAll(() => {
    const tsc = join(HERE, '../../node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', join(HERE, 'prisma')], { stdio: 'pipe' });
  });
  describe.each(['cjs', 'esm'] as const)('as a module of the kind %s', (kind) => {
    holds(notes(kind), createFile);

    test('names the models whose reads are recorded from outside', async () => {
      const place = await createFile();
      const env = { AUDIT_HMAC_KEY: KEY, AUDIT_MIGRATE: '1', AUDIT_READS: 'Note' };
      const { code, output } = await run(notes(kind), place.url, true, env);
      expect(code, output).toBe(0);
      const rows = await place.query(`SELECT DISTINCT action FROM audit_event WHERE category = 'access'`);
      expect(rows).toEqual([['note.read']]);
    }, 60_000);
  });

  test('fails with a code where it can not be audited, instead of running unaudited', async () => {
    const place = await createFile();
    const { code, output } = await run(notes('cjs'), place.url, true, { AUDIT_READS: 'Nothing' });
    expect(code).not.toBe(0);
    expect(output).toContain('no model "Nothing"');
    const wrong = await run(notes('cjs'), place.url, true, { AUDIT_MIGRATE: 'maybe' });
    expect(wrong.code).not.toBe(0);
    expect(wrong.output).toContain('AUDIT_MIGRATE takes 1 or 0');
  }, 60_000);
});

describePostgres('applications that know nothing of the audit', (server) => {
  const createPlace = async (): Promise<Place> => {
    const { url, drop } = await server.createDatabase();
    return {
      url,
      storeUrl: url,
      query: async (sql) => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
        await client.end();
        return rows;
      },
      close: drop,
    };
  };
  describe('a library with TypeORM', () => holds(LIBRARY, createPlace));
  describe('a shop with Sequelize', () => holds(SHOP, createPlace));
});

describeMysql('applications that know nothing of the audit', (server) => {
  const createPlace = async (): Promise<Place> => {
    const { url, drop } = await server.createDatabase();
    return {
      url,
      storeUrl: url,
      query: async (sql) => {
        const connection = await mysql.createConnection(url);
        const [rows] = await connection.query<mysql.RowDataPacket[][]>({ sql, rowsAsArray: true });
        await connection.end();
        return rows as unknown as unknown[][];
      },
      close: drop,
    };
  };
  describe('a library with TypeORM', () => holds(LIBRARY, createPlace));
  describe('a shop with Sequelize', () => holds(SHOP, createPlace));
});
