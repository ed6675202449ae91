import type { OrmHarness, OrmOperations, UserFields } from '@indelible/capture/conformance';
import { withoutAudit } from '@indelible/context';
import type { createAudit } from '@indelible/core';
import { plainDeep, plainRow } from './domain-rows.js';
import { Prisma, type PrismaClient } from './generated/client.js';

export type Client = InstanceType<typeof PrismaClient>;
type Operator = Omit<Client, '$connect' | '$disconnect' | '$on' | '$use' | '$extends'>;

export type Audit = ReturnType<typeof createAudit>;

/** What of a harness is the same on every database. */
type Flows = Pick<
  OrmHarness,
  'db' | 'transaction' | 'renameInBatch' | 'nested' | 'record' | 'paused' | 'settle'
>;

/** @param spell how the database spells what the suite says in the SQL of most */
export function createFlows(prisma: Client, audit: Audit, spell = (sql: string): string => sql): Flows {
  const clients = new WeakMap<OrmOperations, Operator>();
  const operations = (client: Operator): OrmOperations => {
    const made = createOperations(client, spell);
    clients.set(made, client);
    return made;
  };
  const clientOf = (db: OrmOperations): Operator => clients.get(db) ?? prisma;
  return {
    db: operations(prisma),
    transaction: (work) =>
      prisma.$transaction((tx) => work(operations(tx)), { maxWait: 20_000, timeout: 20_000 }),
    renameInBatch: async (names) => {
      await prisma.$transaction(
        names.map(([id, name]) => prisma.user.update({ where: { id }, data: { name } })),
      );
    },
    nested: (db, work) => clientOf(db).$transaction((tx) => work(operations(tx))),
    record: async (db, action) => {
      await audit.record({ action, category: 'data' }, { tx: clientOf(db) });
    },
    paused: (work) => withoutAudit(work, { reason: 'an import', audit }),
    settle: async () => {
      await audit.flush();
      for (const verdict of await audit.verify()) {
        if (verdict.result !== 'valid') throw new Error(JSON.stringify(verdict.findings));
      }
    },
  };
}

/** The domain as a client, or a transaction of it, spells it. */
function createOperations(prisma: Operator, spell: (sql: string) => string): OrmOperations {
  return {
    createUser: async (fields) => plainRow(await prisma.user.create({ data: userData(fields) })),
    createUsers: async (rows) => (await prisma.user.createMany({ data: rows.map(userData) })).count,
    updateUser: async (id, fields) =>
      plainRow(await prisma.user.update({ where: { id }, data: userChanges(fields) })),
    renameUsers: async (active, name) =>
      (await prisma.user.updateMany({ where: { active }, data: { name } })).count,
    deleteUser: async (id) => plainRow(await prisma.user.delete({ where: { id } })),
    deleteUsers: async (active) => (await prisma.user.deleteMany({ where: { active } })).count,
    upsertUser: async (email, create, update) =>
      plainRow(
        await prisma.user.upsert({ where: { email }, create: userData(create), update: userChanges(update) }),
      ),
    incrementVisits: async (id, by) =>
      plainRow(await prisma.user.update({ where: { id }, data: { visits: { increment: by } } })),
    findUser: async (id) => {
      const user = await prisma.user.findUnique({ where: { id } });
      return user === null ? null : plainRow(user);
    },
    updateUserNarrow: async (id, fields) =>
      plainRow(await prisma.user.update({ where: { id }, data: userChanges(fields), select: { id: true } })),
    createProfile: async (id, userId, bio) => {
      await prisma.profile.create({ data: { id, userId, bio } });
    },
    createUserDeep: async (email, title, text, tags) =>
      plainRow(
        await prisma.user.create({
          data: {
            email,
            posts: {
              create: {
                title,
                comments: { create: { text } },
                tags: {
                  connectOrCreate: tags.map((code) => ({ where: { code }, create: { code, label: code } })),
                },
              },
            },
          },
        }),
      ),
    updateUserDeep: async (id, { name, rename: [post, title], remove, add }) => {
      await prisma.user.update({
        where: { id },
        data: {
          name,
          posts: {
            update: { where: { id: post }, data: { title } },
            delete: { id: remove },
            create: { title: add },
          },
        },
      });
    },
    createPost: async (authorId, title) => (await prisma.post.create({ data: { authorId, title } })).id,
    deletePost: async (id) => {
      await prisma.post.delete({ where: { id } });
    },
    addComment: async (postId, text, parentId) =>
      (await prisma.comment.create({ data: { postId, text, parentId: parentId ?? null } })).id,
    deleteComment: async (id) => {
      await prisma.comment.delete({ where: { id } });
    },
    createTag: async (code, label) => {
      await prisma.tag.create({ data: { code, label } });
    },
    renameTag: async (code, to) => {
      await prisma.tag.update({ where: { code }, data: { code: to } });
    },
    setTags: async (id, codes) => {
      await prisma.post.update({ where: { id }, data: { tags: { set: codes.map((code) => ({ code })) } } });
    },
    connectTag: async (id, code) => {
      await prisma.post.update({ where: { id }, data: { tags: { connect: { code } } } });
    },
    disconnectTag: async (id, code) => {
      await prisma.post.update({ where: { id }, data: { tags: { disconnect: { code } } } });
    },
    befriend: async (id, friend) => {
      await prisma.user.update({ where: { id }, data: { friends: { connect: { id: friend } } } });
    },
    createMembership: async (org, seat, note) => {
      await prisma.membership.create({ data: { org, seat, note: note ?? null } });
    },
    updateMembership: async (org, seat, fields) => {
      await prisma.membership.update({ where: { org_seat: { org, seat } }, data: fields });
    },
    moveMembership: async (org, seat, to) => {
      await prisma.membership.update({ where: { org_seat: { org, seat } }, data: { seat: to } });
    },
    deleteMembership: async (org, seat) => {
      await prisma.membership.delete({ where: { org_seat: { org, seat } } });
    },
    createOrder: async (id, group) => {
      await prisma.order.create({ data: { id, group } });
    },
    updateOrder: async (id, fields) => {
      await prisma.order.update({ where: { id }, data: fields });
    },
    findUsers: async (active) =>
      (await prisma.user.findMany({ where: { active }, orderBy: { id: 'asc' } })).map(plainRow),
    findNames: async (active) =>
      prisma.user.findMany({ where: { active }, orderBy: { id: 'asc' }, select: { name: true } }),
    findUserDeep: async (id) =>
      plainDeep(
        await prisma.user.findUnique({
          where: { id },
          select: { email: true, posts: { include: { comments: { select: { text: true } }, tags: true } } },
        }),
      ),
    findPostsOf: async (id) =>
      ((await prisma.user.findUnique({ where: { id } }).posts()) ?? []).map(({ title }) => title),
    countUsers: async (active) => prisma.user.count({ where: { active } }),
    greatestScore: async () => (await prisma.user.aggregate({ _max: { score: true } }))._max.score,
    findMembership: async (org, seat) => prisma.membership.findUnique({ where: { org_seat: { org, seat } } }),
    queryRows: async (sql) => (await prisma.$queryRawUnsafe<unknown[]>(spell(sql))).length,
    execute: async (sql) => prisma.$executeRawUnsafe(spell(sql)),
  };
}

function userChanges(fields: UserFields): Prisma.UserUncheckedUpdateInput {
  const { settings, avatar, ...rest } = fields;
  return {
    ...rest,
    ...(settings === undefined ? {} : { settings: settings === null ? Prisma.DbNull : settings }),
    ...(avatar === undefined ? {} : { avatar: avatar === null ? null : Uint8Array.from(avatar) }),
  };
}

function userData(fields: UserFields): Prisma.UserUncheckedCreateInput {
  const { email = 'nobody@a.test', settings, avatar, ...rest } = fields;
  return {
    ...rest,
    email,
    ...(settings === undefined ? {} : { settings: settings === null ? Prisma.DbNull : settings }),
    ...(avatar === undefined || avatar === null ? {} : { avatar: Uint8Array.from(avatar) }),
  };
}
