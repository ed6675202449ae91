import type { OrmHarness, OrmOperations, UserFields } from '@indelible/capture/conformance';
import { withoutAudit } from '@indelible/context';
import type { createAudit } from '@indelible/core';
import type { DataSource, DeepPartial, EntityManager } from 'typeorm';
import { plainDeep, plainRow } from '../../prisma/test/domain-rows.js';
import type { Domain, PostRow, UserRow } from './domain-entities.js';

export type Audit = ReturnType<typeof createAudit>;

/** What of a harness is the same on every database. */
type Flows = Pick<OrmHarness, 'db' | 'transaction' | 'nested' | 'record' | 'paused' | 'settle'>;

/** @param spell how the database spells what the suite says in the SQL of most */
export function createFlows(
  dataSource: DataSource,
  domain: Domain,
  audit: Audit,
  spell = (sql: string): string => sql,
): Flows {
  const managers = new WeakMap<OrmOperations, EntityManager>();
  const operations = (manager: EntityManager): OrmOperations => {
    const made = createOperations(manager, domain, spell);
    managers.set(made, manager);
    return made;
  };
  const managerOf = (db: OrmOperations): EntityManager => managers.get(db) ?? dataSource.manager;
  return {
    db: operations(dataSource.manager),
    transaction: (work) => dataSource.transaction((manager) => work(operations(manager))),
    nested: (db, work) => managerOf(db).transaction((manager) => work(operations(manager))),
    record: async (db, action) => {
      await audit.record({ action, category: 'data' }, { tx: managerOf(db) });
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

/** The domain as an entity manager spells it. */
function createOperations(
  manager: EntityManager,
  { User, Profile, Post, Comment, Tag, Membership, Order }: Domain,
  spell: (sql: string) => string,
): OrmOperations {
  const users = manager.getRepository(User);
  const find = (id: number): Promise<UserRow> => users.findOneByOrFail({ id });
  return {
    createUser: async (fields) => plainRow(await users.save(users.create(userData(fields)))),
    createUsers: async (rows) => (await users.insert(rows.map(userData) as object[])).identifiers.length,
    updateUser: async (id, fields) =>
      plainRow(await users.save(users.merge(await find(id), changes(fields)))),
    renameUsers: async (active, name) => (await users.update({ active }, { name })).affected ?? Number.NaN,
    deleteUser: async (id) => {
      const user = await find(id);
      const row = plainRow(user);
      await users.remove(user);
      return row;
    },
    deleteUsers: async (active) => (await users.delete({ active })).affected ?? Number.NaN,
    upsertUser: (email, create, update) =>
      manager.transaction(async (own) => {
        const repository = own.getRepository(User);
        const known = await repository.findOneBy({ email });
        const user =
          known === null ? repository.create(userData(create)) : repository.merge(known, changes(update));
        return plainRow(await repository.save(user));
      }),
    incrementVisits: async (id, by) => {
      await users.increment({ id }, 'visits', by);
      return plainRow(await find(id));
    },
    findUser: async (id) => {
      const user = await users.findOneBy({ id });
      return user === null ? null : plainRow(user);
    },
    updateUserNarrow: async (id, fields) => {
      await users.update({ id }, changes(fields) as object);
      return plainRow(await users.findOneOrFail({ where: { id }, select: { id: true } }));
    },
    createProfile: async (id, userId, bio) => {
      await manager.getRepository(Profile).save({ id, userId, bio });
    },
    createUserDeep: async (email, title, text, tags) => {
      const own = tags.map((code) => ({ code, label: code }));
      const user = users.create({ email, posts: [{ title, comments: [{ text }], tags: own }] });
      const { posts: _, ...row } = await users.save(user);
      return plainRow(row);
    },
    updateUserDeep: async (id, { name, rename: [renamed, title], remove, add }) => {
      const user = await users.findOneOrFail({ where: { id }, relations: { posts: true } });
      const kept = user.posts.filter((post) => post.id !== remove);
      for (const post of kept) if (post.id === renamed) post.title = title;
      user.name = name;
      user.posts = [...kept, manager.getRepository(Post).create({ title: add })];
      await users.save(user);
    },
    createPost: async (authorId, title) => (await manager.getRepository(Post).save({ authorId, title })).id,
    deletePost: async (id) => {
      await manager.getRepository(Post).delete({ id });
    },
    addComment: async (postId, text, parentId) =>
      (await manager.getRepository(Comment).save({ postId, text, parentId: parentId ?? null })).id,
    deleteComment: async (id) => {
      await manager.getRepository(Comment).delete({ id });
    },
    createTag: async (code, label) => {
      await manager.getRepository(Tag).insert({ code, label });
    },
    renameTag: async (code, to) => {
      await manager.getRepository(Tag).update({ code }, { code: to });
    },
    setTags: async (id, codes) => {
      const post = await manager
        .getRepository(Post)
        .findOneOrFail({ where: { id }, relations: { tags: true } });
      post.tags = await manager.getRepository(Tag).find({ where: codes.map((code) => ({ code })) });
      await manager.getRepository(Post).save(post);
    },
    connectTag: async (id, code) => {
      const post = await manager
        .getRepository(Post)
        .findOneOrFail({ where: { id }, relations: { tags: true } });
      post.tags = [
        ...post.tags.filter((tag) => tag.code !== code),
        await manager.getRepository(Tag).findOneByOrFail({ code }),
      ];
      await manager.getRepository(Post).save(post);
    },
    disconnectTag: async (id, code) => {
      await manager.createQueryBuilder().relation(Post, 'tags').of(id).remove(code);
    },
    befriend: async (id, friend) => {
      await manager.createQueryBuilder().relation(User, 'friends').of(id).add(friend);
    },
    createMembership: async (org, seat, note) => {
      await manager.getRepository(Membership).insert({ org, seat, note: note ?? null });
    },
    updateMembership: async (org, seat, fields) => {
      await manager.getRepository(Membership).update({ org, seat }, fields);
    },
    moveMembership: async (org, seat, to) => {
      await manager.getRepository(Membership).update({ org, seat }, { seat: to });
    },
    deleteMembership: async (org, seat) => {
      await manager.getRepository(Membership).delete({ org, seat });
    },
    createOrder: async (id, group) => {
      await manager.getRepository(Order).save({ id, group });
    },
    updateOrder: async (id, fields) => {
      await manager.getRepository(Order).update({ id }, fields);
    },
    findUsers: async (active) =>
      (await users.find({ where: { active }, order: { id: 'ASC' } })).map(plainRow),
    findNames: async (active) =>
      (await users.find({ where: { active }, order: { id: 'ASC' }, select: { name: true } })).map(plainRow),
    findUserDeep: async (id) =>
      plainDeep(
        await users.findOne({
          where: { id },
          select: { email: true, id: true },
          relations: { posts: { comments: true, tags: true } },
          order: { posts: { tags: { code: 'ASC' } } },
        }),
      ),
    findPostsOf: async (id) =>
      (await manager.createQueryBuilder().relation(User, 'posts').of(id).loadMany<PostRow>()).map(
        ({ title }) => title,
      ),
    countUsers: (active) => users.countBy({ active }),
    greatestScore: async () => {
      const row = await users
        .createQueryBuilder('u')
        .select('MAX(u.score)', 'most')
        .getRawOne<{ most: unknown }>();
      return row?.most === null || row === undefined ? null : Number(row.most);
    },
    findMembership: async (org, seat) => {
      const found = await manager.getRepository(Membership).findOneBy({ org, seat });
      return found === null ? null : plainRow(found);
    },
    queryRows: async (sql) => (await manager.query<unknown[]>(spell(sql))).length,
    execute: (sql) => execute(manager, spell(sql)),
  };
}

/** Raw SQL, with the count that a query runner gives. */
async function execute({ queryRunner, dataSource }: EntityManager, sql: string): Promise<number> {
  const runner = queryRunner ?? dataSource.createQueryRunner();
  try {
    return (await runner.query(sql, undefined, true)).affected ?? 0;
  } finally {
    if (queryRunner === undefined) await runner.release();
  }
}

function changes(fields: UserFields): DeepPartial<UserRow> {
  const { avatar, visits, ...rest } = fields;
  return {
    ...rest,
    ...(visits === undefined ? {} : { visits: String(visits) }),
    ...(avatar === undefined ? {} : { avatar: avatar === null ? null : Buffer.from(avatar) }),
  };
}

function userData(fields: UserFields): DeepPartial<UserRow> {
  return { ...changes(fields), email: fields.email ?? 'nobody@a.test' };
}
