import type { OrmHarness } from '@indelible/capture/conformance';
import type { OrmCall } from '../../../capture/test/recorded/observe-call.js';
import type { Client } from '../prisma-operations.js';

export interface PrismaCallHarness extends OrmHarness {
  readonly prisma: Client;
}

export type PrismaCall = OrmCall<PrismaCallHarness>;

const TAGS = ['a', 'b', 'c'].map((code) => ({ code, label: code }));
const SEATS = [1, 2].map((seat) => ({ org: 'guild', seat, level: 'basic' }));
const addTags = ({ prisma }: PrismaCallHarness) => prisma.tag.createMany({ data: TAGS });
const addSeats = ({ prisma }: PrismaCallHarness) => prisma.membership.createMany({ data: SEATS });

/** A user with a manager, a profile, and posts that have comments and tags. */
async function addFamily({ prisma, db }: PrismaCallHarness): Promise<void> {
  await db.createUser({ id: 1, email: 'ada@a.test', active: true });
  await db.createUser({ id: 2, email: 'bo@a.test', active: false, managerId: 1 });
  await db.createProfile('p', 1, 'bio');
  await prisma.tag.createMany({ data: TAGS });
  await prisma.post.create({
    data: {
      title: 'one',
      authorId: 1,
      comments: { create: { text: 'x' } },
      tags: { connect: [{ code: 'a' }, { code: 'b' }] },
    },
  });
  await prisma.post.create({ data: { title: 'two', authorId: 1 } });
}

/** What Prisma writes with, each called once on a database of its own. */
export const PRISMA_CALLS: readonly PrismaCall[] = [
  {
    does: 'create one row',
    call: '`create()`',
    run: ({ prisma }) => prisma.user.create({ data: { email: 'ada@a.test', settings: { a: [1] } } }),
  },
  { does: 'create many rows', call: '`createMany()`', run: addTags },
  {
    does: 'create many rows',
    call: '`createManyAndReturn()`',
    on: ['sqlite', 'postgres'],
    run: ({ prisma }) => prisma.tag.createManyAndReturn({ data: TAGS }),
  },
  {
    does: 'update one row',
    call: '`update()`',
    prepare: addFamily,
    run: ({ prisma }) => prisma.user.update({ where: { id: 1 }, data: { name: 'Ada' } }),
  },
  {
    does: 'update many rows',
    call: '`updateMany()`',
    prepare: addTags,
    run: ({ prisma }) => prisma.tag.updateMany({ where: { code: { in: ['a', 'b'] } }, data: { label: 'z' } }),
  },
  {
    does: 'update many rows',
    call: '`updateManyAndReturn()`',
    on: ['sqlite', 'postgres'],
    prepare: addTags,
    run: ({ prisma }) =>
      prisma.tag.updateManyAndReturn({ where: { code: { in: ['a', 'b'] } }, data: { label: 'z' } }),
  },
  {
    does: 'delete one row',
    call: '`delete()`',
    prepare: addTags,
    run: ({ prisma }) => prisma.tag.delete({ where: { code: 'a' } }),
  },
  {
    does: 'delete many rows',
    call: '`deleteMany()`',
    prepare: addTags,
    run: ({ prisma }) => prisma.tag.deleteMany({ where: { code: { in: ['a', 'b'] } } }),
  },
  {
    does: 'delete all rows of a table',
    call: '`deleteMany()` without `where`',
    prepare: addSeats,
    run: ({ prisma }) => prisma.membership.deleteMany(),
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`upsert()`',
    prepare: addSeats,
    run: async ({ prisma }) => {
      for (const seat of [2, 3]) {
        await prisma.membership.upsert({
          where: { org_seat: { org: 'guild', seat } },
          create: { org: 'guild', seat },
          update: { level: 'gold' },
        });
      }
    },
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`upsert()` of rows that others refer to',
    prepare: addFamily,
    run: ({ prisma }) =>
      prisma.tag.upsert({
        where: { code: 'a' },
        create: { code: 'a', label: 'z' },
        update: { label: 'z' },
      }),
  },
  {
    does: 'create unless it is there',
    call: '`createMany({ skipDuplicates })`',
    on: ['postgres', 'mysql'],
    prepare: addSeats,
    run: ({ prisma }) =>
      // The client of the tests has the types of SQLite, which has no such thing.
      prisma.membership.createMany({
        data: [1, 3].map((seat) => ({ org: 'guild', seat })),
        ...({ skipDuplicates: true } as object),
      }),
  },
  {
    does: 'values that the database computes',
    call: '`increment`, `decrement`, `multiply`',
    prepare: addFamily,
    run: async ({ prisma }) => {
      await prisma.post.update({ where: { id: 1 }, data: { views: { increment: 3 } } });
      await prisma.post.updateMany({ data: { views: { decrement: 1 } } });
      await prisma.post.update({ where: { id: 1 }, data: { views: { multiply: 2 } } });
    },
  },
  {
    does: 'rows that hang together, in one call',
    call: 'nested `create`, `connectOrCreate`',
    prepare: addTags,
    run: ({ db }) => db.createUserDeep('ada@a.test', 'one', 'x', ['a', 'd']),
  },
  {
    does: 'rows that hang together, in one call',
    call: 'nested `update`, `upsert`, `delete`, `deleteMany`',
    prepare: addFamily,
    run: ({ prisma }) =>
      prisma.user.update({
        where: { id: 1 },
        data: {
          name: 'Ada',
          posts: {
            update: {
              where: { id: 1 },
              data: {
                title: 'first',
                comments: {
                  deleteMany: {},
                  upsert: { where: { id: 9 }, create: { text: 'y' }, update: { text: 'z' } },
                },
              },
            },
            delete: { id: 2 },
            create: { title: 'third' },
          },
        },
      }),
  },
  {
    does: 'links of many-to-many',
    call: '`connect`, `disconnect`, `set`',
    prepare: addFamily,
    run: async ({ prisma }) => {
      const where = { id: 1 };
      await prisma.post.update({ where, data: { tags: { connect: { code: 'c' } } } });
      await prisma.post.update({ where, data: { tags: { disconnect: { code: 'a' } } } });
      await prisma.post.update({ where, data: { tags: { set: [{ code: 'a' }] } } });
    },
  },
  {
    does: 'what foreign keys carry on',
    call: '`delete()` of a row that others refer to',
    prepare: addFamily,
    run: ({ prisma }) => prisma.user.delete({ where: { id: 1 } }),
  },
  {
    does: 'change of a primary key',
    call: '`update()` of it',
    prepare: addFamily,
    run: async ({ prisma }) => {
      await prisma.membership.createMany({ data: SEATS });
      await prisma.membership.update({
        where: { org_seat: { org: 'guild', seat: 2 } },
        data: { seat: 7 },
      });
      await prisma.tag.update({ where: { code: 'a' }, data: { code: 'z' } });
    },
  },
  {
    does: 'a transaction, and a savepoint that is rolled back',
    call: '`$transaction()` in `$transaction()`',
    prepare: addTags,
    run: async (harness) =>
      harness.transaction(async (db) => {
        await db.renameTag('a', 'kept');
        await harness
          .nested?.(db, async (inner) => {
            await inner.renameTag('kept', 'gone');
            throw new Error('on purpose');
          })
          .catch(() => undefined);
      }),
  },
  {
    does: 'a transaction, as a list of operations',
    call: '`$transaction([…])`',
    prepare: addTags,
    run: ({ prisma }) =>
      prisma.$transaction([
        prisma.tag.update({ where: { code: 'a' }, data: { label: 'y' } }),
        prisma.tag.delete({ where: { code: 'b' } }),
      ]),
  },
  {
    does: 'raw SQL',
    call: '`$executeRaw`',
    prepare: addTags,
    run: async ({ db }) => {
      await db.execute(`UPDATE "Tag" SET label = 'z' WHERE code > 'a'`);
      await db.execute(`INSERT INTO "Tag" (code, label) SELECT 'd', label FROM "Tag" WHERE code = 'a'`);
    },
  },
];
