import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Audit, type AuditOptions, createAudit, createRelay, readBody } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { createAuditExtension } from '../src/index.js';
import { PrismaClient } from './generated/client.js';
import { HMAC_KEY } from './prisma-harness.js';
import { getLibrary, type RawDatabase } from './sqlite-libraries.js';
import { createAdapter } from './test-adapters.js';

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');
const PATIENCE = { timeout: 15_000, interval: 20 };

interface Apart {
  readonly prisma: PrismaClient;
  readonly audit: Audit;
  readonly errors: (Error & { code?: string })[];
  /** The ORM's file and that of the log, in directories of their own. */
  readonly app: RawDatabase;
  readonly logFile: string;
  open(): { prisma: PrismaClient; audit: Audit };
}

/** A client whose database is not that of the log. */
async function apart(options: AuditOptions = { relay: 'own' }): Promise<Apart> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-outbox-'));
  const before = process.cwd();
  // The package of the store is found as an application's own.
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const { Database } = getLibrary('libsql');
  const file = join(directory, 'app.db');
  const app = new Database(file);
  app.exec(SCHEMA);
  const logFile = join(mkdtempSync(join(directory, 'log-')), 'audit.db');
  const errors: Error[] = [];
  const ends: (() => Promise<void>)[] = [];
  const open = () => {
    const audit = createAudit({
      store: createSqliteStore({ file: logFile, driver: 'libsql' }),
      hmacKey: HMAC_KEY,
      lifecycleEvents: false,
      spool: { directory: join(directory, 'spool') },
      onError: (error) => errors.push(error),
      ...options,
    });
    const prisma = new PrismaClient({
      adapter: createAdapter('libsql', file, () => {}),
      errorFormat: 'minimal',
    });
    prisma.$extends(createAuditExtension({ audit }));
    ends.push(async () => {
      await prisma.$disconnect();
      await audit.close();
    });
    return { prisma, audit };
  };
  onTestFinished(async () => {
    for (const end of ends) await end();
    app.close();
    process.chdir(before);
    rmSync(directory, { recursive: true, force: true });
  });
  const { prisma, audit } = open();
  await audit.migrate();
  return { prisma, audit, errors, app, logFile, open };
}

function logged({ logFile }: Apart): string[] {
  const { Database } = getLibrary('libsql');
  const database = new Database(logFile);
  try {
    const rows = database.prepare('SELECT body FROM audit_event ORDER BY id').raw().all() as [Uint8Array][];
    return rows.map(([body]) => readBody(body)).map(({ action, resource }) => `${action} ${resource?.id}`);
  } finally {
    database.close();
  }
}

const count = (database: RawDatabase, table: string): number =>
  Number((database.prepare(`SELECT count(*) FROM ${table}`).raw().all() as unknown[][])[0]?.[0]);

const fileOf = (database: RawDatabase): string =>
  String((database.prepare('PRAGMA database_list').raw().all() as unknown[][])[0]?.[2]);

const tag = (code: string) => ({ data: { code, label: 'x' } });

test('a store elsewhere gets what the ORM commits, and nothing that it does not', async () => {
  const one = await apart();
  const { prisma, audit, app } = one;
  await prisma.tag.create(tag('a'));
  await prisma.$transaction(async (tx) => {
    await tx.tag.create(tag('b'));
    await audit.record(
      { action: 'invoice.sent', category: 'data', resource: { type: 'Invoice', id: '7' } },
      { tx },
    );
  });
  await expect(
    prisma.$transaction(async (tx) => {
      await tx.tag.create(tag('c'));
      throw new Error('undo');
    }),
  ).rejects.toThrow('undo');
  await audit.flush();
  expect(logged(one)).toEqual(['tag.created a', 'tag.created b', 'invoice.sent 7']);
  expect({ outbox: count(app, 'audit_outbox'), events: count(app, 'audit_event') }).toEqual({
    outbox: 0,
    events: 0,
  });
  expect(audit.health()).toMatchObject({
    ok: true,
    recorded: 3,
    pending: 0,
    sealed: 3,
    relay: { by: 'own', moved: 3, waiting: 0, refused: 0, lastError: null },
  });
  expect((await audit.verify()).map(({ result, size }) => ({ result, size }))).toEqual([
    { result: 'valid', size: 3 },
  ]);
  expect(one.errors).toEqual([]);
});

test('while the store is away the ORM goes on writing, health tells of the lag, and all comes when it is back', async () => {
  const one = await apart();
  const { prisma, audit, app, logFile } = one;
  await prisma.tag.create(tag('a'));
  await audit.flush();
  const directory = join(logFile, '..');
  renameSync(directory, `${directory}.away`);
  for (const code of ['b', 'c', 'd']) await prisma.tag.create(tag(code));
  await expect.poll(() => audit.health().relay?.lastError, PATIENCE).not.toBeNull();
  expect(count(app, 'audit_outbox')).toBe(3);
  expect(await audit.checkHealth()).toMatchObject({
    ok: false,
    recorded: 4,
    lost: 0,
    relay: { waiting: 3, moved: 1, oldestWaitingMs: expect.any(Number), outbox: { waiting: 3 } },
    store: { reachable: false },
  });
  renameSync(`${directory}.away`, directory);
  await expect.poll(() => count(app, 'audit_outbox'), PATIENCE).toBe(0);
  expect(logged(one)).toEqual(['a', 'b', 'c', 'd'].map((code) => `tag.created ${code}`));
  await audit.flush();
  expect(await audit.checkHealth()).toMatchObject({
    ok: true,
    sealed: 4,
    relay: { waiting: 0, oldestWaitingMs: null, lastError: null, outbox: { waiting: 0, oldestMs: null } },
  });
});

test('what a process left in the outbox the next one brings, before it has written anything', async () => {
  const one = await apart();
  const { prisma, audit, app, logFile } = one;
  const directory = join(logFile, '..');
  renameSync(directory, `${directory}.away`);
  await prisma.tag.create(tag('a'));
  await prisma.$disconnect();
  await audit.close();
  expect(count(app, 'audit_outbox')).toBe(1);
  renameSync(`${directory}.away`, directory);
  const next = one.open();
  await next.audit.record({ action: 'auth.login', resource: { type: 'User', id: 'ada' } });
  await expect.poll(() => count(app, 'audit_outbox'), PATIENCE).toBe(0);
  expect(logged(one).sort()).toEqual(['auth.login ada', 'tag.created a']);
});

test('with `relay: external` the process leaves it to another one', async () => {
  const one = await apart({ relay: 'external' });
  const { prisma, audit, app } = one;
  await prisma.tag.create(tag('a'));
  await audit.flush();
  expect({ outbox: count(app, 'audit_outbox'), logged: logged(one) }).toEqual({ outbox: 1, logged: [] });
  const relay = await createRelay({
    from: createSqliteStore({ file: fileOf(app), driver: 'libsql' }),
    to: createSqliteStore({ file: one.logFile, driver: 'libsql' }),
  });
  expect(await relay.inspect()).toMatchObject({ waiting: 1, oldest: expect.any(Date) });
  expect(await relay.pass()).toEqual({ moved: 1, busy: false });
  expect(await relay.pass()).toEqual({ moved: 0, busy: false });
  await relay.close();
  expect(logged(one)).toEqual(['tag.created a']);
});

test('without the option such a store is refused, and nothing is written', async () => {
  const one = await apart({});
  const app = createSqliteStore({ file: fileOf(one.app), driver: 'libsql' });
  await app.migrate();
  await app.close();
  await expect(one.prisma.tag.create(tag('a'))).rejects.toThrow("set `relay: 'own'`");
  expect(count(one.app, '"Tag"')).toBe(0);
});

test('an event that no store takes stays in the outbox, is told of, and holds up nobody', async () => {
  const one = await apart();
  const { prisma, audit, app } = one;
  await prisma.tag.create(tag('a'));
  await audit.flush();
  const bad = '01890a5d-ac96-774b-bcce-000000000001';
  app.exec(`INSERT INTO audit_outbox (id, leaf, body) VALUES ('${bad}', x'00', x'7b7d')`);
  await prisma.tag.create(tag('b'));
  await audit.flush();
  expect(logged(one)).toEqual(['tag.created a', 'tag.created b']);
  expect(count(app, 'audit_outbox')).toBe(1);
  expect(audit.health().relay).toMatchObject({ refused: 1, moved: 2 });
  expect(one.errors.map(({ code }) => code)).toEqual(['AUDIT_EVENT_REFUSED']);
});

test('the outbox refuses to be changed', async () => {
  const { prisma, app } = await apart({ relay: 'external' });
  await prisma.tag.create(tag('a'));
  expect(() => app.exec("UPDATE audit_outbox SET body = x'00'")).toThrow('UPDATE is refused');
});
