import { PrismaPg } from '@prisma/adapter-pg';
import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createNameModel } from '../../src/data-model.js';
import { createAuditExtension } from '../../src/index.js';
import { PrismaClient } from './generated/client.js';
import { readEvents } from './postgres-harness.js';
import { withPostgres } from './postgres-work.js';

describePostgres('tables that no model knows', (server) => {
  test('are never told as a model, whatever schema or case their name is in', () =>
    withPostgres(server, async ({ prisma, raw, events }) => {
      await raw.query(`
        CREATE SCHEMA archive; CREATE TABLE archive."User" (id int PRIMARY KEY, "name" text);
        CREATE TABLE "user" (id int PRIMARY KEY, name text);
        CREATE TABLE "Post" (id int PRIMARY KEY);
        CREATE TABLE plain (id int PRIMARY KEY, "Name" text, name text);
      `);
      await prisma.$executeRaw`INSERT INTO archive."User" VALUES (1, 'x')`;
      await prisma.$executeRaw`INSERT INTO "user" VALUES (1, 'x')`;
      await prisma.$executeRaw`INSERT INTO "Post" VALUES (1)`;
      await prisma.$executeRaw`INSERT INTO plain VALUES (1, 'A', 'b')`;
      await prisma.user.create({ data: { email: 'ada@a.test', posts: { create: { title: 'x' } } } });
      const told = await events();
      expect(told.map((event) => event.resource?.type)).toEqual([
        'archive.User',
        'user',
        'public.Post',
        'plain',
        'User',
        'Post',
      ]);
      expect(told[3]?.change?.after).toEqual({ id: 1, Name: 'A', name: 'b' });
    }));

  test('are models in the schema that the adapter is set to', () =>
    withPostgres(
      server,
      async ({ url, raw, audit }) => {
        await raw.query('CREATE SCHEMA shop; CREATE TABLE shop."Tag" (code text PRIMARY KEY, label text)');
        const client = new PrismaClient({ adapter: new PrismaPg(url, { schema: 'shop' }) });
        client.$extends(createAuditExtension({ audit }));
        await client.tag.create({ data: { code: 'a', label: 'x' } });
        await client.$executeRaw`INSERT INTO public."Tag" VALUES ('a', 'x')`;
        await client.$disconnect();
        expect((await readEvents(raw)).map((event) => event.resource?.type)).toEqual(['Tag', 'public.Tag']);
      },
      { audited: false },
    ));
});

test('a model with a schema of its own is named there, and a relation table beside the first of its models', () => {
  const dataModel = {
    models: {
      A: { fields: [{ name: 'bs', relationName: 'AToB' }], dbName: null, schema: 'shop' },
      B: { fields: [{ name: 'as', relationName: 'AToB' }], dbName: 'bb', schema: 'public' },
    },
  };
  const nameModel = createNameModel(dataModel, { foldsNames: false, defaultSchema: () => 'public' });
  const nameOf = (schema: string, name: string): string | undefined => nameModel({ schema, name })?.name;
  expect(nameOf('shop', 'A')).toBe('A');
  expect(nameOf('public', 'A')).toBe('public.A');
  expect(nameOf('public', 'bb')).toBe('B');
  expect(nameOf('shop', 'bb')).toBe('shop.bb');
  expect(nameOf('shop', '_AToB')).toBe('AToB');
  expect(nameOf('public', 'other')).toBeUndefined();
});
