import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWithContext } from '@indelible/context';
import { type Audit, createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { auditAdapter, auditExtension, createAuditExtension } from '../src/index.js';
import { PrismaClient } from './generated/client.js';
import { HMAC_KEY, readEvents } from './prisma-harness.js';
import { createAdapter } from './test-adapters.js';

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');

let directory: string;
let file: string;
let raw: Database.Database;
let audit: Audit;
const clients: { $disconnect(): Promise<void> }[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-extension-'));
  file = join(directory, 'app.db');
  raw = new Database(file);
  raw.exec(SCHEMA);
  audit = createAudit({
    store: createSqliteStore({ file, driver: 'libsql' }),
    hmacKey: HMAC_KEY,
    lifecycleEvents: false,
    spool: { directory: join(directory, 'spool') },
  });
  await audit.migrate();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.$disconnect();
  await audit.close();
  raw.close();
  rmSync(directory, { recursive: true, force: true });
});

function createClient(
  wrap: (adapter: ReturnType<typeof createAdapter>) => ReturnType<typeof createAdapter> = (own) => own,
): PrismaClient {
  const client = new PrismaClient({
    adapter: wrap(createAdapter('libsql', file, () => undefined)),
    errorFormat: 'minimal',
  });
  clients.push(client);
  return client;
}

function actions(): string[] {
  return readEvents(raw).map((event) => `${event.action} ${event.resource?.id}`);
}

describe('the extension', () => {
  test('leaves the types of the client as they are', () => {
    const client = createClient();
    const extended = client.$extends(createAuditExtension({ audit }));
    const chained = client
      .$extends({ model: { tag: { first: () => client.tag.findFirst() } } })
      .$extends(auditExtension);
    expectTypeOf(extended.user.create).parameter(0).toExtend<{ data: object }>();
    expectTypeOf(chained.tag.first).returns.resolves.toEqualTypeOf<{ code: string; label: string } | null>();
    // Never run: a list of operations would be.
    const never = () => {
      expectTypeOf(extended.user.findMany()).resolves.toEqualTypeOf<
        Awaited<ReturnType<typeof client.user.findMany>>
      >();
      expectTypeOf(extended.user.findMany({ select: { id: true } })).resolves.toEqualTypeOf<
        { id: number }[]
      >();
      expectTypeOf(extended.$transaction([extended.tag.count()])).resolves.toEqualTypeOf<[number]>();
      // @ts-expect-error there is no such field
      void extended.user.findMany({ select: { nothing: true } });
    };
    expectTypeOf(never).returns.toBeVoid();
  });

  test('audits once when it is given twice, and refuses options in two places', async () => {
    const client = createClient();
    const once = client.$extends(createAuditExtension({ audit }));
    const twice = once.$extends(auditExtension);
    expect(() => twice.$extends(createAuditExtension({ strict: true }))).toThrow(TypeError);
    await twice.tag.create({ data: { code: 'a', label: 'x' } });
    await client.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
    expect(actions()).toEqual(['tag.created a', 'tag.updated a']);
  });

  test('runs beneath the other extensions of a chain, before and behind it', async () => {
    const client = createClient()
      .$extends({
        query: {
          tag: {
            create: ({ args, query }) => query({ ...args, data: { ...args.data, label: 'from before' } }),
          },
        },
      })
      .$extends(createAuditExtension({ audit }))
      .$extends({
        model: {
          tag: {
            shout: async (code: string): Promise<void> =>
              void (await client.tag.update({ where: { code }, data: { label: 'LOUD' } })),
          },
        },
        result: { tag: { twice: { needs: { label: true }, compute: ({ label }) => label + label } } },
      }) as unknown as PrismaClient & { tag: { shout(code: string): Promise<void> } };
    const made = await client.tag.create({ data: { code: 'a', label: 'x' } });
    expect(made).toMatchObject({ twice: 'from beforefrom before' });
    await client.tag.shout('a');
    expect(readEvents(raw).map((event) => event.change?.after?.label)).toEqual(['from before', 'LOUD']);
  });

  test('refuses a client that had connected before, instead of recording nothing', async () => {
    const client = createClient();
    await client.tag.findMany();
    const extended = client.$extends(createAuditExtension({ audit }));
    const refusal = { code: 'AUDIT_ORM_UNSUPPORTED' };
    await expect(extended.tag.create({ data: { code: 'a', label: 'x' } })).rejects.toMatchObject(refusal);
    await expect(extended.$transaction([extended.tag.deleteMany()])).rejects.toMatchObject(refusal);
    await expect(extended.$transaction((tx) => tx.tag.deleteMany())).rejects.toMatchObject(refusal);
    expect(raw.prepare('SELECT count(*) FROM "Tag"').raw().get()).toEqual([0]);
  });

  test('takes a client that connects first of all afterwards, and again after a disconnect', async () => {
    const client = createClient().$extends(createAuditExtension({ audit }));
    await client.$connect();
    await client.tag.create({ data: { code: 'a', label: 'x' } });
    await client.$disconnect();
    await client.tag.create({ data: { code: 'b', label: 'x' } });
    expect(actions()).toEqual(['tag.created a', 'tag.created b']);
  });

  test('two clients on one file are each told, also at once', async () => {
    const one = createClient().$extends(createAuditExtension({ audit }));
    const two = createClient().$extends(createAuditExtension({ audit }));
    await one.tag.create({ data: { code: 'n', label: '0' } });
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? one : two).tag.update({ where: { code: 'n' }, data: { label: `${n + 1}` } }),
      ),
    );
    const [, ...updates] = readEvents(raw);
    expect(updates).toHaveLength(20);
    for (const [position, event] of updates.entries()) {
      expect(event.change?.before?.label).toBe(
        position === 0 ? '0' : updates[position - 1]?.change?.after?.label,
      );
    }
  });
});

describe('auditAdapter', () => {
  test('audits a client without the extension, by the names of tables and columns', async () => {
    const client = createClient((adapter) => auditAdapter(adapter, { audit }));
    const user = await client.user.create({
      data: { email: 'ada@a.test', posts: { create: { title: 't', body: 'b' } } },
    });
    await client.user.delete({ where: { id: user.id } });
    const events = readEvents(raw);
    expect(events.map((event) => event.action)).toEqual([
      'user.created',
      'posts.created',
      'user.deleted',
      'posts.deleted',
    ]);
    expect(events[1]?.change?.after?.content).toBe('b');
  });

  test('goes together with the extension, which adds the names, and refuses a second time', async () => {
    const adapter = createAdapter('libsql', file, () => undefined);
    auditAdapter(adapter, { audit });
    expect(() => auditAdapter(adapter)).toThrow(TypeError);
    const client = new PrismaClient({ adapter, errorFormat: 'minimal' }).$extends(auditExtension);
    clients.push(client);
    const { id } = await client.user.create({ data: { email: 'ada@a.test' } });
    await client.post.create({ data: { title: 't', body: 'b', authorId: id } });
    expect(readEvents(raw).map((event) => event.resource?.type)).toEqual(['User', 'Post']);
  });

  test('refuses an adapter that was not tried, and options that it does not know', () => {
    const adapter = {
      provider: 'sqlite',
      adapterName: 'another',
      connect: async () => Promise.reject(new Error('no')),
    };
    expect(() => auditAdapter(adapter, { audit })).toThrow(
      expect.objectContaining({ code: 'AUDIT_DATABASE_UNSUPPORTED' }),
    );
    const known = createAdapter('libsql', file, () => undefined);
    expect(() => auditAdapter(known, { audit, stric: true } as object)).toThrow(TypeError);
  });
});

describe('tables that the database spells otherwise than the schema', () => {
  test('keep the names and the options of their models', async () => {
    raw.exec(
      'DROP TABLE "_PostToTag"; DROP TABLE "Tag"; CREATE TABLE tag ("CODE" TEXT PRIMARY KEY, "Label" TEXT NOT NULL)',
    );
    const client = createClient().$extends(
      createAuditExtension({ audit, models: { Tag: { exclude: ['label'] } }, exclude: ['Order'] }),
    );
    raw.exec('ALTER TABLE "order" RENAME TO o1; ALTER TABLE o1 RENAME TO "ORDER"');
    await client.tag.create({ data: { code: 'a', label: 'hidden' } });
    await client.order.create({ data: { id: 'o', group: 'hidden' } });
    const events = readEvents(raw);
    expect(events.map((event) => [event.action, event.change?.after])).toEqual([
      ['tag.created', { code: 'a' }],
    ]);
  });
});

describe('contexts', () => {
  test('the actor of a promise that is awaited elsewhere is the one of its await', async () => {
    const client = createClient().$extends(createAuditExtension({ audit }));
    await runWithContext({ actor: { type: 'user', id: 'ada' } }, async () => {
      await client.tag.create({ data: { code: 'a', label: 'x' } });
      await client.$transaction(async (tx) => {
        await tx.tag.create({ data: { code: 'b', label: 'x' } });
      });
      await client.$transaction([client.tag.create({ data: { code: 'c', label: 'x' } })]);
    });
    expect(readEvents(raw).map((event) => event.actor.id)).toEqual(['ada', 'ada', 'ada']);
  });
});
