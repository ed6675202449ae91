import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { runWithContext } from '@indelible/context';
import { type Audit, type AuditEvent, createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditAdapter, createAuditExtension } from '../src/index.js';
import { createReadModels } from '../src/read-model.js';
import { PrismaClient } from './generated/client.js';
import { HMAC_KEY, readEvents } from './prisma-harness.js';
import { createAdapter } from './test-adapters.js';

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');

let directory: string;
let raw: Database.Database;
let audit: Audit;
const clients: { $disconnect(): Promise<void> }[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-reads-'));
  const file = join(directory, 'app.db');
  raw = new Database(file);
  raw.exec(SCHEMA);
  raw.exec(`
    INSERT INTO "User" ("email", "name", "updatedAt") VALUES ('a@a.test', 'Ada', 0), ('b@a.test', 'Grace', 0);
    INSERT INTO "posts" ("title", "authorId") VALUES ('one', 1), ('two', 1);
    INSERT INTO "Tag" ("code", "label") VALUES ('x', 'X');
  `);
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

function plainClient(options: { omit?: { user?: { id?: boolean } } } = {}): PrismaClient {
  const adapter = createAdapter('libsql', join(directory, 'app.db'), () => undefined);
  const client = new PrismaClient({ adapter, ...options });
  clients.push(client);
  return client;
}

function readingClient(reads: readonly string[], options = {}): PrismaClient {
  const client = plainClient(options);
  client.$extends(createAuditExtension({ audit, reads }));
  return client;
}

async function recorded(): Promise<readonly AuditEvent[]> {
  await audit.flush();
  return readEvents(raw);
}

const told = async () => (await recorded()).map(({ action, details }) => [action, details?.ids]);

describe('a client whose reads are recorded', () => {
  test('gives two callers of one row each what he has selected', async () => {
    const prisma = readingClient(['User']);
    const where = { id: 1 };
    const answers = await Promise.all([
      prisma.user.findUnique({ where, select: { name: true } }),
      prisma.user.findUnique({ where, select: { name: true } }),
      prisma.user.findUnique({ where, select: { name: true, id: true } }),
      prisma.user.findUnique({ where, omit: { id: true, createdAt: true } }),
    ]);
    expect(answers.slice(0, 3)).toEqual([{ name: 'Ada' }, { name: 'Ada' }, { name: 'Ada', id: 1 }]);
    expect(answers[3]).not.toHaveProperty('id');
    expect(answers[3]).toHaveProperty('email', 'a@a.test');
    expect(await told()).toEqual(Array(4).fill(['user.read', ['1']]));
  });

  test('leaves out what the client leaves out, and knows the rows all the same', async () => {
    const prisma = readingClient(['User'], { omit: { user: { id: true } } });
    const [user] = await prisma.user.findMany({ where: { name: 'Grace' } });
    expect(user).not.toHaveProperty('id');
    const post = await prisma.post.findFirst({ select: { author: true } });
    expect(post?.author).not.toHaveProperty('id');
    expect(await told()).toEqual([
      ['user.read', ['2']],
      ['user.read', ['1']],
    ]);
  });

  test('computes the fields of other extensions from what they need', async () => {
    const prisma = readingClient(['User']).$extends({
      result: {
        user: { label: { needs: { id: true, name: true }, compute: ({ id, name }) => `${id}:${name}` } },
      },
    });
    const plain = plainClient().$extends({
      result: {
        user: { label: { needs: { id: true, name: true }, compute: ({ id, name }) => `${id}:${name}` } },
      },
    });
    const read = async (client: typeof plain) => [
      await client.user.findMany({ select: { label: true } }),
      await client.user.findMany({ select: { name: true } }),
      await client.user.findFirst({ omit: { id: true } }),
      await client.post.findFirst({ select: { author: { select: { label: true } } } }),
    ];
    expect(inspect(await read(prisma as typeof plain))).toBe(inspect(await read(plain)));
    expect((await told()).map(([, ids]) => ids)).toEqual([['1', '2'], ['1', '2'], ['1'], ['1']]);
  });

  test('refuses what Prisma refuses, in the same words', async () => {
    const why = (client: PrismaClient, args: object) =>
      client.user.findMany(args).then(
        () => '',
        (error: Error) => error.message,
      );
    const [prisma, plain] = [readingClient(['User']), plainClient()];
    for (const args of [
      { select: { nmae: true } },
      { select: {} },
      { select: { name: true }, omit: { id: true } },
    ]) {
      const words = await why(prisma, args);
      expect(words).toBe(await why(plain, args));
      expect(words).not.toBe('');
    }
    await expect(
      prisma.user.findUniqueOrThrow({ where: { id: 9 }, select: { name: true } }),
    ).rejects.toMatchObject({
      code: 'P2025',
    });
    expect(await told()).toEqual([]);
  });

  test('is the one that was extended, those that are extended from it, and their transactions', async () => {
    const prisma = readingClient(['Tag']);
    const later = prisma.$extends({
      query: { tag: { findMany: ({ args, query }) => query({ ...args, take: 1 }) } },
    });
    await prisma.tag.findMany();
    await later.tag.findMany();
    await later.$transaction((tx) => tx.tag.findMany());
    await prisma.$transaction([prisma.tag.findMany(), prisma.tag.count()]);
    expect(await told()).toEqual(Array(4).fill(['tag.read', ['x']]));
  });

  test('tells a row that an update or an upsert hands back, also where it changes nothing', async () => {
    const prisma = readingClient(['User']);
    await prisma.user.update({ where: { id: 1 }, data: {}, select: { name: true } });
    await prisma.user.upsert({ where: { id: 2 }, create: { email: 'c@a.test' }, update: {} });
    await prisma.user.updateMany({ data: { name: 'all' } });
    await prisma.user.create({ data: { email: 'd@a.test' } });
    await prisma.user.delete({ where: { id: 2 } });
    const reads = (await recorded()).filter(({ category }) => category === 'access');
    expect(reads.map(({ details }) => details?.ids)).toEqual([['1'], ['2']]);
  });

  test('tells the rows that come back with what is written', async () => {
    const prisma = readingClient(['User', 'Tag']);
    await prisma.post.create({
      data: { title: 'three', author: { connect: { id: 2 } }, tags: { connect: { code: 'x' } } },
      select: { author: { select: { name: true } }, tags: true },
    });
    const reads = (await recorded()).filter(({ category }) => category === 'access');
    expect(reads.map(({ action, details }) => [action, details?.ids])).toEqual([
      ['user.read', ['2']],
      ['tag.read', ['x']],
    ]);
  });

  test('tells a fluent call by what it ends at', async () => {
    const prisma = readingClient(['User', 'Post']);
    expect(await prisma.post.findUnique({ where: { id: 1 } }).author({ select: { name: true } })).toEqual({
      name: 'Ada',
    });
    expect(await told()).toEqual([['user.read', ['1']]]);
  });

  test('marks groups, the least and the greatest, and SQL of its own in a transaction too', async () => {
    const prisma = readingClient(['User']);
    await prisma.user.groupBy({ by: ['name'] });
    await prisma.user.aggregate({ _max: { name: true } });
    await prisma.user.aggregate({ _count: true, _avg: { score: true } });
    await prisma.$transaction((tx) => tx.$queryRaw`SELECT * FROM "User" WHERE "name" = ${'Ada'}`);
    const marks = (await recorded()).map(({ change, details }) => [change?.fidelity, details?.rows]);
    expect(marks).toEqual([
      ['count-only', 2],
      ['count-only', 1],
      ['opaque', undefined],
    ]);
  });

  test('is asked who reads when the rows are asked for, not when the call is made', async () => {
    const prisma = readingClient(['User']);
    const waiting = runWithContext({ actor: { type: 'user', id: 'maker' } }, () => ({
      query: prisma.user.findMany(),
    }));
    await runWithContext({ actor: { type: 'user', id: 'reader' } }, async () => waiting.query);
    expect((await recorded()).map(({ actor }) => actor.id)).toEqual(['reader']);
  });
});

describe('the option `reads`', () => {
  test('takes only models that there are', () => {
    expect(() => readingClient(['User', 'Patient'])).toThrow(/no model "Patient"/);
    expect(() => readingClient(['posts'])).toThrow(/no model "posts"/);
    const adapter = createAdapter('libsql', join(directory, 'app.db'), () => undefined);
    expect(() => auditAdapter(adapter, { audit, reads: ['User'] })).toThrow(TypeError);
  });

  test('finds the keys of models in the schema as it is written', () => {
    const schema = `
      model One { // @id stands in a comment
        name String @default("no @id here") @map("x") // nor @id here
        code String   @db.VarChar(10) @id @default(dbgenerated("f()"))
      }
      model Two {
        a Int
        b String
        /// @@id([nothing])
        @@id(fields: [b(length: 10, sort: Desc), a], name: "pair")
      }
      model Three {
        mail String @unique
      }
      type Four {
        id Int
      }
    `;
    const fields = [{ name: 'a', kind: 'scalar', type: 'Int' }];
    const models = createReadModels(
      { models: { One: { fields }, Two: { fields }, Three: { fields } } },
      schema,
    );
    expect([...models].map(([name, { key }]) => [name, key])).toEqual([
      ['One', ['code']],
      ['Two', ['b', 'a']],
      ['Three', []],
    ]);
  });
});
