import type { OrmHarness, OrmOperations, PlainRow, UserFields } from '@indelible/capture/conformance';
import { withoutAudit } from '@indelible/context';
import type { createAudit } from '@indelible/core';
import { QueryTypes, type Sequelize, type Transaction } from 'sequelize';
import { plainDeep, plainRow as plainObject } from '../../prisma/test/domain-rows.js';
import type { Domain, Row } from './models.js';

export type Audit = ReturnType<typeof createAudit>;

/** What of a harness is the same on every database. */
type Flows = Pick<OrmHarness, 'db' | 'transaction' | 'nested' | 'record' | 'paused' | 'settle'>;

/** What differs from database to database. */
export interface Spelling {
  /** What the suite says in the SQL of most. */
  readonly sql: (sql: string) => string;
  /** The number of rows that raw SQL has affected, by the second part of what `query` gives. */
  readonly affected: (metadata: unknown) => number;
}

export function createFlows(sequelize: Sequelize, models: Domain, audit: Audit, spelling: Spelling): Flows {
  const transactions = new WeakMap<OrmOperations, Transaction>();
  const operations = (transaction?: Transaction): OrmOperations => {
    const made = createOperations(sequelize, models, transaction, spelling);
    if (transaction !== undefined) transactions.set(made, transaction);
    return made;
  };
  return {
    db: operations(),
    transaction: (work) => sequelize.transaction((transaction) => work(operations(transaction))),
    nested: (db, work) =>
      sequelize.transaction({ transaction: transactions.get(db) ?? null }, (transaction) =>
        work(operations(transaction)),
      ),
    record: async (db, action) => {
      await audit.record({ action, category: 'data' }, { tx: transactions.get(db) });
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

/** Methods that an association gives to the instances of its model. */
type Linked = Row & Record<string, (value: unknown, options: object) => Promise<unknown>>;

function createOperations(
  sequelize: Sequelize,
  models: Domain,
  transaction: Transaction | undefined,
  { sql: spell, affected }: Spelling,
): OrmOperations {
  const { User, Profile, Post, Comment, Tag, Membership, Order } = models;
  const tx = transaction === undefined ? {} : { transaction };
  const get = async (model: typeof User, id: unknown, own: Transaction | undefined = transaction) =>
    (await model.findByPk(id as string, { rejectOnEmpty: true, transaction: own ?? null })) as Linked;
  const within = <T>(work: (own: Transaction) => Promise<T>): Promise<T> =>
    transaction === undefined ? sequelize.transaction(work) : work(transaction);
  return {
    createUser: async (fields) => plainRow(await User.create(userValues(fields), tx)),
    createUsers: async (rows) => (await User.bulkCreate(rows.map(userValues), tx)).length,
    updateUser: async (id, fields) => plainRow(await (await get(User, id)).update(userValues(fields), tx)),
    renameUsers: async (active, name) => (await User.update({ name }, { where: { active }, ...tx }))[0],
    deleteUser: async (id) => {
      const user = await get(User, id);
      await user.destroy(tx);
      return plainRow(user);
    },
    deleteUsers: (active) => User.destroy({ where: { active }, ...tx }),
    upsertUser: (email, create, update) =>
      within(async (own) => {
        const options = { where: { email }, defaults: userValues(create), transaction: own };
        const [user, isNew] = await User.findOrCreate(options);
        if (!isNew) await user.update(userValues(update), { transaction: own });
        return plainRow(user);
      }),
    incrementVisits: async (id, by) => {
      await User.increment({ visits: by }, { where: { id }, ...tx });
      return plainRow(await get(User, id));
    },
    findUser: async (id) => {
      const user = await User.findByPk(id, tx);
      return user === null ? null : plainRow(user);
    },
    updateUserNarrow: async (id, fields) => {
      const user = await User.findByPk(id, { attributes: ['id'], rejectOnEmpty: true, ...tx });
      await user.update(userValues(fields), tx);
      return { id: user.get('id') };
    },
    createProfile: async (id, userId, bio) => {
      await Profile.create({ id, userId, bio }, tx);
    },
    createUserDeep: (email, title, text, tags) =>
      within(async (own) => {
        const include = [{ association: 'posts', include: ['comments'] }];
        const values = { email, posts: [{ title, comments: [{ text }] }] };
        const user = await User.create(values, { include, transaction: own });
        const [post] = user.get('posts') as Linked[];
        const codes = tags.map((code) => ({ where: { code }, defaults: { label: code }, transaction: own }));
        for (const options of codes) {
          const [tag] = await Tag.findOrCreate(options);
          await post?.addTag?.(tag, { transaction: own });
        }
        return plainRow(await get(User, user.get('id'), own));
      }),
    updateUserDeep: (id, { name, rename: [post, title], remove, add }) =>
      within(async (own) => {
        const options = { transaction: own };
        const user = await get(User, id, own);
        await user.update({ name }, options);
        await Post.update({ title }, { where: { id: post }, ...options });
        await Post.destroy({ where: { id: remove }, ...options });
        await user.createPost?.({ title: add }, options);
      }),
    createPost: async (authorId, title) => Number((await Post.create({ authorId, title }, tx)).get('id')),
    deletePost: async (id) => {
      await Post.destroy({ where: { id }, ...tx });
    },
    addComment: async (postId, text, parentId) =>
      Number((await Comment.create({ postId, text, parentId: parentId ?? null }, tx)).get('id')),
    deleteComment: async (id) => {
      await Comment.destroy({ where: { id }, ...tx });
    },
    createTag: async (code, label) => {
      await Tag.create({ code, label }, tx);
    },
    renameTag: async (code, to) => {
      await Tag.update({ code: to }, { where: { code }, ...tx });
    },
    setTags: async (id, codes) => {
      await (await get(Post, id)).setTags?.(codes, tx);
    },
    connectTag: async (id, code) => {
      await (await get(Post, id)).addTag?.(code, tx);
    },
    disconnectTag: async (id, code) => {
      await (await get(Post, id)).removeTag?.(code, tx);
    },
    befriend: async (id, friend) => {
      await (await get(User, id)).addFriend?.(friend, tx);
    },
    createMembership: async (org, seat, note) => {
      await Membership.create({ org, seat, note: note ?? null }, tx);
    },
    updateMembership: async (org, seat, fields) => {
      await Membership.update({ ...fields }, { where: { org, seat }, ...tx });
    },
    moveMembership: async (org, seat, to) => {
      await Membership.update({ seat: to }, { where: { org, seat }, ...tx });
    },
    deleteMembership: async (org, seat) => {
      await Membership.destroy({ where: { org, seat }, ...tx });
    },
    createOrder: async (id, group) => {
      await Order.create({ id, group }, tx);
    },
    updateOrder: async (id, fields) => {
      await Order.update({ ...fields }, { where: { id }, ...tx });
    },
    findUsers: async (active) =>
      (await User.findAll({ where: { active }, order: ['id'], ...tx })).map(plainRow),
    findNames: async (active) =>
      (await User.findAll({ where: { active }, order: ['id'], attributes: ['name'], ...tx })).map(plainRow),
    findUserDeep: async (id) => {
      const include = [{ association: 'posts', include: ['comments', 'tags'] }];
      const user = await User.findByPk(id, { attributes: ['email'], include, ...tx });
      return plainDeep(user?.get({ plain: true }));
    },
    findPostsOf: async (id) => {
      const posts = await (await get(User, id)).getPosts?.(tx, tx);
      return (posts as Row[]).map((post) => String(post.get('title')));
    },
    countUsers: (active) => User.count({ where: { active }, ...tx }),
    greatestScore: () => User.max('score', tx),
    findMembership: async (org, seat) => {
      const found = await Membership.findOne({ where: { org, seat }, ...tx });
      return found === null ? null : plainRow(found);
    },
    queryRows: async (sql) => (await sequelize.query(spell(sql), { type: QueryTypes.SELECT, ...tx })).length,
    execute: async (sql) => affected((await sequelize.query(spell(sql), tx))[1]),
  };
}

function plainRow(row: Row): PlainRow {
  return plainObject(row.get({ plain: true }));
}

function userValues({ avatar, visits, ...fields }: UserFields): Record<string, unknown> {
  return {
    ...fields,
    ...(visits === undefined ? {} : { visits: String(visits) }),
    ...(avatar === undefined ? {} : { avatar: avatar === null ? null : Buffer.from(avatar) }),
  };
}
