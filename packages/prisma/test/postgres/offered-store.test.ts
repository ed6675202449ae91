import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AuditStore, createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { auditAdapter, createAuditExtension } from '../../src/index.js';
import { HMAC_KEY } from '../prisma-harness.js';
import { PrismaClient } from './generated/client.js';
import { createDomainDatabase } from './postgres-databases.js';
import { readEvents } from './postgres-harness.js';

/** The package of the store is found as an application's own. */
function inApplication(): void {
  const before = process.cwd();
  process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
  onTestFinished(() => process.chdir(before));
}

function openAudit(store?: AuditStore): ReturnType<typeof createAudit> {
  const spool = mkdtempSync(join(tmpdir(), 'indelible-offer-'));
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const audit = createAudit({
    hmacKey: HMAC_KEY,
    lifecycleEvents: false,
    spool: { directory: spool },
    ...(store === undefined ? {} : { store }),
  });
  onTestFinished(async () => {
    await audit.close();
    await store?.close();
    said.mockRestore();
    rmSync(spool, { recursive: true, force: true });
  });
  return audit;
}

describePostgres('the store that Prisma offers', (server) => {
  const createDatabase = async (): Promise<{ url: string; raw: pg.Client }> => {
    const { url, drop } = await createDomainDatabase(server);
    const raw = new pg.Client({ connectionString: url });
    await raw.connect();
    onTestFinished(async () => {
      await raw.end();
      await drop();
    });
    return { url, raw };
  };

  const openClient = (adapter: PrismaPg): PrismaClient => {
    const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
    onTestFinished(() => client.$disconnect());
    return client;
  };

  const ways: Readonly<Record<string, (url: string) => PrismaPg>> = {
    'a connection string': (url) => new PrismaPg(url),
    'a connection string in the settings': (url) => new PrismaPg({ connectionString: url, max: 1 }),
    'settings one by one': (url) => {
      const { hostname, port, username, password, pathname } = new URL(url);
      return new PrismaPg({
        host: hostname,
        port: Number(port),
        user: username,
        password: async () => password,
        database: pathname.slice(1),
        max: 1,
      });
    },
    'a pool of the application': (url) => {
      const { hostname, port, username, password, pathname } = new URL(url);
      const database = pathname.slice(1);
      const pool = new pg.Pool({
        host: hostname,
        port: Number(port),
        user: username,
        password,
        database,
        max: 1,
      });
      onTestFinished(() => pool.end());
      return new PrismaPg(pool);
    },
  };
  for (const [name, createAdapter] of Object.entries(ways)) {
    test(`is its own database, from ${name}`, async () => {
      inApplication();
      const { url, raw } = await createDatabase();
      const audit = openAudit();
      const client = openClient(createAdapter(url));
      client.$extends(createAuditExtension({ audit }));
      await client.$transaction(async (tx) => {
        await tx.tag.create({ data: { code: 'a', label: 'x' } });
        // Recorded beside the transaction: it must not wait for the one connection.
        await audit.record({ action: 'invoice.sent', category: 'data' });
      });
      await client.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
      await audit.flush();
      expect((await readEvents(raw)).map((event) => event.action).sort()).toEqual([
        'invoice.sent',
        'tag.created',
        'tag.updated',
      ]);
      expect((await audit.verify()).map(({ result }) => result)).toEqual(['valid']);
    });
  }

  test('is found to be the same database by whatever name it is reached, and another one is not', async () => {
    const { url, raw } = await createDatabase();
    const elsewhere = await createDatabase();
    const other = new URL(url);
    other.hostname = 'localhost';
    const same = openClient(new PrismaPg(other.href));
    same.$extends(createAuditExtension({ audit: openAudit(createPostgresStore({ url })) }));
    await same.tag.create({ data: { code: 'a', label: 'x' } });
    expect((await readEvents(raw)).map((event) => event.resource?.id)).toEqual(['a']);

    const away = openClient(new PrismaPg(url));
    away.$extends(createAuditExtension({ audit: openAudit(createPostgresStore({ url: elsewhere.url })) }));
    const data = { code: 'b', label: 'x' };
    await expect(away.tag.create({ data })).rejects.toThrow('not in the database');
    await expect(away.$transaction((tx) => tx.tag.create({ data }))).rejects.toThrow('not in the database');
    expect(await away.tag.count()).toBe(1);
    expect(await readEvents(elsewhere.raw)).toEqual([]);
  });

  test('is audited at the adapter, by the names of its tables, where the client is not extended', async () => {
    const { url, raw } = await createDatabase();
    const audit = openAudit(createPostgresStore({ url }));
    const client = openClient(auditAdapter(new PrismaPg(url), { audit }));
    await client.user.create({ data: { email: 'ada@a.test', posts: { create: { title: 'x' } } } });
    expect((await readEvents(raw)).map((event) => event.resource?.type)).toEqual(['User', 'posts']);
    const adapter = await auditAdapter(new PrismaPg(url), { audit }).connect();
    onTestFinished(() => adapter.dispose());
    expect(adapter.underlyingDriver()).toBeInstanceOf(pg.Pool);
  });
});
