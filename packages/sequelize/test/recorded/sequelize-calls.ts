import { DataTypes, type Model, type ModelStatic, QueryTypes, type Sequelize } from 'sequelize';
import type { OrmCall } from '../../../capture/test/recorded/observe-call.js';
import type { DomainTables } from '../../../prisma/test/domain-rows.js';
import type { SequelizeHarness } from '../behaviour-cases.js';
import { SEQUELIZE_LINKS } from '../domain-links.js';
import type { Row } from '../models.js';

export type SequelizeCall = OrmCall<SequelizeHarness>;

const TAGS = ['a', 'b', 'c'].map((code) => ({ code, label: code }));
const SEATS = [1, 2].map((seat) => ({ org: 'guild', seat, level: 'basic' }));
const addTags = ({ models }: SequelizeHarness) => models.Tag.bulkCreate(TAGS);
const addSeats = ({ models }: SequelizeHarness) => models.Membership.bulkCreate(SEATS);
const quoted = ({ sequelize }: SequelizeHarness, name: string): string =>
  sequelize.getQueryInterface().quoteIdentifier(name, true);

async function find(model: ModelStatic<Row>, key: string | number): Promise<Row> {
  return model.findByPk(key, { rejectOnEmpty: true });
}

/** Calls what Sequelize gives a row for its associations. */
async function call(row: Model, method: string, ...args: unknown[]): Promise<unknown> {
  return Reflect.apply(Reflect.get(row, method), row, args);
}

/** A user with a manager, a profile, and posts that have comments and tags. */
async function addFamily({ models, db }: SequelizeHarness): Promise<void> {
  await db.createUser({ id: 1, email: 'ada@a.test', active: true });
  await db.createUser({ id: 2, email: 'bo@a.test', active: false, managerId: 1 });
  await db.createProfile('p', 1, 'bio');
  await models.Post.bulkCreate([
    { id: 1, title: 'one', authorId: 1 },
    { id: 2, title: 'two', authorId: 1 },
  ]);
  await models.Comment.create({ text: 'x', postId: 1 });
  await models.Tag.bulkCreate(TAGS);
  await call(await find(models.Post, 1), 'addTags', ['a', 'b']);
}

/** A model that is deleted softly, by a column of its own name. */
export function noteOf(sequelize: Sequelize): ModelStatic<Row> {
  return sequelize.define<Row>(
    'Note',
    { text: DataTypes.STRING },
    { tableName: 'notes', paranoid: true, createdAt: false, updatedAt: false, deletedAt: 'destroyTime' },
  );
}

/** Written down here apart from the code under test: how each column reads in an event. */
export const RECORDED_TABLES: DomainTables = {
  ...SEQUELIZE_LINKS,
  notes: {
    model: 'Note',
    key: ['id'],
    columns: { id: ['id', 'whole'], text: ['text', 'text'], destroyTime: ['destroyTime', 'instant'] },
  },
};

const addNotes = ({ sequelize }: SequelizeHarness) =>
  noteOf(sequelize).bulkCreate([{ text: 'one' }, { text: 'two' }]);

/** What Sequelize writes with, each called once on a database of its own. */
export const SEQUELIZE_CALLS: readonly SequelizeCall[] = [
  {
    does: 'create one row',
    call: '`create()`',
    run: ({ models }) => models.User.create({ email: 'ada@a.test', settings: { a: [1] } }),
  },
  {
    does: 'create one row',
    call: '`save()` of a new instance',
    run: ({ models }) => models.User.build({ email: 'ada@a.test' }).save(),
  },
  { does: 'create many rows', call: '`bulkCreate()`', run: addTags },
  {
    does: 'create many rows',
    call: '`queryInterface.bulkInsert()`',
    run: ({ sequelize }) => sequelize.getQueryInterface().bulkInsert('Tag', TAGS),
  },
  {
    does: 'update one row',
    call: '`save()` and `update()` of an instance',
    prepare: addFamily,
    run: async ({ models }) => {
      const user = await find(models.User, 1);
      user.set('name', 'Ada');
      await user.save();
      await user.update({ role: 'ADMIN' });
    },
  },
  {
    does: 'update many rows',
    call: '`Model.update()`',
    prepare: addTags,
    run: ({ models }) => models.Tag.update({ label: 'z' }, { where: { code: ['a', 'b'] } }),
  },
  {
    does: 'update many rows',
    call: '`queryInterface.bulkUpdate()`',
    prepare: addTags,
    run: ({ sequelize }) =>
      sequelize.getQueryInterface().bulkUpdate('Tag', { label: 'z' }, { code: ['a', 'b'] }),
  },
  {
    does: 'update many rows',
    call: '`scope().update()`',
    prepare: addTags,
    run: ({ models }) => {
      models.Tag.addScope('narrow', { where: { label: 'a' }, attributes: ['code'] }, { override: true });
      return models.Tag.scope('narrow').update({ label: 'z' }, { where: {} });
    },
  },
  {
    does: 'delete one row',
    call: '`destroy()` of an instance',
    prepare: addTags,
    run: async ({ models }) => (await find(models.Tag, 'a')).destroy(),
  },
  {
    does: 'delete many rows',
    call: '`Model.destroy()`',
    prepare: addTags,
    run: ({ models }) => models.Tag.destroy({ where: { code: ['a', 'b'] } }),
  },
  {
    does: 'delete many rows',
    call: '`queryInterface.bulkDelete()`',
    prepare: addTags,
    run: ({ sequelize }) => sequelize.getQueryInterface().bulkDelete('Tag', { code: ['a', 'b'] }),
  },
  {
    does: 'delete all rows of a table',
    call: '`destroy({ truncate: true })`',
    prepare: addSeats,
    run: ({ models }) => models.Membership.destroy({ truncate: true }),
  },
  {
    does: 'delete all rows of a table',
    call: '`truncate({ cascade: true })`',
    on: ['postgres'],
    prepare: addFamily,
    run: ({ models }) => models.User.truncate({ cascade: true }),
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`upsert()`',
    prepare: addSeats,
    run: async ({ models }) => {
      await models.Membership.upsert({ org: 'guild', seat: 2, level: 'gold' });
      await models.Membership.upsert({ org: 'guild', seat: 3, level: 'gold' });
    },
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`upsert()` of rows that others refer to',
    prepare: addFamily,
    run: ({ models }) => models.Tag.upsert({ code: 'a', label: 'z' }),
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`bulkCreate({ updateOnDuplicate })`',
    prepare: addSeats,
    run: ({ models }) =>
      models.Membership.bulkCreate(
        [2, 3].map((seat) => ({ org: 'guild', seat, level: 'gold' })),
        { updateOnDuplicate: ['level'] },
      ),
  },
  {
    does: 'create unless it is there',
    call: '`bulkCreate({ ignoreDuplicates })`',
    prepare: addSeats,
    run: ({ models }) =>
      models.Membership.bulkCreate(
        [1, 3].map((seat) => ({ org: 'guild', seat })),
        { ignoreDuplicates: true },
      ),
  },
  {
    does: 'create unless it is there',
    call: '`findOrCreate()`, `findCreateFind()`',
    prepare: addTags,
    run: async ({ models }) => {
      for (const code of ['a', 'd'])
        await models.Tag.findOrCreate({ where: { code }, defaults: { label: code } });
      for (const code of ['a', 'e'])
        await models.Tag.findCreateFind({ where: { code }, defaults: { label: code } });
    },
  },
  {
    does: 'values that the database computes',
    call: '`increment()`, `decrement()`',
    prepare: addFamily,
    run: async ({ models }) => {
      await (await find(models.Post, 1)).increment('views', { by: 3 });
      await models.Post.decrement({ views: 1 }, { where: { title: 'one' } });
    },
  },
  {
    does: 'values that the database computes',
    call: '`update()` with `fn()` or `literal()`',
    prepare: addTags,
    run: async ({ models, sequelize }) => {
      await models.Tag.update(
        { label: sequelize.fn('UPPER', sequelize.col('label')) },
        { where: { code: 'a' } },
      );
      await models.Tag.update({ label: sequelize.literal("'z'") }, { where: { code: 'b' } });
    },
  },
  {
    does: 'soft delete, and restore',
    call: '`destroy()`, `restore()` of a paranoid model',
    prepare: addNotes,
    run: async ({ sequelize }) => {
      const Note = noteOf(sequelize);
      const note = await find(Note, 1);
      await note.destroy();
      await note.restore();
      await Note.destroy({ where: {} });
      await Note.restore({ where: { text: 'two' } });
      await note.destroy({ force: true });
    },
  },
  {
    does: 'rows that hang together, in one call',
    call: '`create({ include })`',
    prepare: addTags,
    run: ({ db }) => db.createUserDeep('ada@a.test', 'one', 'x', ['a', 'd']),
  },
  {
    does: 'rows that hang together, in one call',
    call: "`add`, `set`, `create` of a row's many",
    prepare: addFamily,
    run: async ({ models }) => {
      await call(await find(models.Post, 2), 'addComment', await find(models.Comment, 1));
      await call(await find(models.Post, 2), 'createComment', { text: 'y' });
      await call(await find(models.User, 1), 'setManager', 2);
    },
  },
  {
    does: 'links of many-to-many',
    call: '`add`, `set`, `remove`, `create`',
    prepare: addFamily,
    run: async ({ models }) => {
      const post = await find(models.Post, 1);
      await call(post, 'addTag', 'c');
      await call(post, 'setTags', ['b', 'c']);
      await call(post, 'removeTag', 'b');
      await call(post, 'createTag', { code: 'd', label: 'd' });
    },
  },
  {
    does: 'what foreign keys carry on',
    call: '`destroy()` of a row that others refer to',
    prepare: addFamily,
    run: ({ models }) => models.User.destroy({ where: { id: 1 } }),
  },
  {
    does: 'change of a primary key',
    call: '`Model.update()` of it',
    prepare: addFamily,
    run: async ({ models }) => {
      await models.Membership.bulkCreate(SEATS);
      await models.Membership.update({ seat: 7 }, { where: { seat: 2 } });
      await models.Tag.update({ code: 'z' }, { where: { code: 'a' } });
    },
  },
  {
    does: 'without hooks',
    call: '`hooks: false`',
    prepare: addTags,
    run: async ({ models: { Tag } }) => {
      await Tag.bulkCreate([{ code: 'd', label: 'd' }], { hooks: false });
      await Tag.update({ label: 'z' }, { where: { code: ['b', 'c'] }, hooks: false });
      await Tag.destroy({ where: { code: 'b' }, hooks: false });
    },
  },
  {
    does: 'a transaction, and a savepoint that is rolled back',
    call: '`transaction()` in `transaction()`',
    prepare: addTags,
    run: ({ sequelize, models: { Tag } }) =>
      sequelize.transaction(async (transaction) => {
        await Tag.update({ label: 'kept' }, { where: { code: 'a' }, transaction });
        await sequelize
          .transaction({ transaction }, async (inner) => {
            await Tag.destroy({ where: { code: 'a' }, transaction: inner });
            throw new Error('on purpose');
          })
          .catch(() => undefined);
      }),
  },
  {
    does: 'a transaction, and a savepoint that is rolled back',
    call: 'unmanaged `transaction()`',
    prepare: addTags,
    run: async ({ sequelize, models: { Tag } }) => {
      const transaction = await sequelize.transaction();
      await Tag.update({ label: 'kept' }, { where: { code: 'a' }, transaction });
      const inner = await sequelize.transaction({ transaction });
      await Tag.destroy({ where: { code: 'a' }, transaction: inner });
      await inner.rollback();
      await transaction.commit();
    },
  },
  {
    does: 'raw SQL',
    call: '`sequelize.query()`',
    prepare: addTags,
    run: async (harness) => {
      const tag = quoted(harness, 'Tag');
      await harness.sequelize.query(`UPDATE ${tag} SET label = :label WHERE code > 'a'`, {
        replacements: { label: 'z' },
        type: QueryTypes.UPDATE,
      });
      await harness.sequelize.query(
        `INSERT INTO ${tag} (code, label) SELECT 'd', label FROM ${tag} WHERE code = 'a'`,
      );
    },
  },
  {
    does: 'several statements in one string of raw SQL',
    call: '`sequelize.query()`',
    on: ['postgres'],
    prepare: addTags,
    run: ({ sequelize }) =>
      sequelize.query(`UPDATE "Tag" SET label = 'z' WHERE code = 'a'; DELETE FROM "Tag" WHERE code = 'b'`),
  },
];
