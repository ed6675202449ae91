import assert from 'node:assert/strict';
import { withOracle } from '@indelible/capture/conformance';
import type { AuditEvent } from '@indelible/core';
import { DataTypes, QueryTypes, UniqueConstraintError } from 'sequelize';
import { actions, type BehaviourCase, ids } from './behaviour-cases.js';

/** How Sequelize writes rows. */
export const writeBehaviours: readonly BehaviourCase[] = [
  [
    'bulkCreate with updateOnDuplicate tells rows that are new from rows that were there, and passes over unchanged ones',
    async (harness) => {
      const { Tag } = harness.models;
      await Tag.bulkCreate([
        { code: 'known', label: 'before' },
        { code: 'same', label: 'same' },
      ]);
      const events = await withOracle(harness, () =>
        Tag.bulkCreate(
          [
            { code: 'new', label: 'new' },
            { code: 'known', label: 'after' },
            { code: 'same', label: 'same' },
          ],
          { updateOnDuplicate: ['label'] },
        ),
      );
      assert.deepEqual(actions(events), ['tag.created', 'tag.updated']);
      assert.equal(events.find(({ action }) => action === 'tag.updated')?.change?.before?.label, 'before');
    },
  ],
  [
    'bulkCreate with ignoreDuplicates tells the rows that were inserted',
    async (harness) => {
      const { Tag } = harness.models;
      await Tag.create({ code: 'known', label: 'before' });
      const events = await withOracle(harness, () =>
        Tag.bulkCreate(
          [
            { code: 'new', label: 'new' },
            { code: 'known', label: 'after' },
          ],
          { ignoreDuplicates: true },
        ),
      );
      assert.deepEqual(ids(events), ['new']);
    },
  ],
  [
    'increment and decrement tell the values that were stored, of one row and of many',
    async (harness) => {
      const { Order } = harness.models;
      await Order.bulkCreate([
        { id: 'a', group: 'north', total: 1 },
        { id: 'b', group: 'north', total: 2 },
      ]);
      const one = await Order.findByPk('a', { rejectOnEmpty: true });
      const events = await withOracle(harness, async () => {
        await one.increment('total', { by: 4 });
        await one.decrement({ total: 2 });
        await Order.decrement('total', { where: { group: 'north' } });
      });
      assert.deepEqual(
        events.map(({ resource, change }) => [resource?.id, change?.before?.total, change?.after?.total]),
        [
          ['a', 1, 5],
          ['a', 5, 3],
          ...[...events.slice(2)].map(({ resource }) => (resource?.id === 'a' ? ['a', 3, 2] : ['b', 2, 1])),
        ],
      );
      assert.equal(events.length, 4);
    },
  ],
  [
    'upsert tells which branch ran, and nothing where nothing changed',
    async (harness) => {
      const { Order, Tag } = harness.models;
      const isFollowed = harness.sequelize.getDialect() === 'postgres';
      const upsert = (text: string) =>
        withOracle(harness, async () => {
          await Order.upsert({ id: 'x', group: text });
          // Foreign keys with ON UPDATE CASCADE point at its key, which Sequelize assigns as well.
          if (isFollowed) await Tag.upsert({ code: 'x', label: text });
        });
      assert.deepEqual(actions(await upsert('first')), [
        'order.created',
        ...(isFollowed ? ['tag.created'] : []),
      ]);
      assert.deepEqual(actions(await upsert('second')), [
        'order.updated',
        ...(isFollowed ? ['tag.updated'] : []),
      ]);
      assert.deepEqual(actions(await upsert('second')), []);
      if (isFollowed) return;
      const known = (await harness.events()).length;
      await Tag.upsert({ code: 'x', label: 'told' });
      const told = (await harness.events()).slice(known);
      assert.deepEqual(actions(told), ['tag.created', 'tag.executed']);
      assert.match(JSON.stringify(told[1]?.details), /foreign key/i);
    },
  ],
  [
    'a paranoid model with a name of its own for deletedAt is deleted softly, restored, and deleted',
    async (harness) => {
      const Note = harness.sequelize.define(
        'Note',
        { text: DataTypes.STRING },
        { paranoid: true, deletedAt: 'destroyTime', timestamps: true, tableName: 'notes' },
      );
      await Note.sync();
      const note = await Note.create({ text: 'kept' });
      await note.destroy();
      await note.restore();
      await Note.destroy({ where: { text: 'kept' } });
      await Note.restore({ where: { text: 'kept' } });
      await note.destroy({ force: true });
      const told = await harness.events();
      assert.deepEqual(
        told.map(({ action }) => action),
        [
          'note.created',
          'note.soft_deleted',
          'note.restored',
          'note.soft_deleted',
          'note.restored',
          'note.deleted',
        ],
      );
      assert.equal(told[1]?.change?.fields?.includes('destroyTime'), true);
    },
  ],
  [
    'scopes narrow what is found and not what is recorded',
    async (harness) => {
      const { User } = harness.models;
      User.addScope('narrow', { where: { active: true }, attributes: ['id'] });
      await User.bulkCreate([{ email: 'a@a.test' }, { email: 'b@a.test', active: false }]);
      const events = await withOracle(harness, async () => {
        await User.scope('narrow').update({ name: 'scoped' }, { where: {} });
        await User.scope('narrow').destroy({ where: {} });
      });
      assert.deepEqual(actions(events), ['user.deleted', 'user.updated']);
      assert.equal(events[1]?.change?.before?.email, 'a@a.test');
    },
  ],
  [
    "an association's add, set, remove and create tell the rows that they write",
    async (harness) => {
      const { User, Post, Tag, Comment } = harness.models;
      const user = await User.create({ email: 'ada@a.test' });
      const boss = await User.create({ email: 'grace@a.test' });
      const post = await Post.create({ title: 'post', authorId: user.get('id') });
      const other = await Post.create({ title: 'other', authorId: user.get('id') });
      const comment = await Comment.create({ text: 'text', postId: post.get('id') });
      await Tag.bulkCreate(['a', 'b', 'c'].map((code) => ({ code, label: code })));
      const call = async (row: object, method: string, ...args: unknown[]): Promise<readonly AuditEvent[]> =>
        withOracle(harness, async () => Reflect.apply(Reflect.get(row, method), row, args));
      assert.deepEqual(actions(await call(post, 'addTags', ['a', 'b'])), [
        'post_to_tag.linked',
        'post_to_tag.linked',
      ]);
      assert.deepEqual(actions(await call(post, 'setTags', ['b', 'c'])), [
        'post_to_tag.linked',
        'post_to_tag.unlinked',
      ]);
      assert.deepEqual(actions(await call(post, 'removeTags', ['b', 'c'])), [
        'post_to_tag.unlinked',
        'post_to_tag.unlinked',
      ]);
      assert.deepEqual(actions(await call(post, 'createTag', { code: 'd', label: 'd' })), [
        'post_to_tag.linked',
        'tag.created',
      ]);
      assert.deepEqual(actions(await call(user, 'setManager', boss)), ['user.updated']);
      const [moved] = await call(other, 'addComment', comment);
      assert.deepEqual(moved?.change?.after, { postId: other.get('id') });
    },
  ],
  [
    'findOrCreate tells a row that it creates, and nothing of one that it finds',
    async (harness) => {
      const { Tag } = harness.models;
      const options = { where: { code: 'x' }, defaults: { label: `it's $1 "x" :y` } };
      let created: unknown[] = [];
      const events = await withOracle(harness, async () => {
        for (let turn = 0; turn < 2; turn += 1) {
          const [tag, isNew] = await Tag.findOrCreate(options);
          created = [...created, isNew, tag.get('label')];
        }
        await Tag.findCreateFind({ where: { code: 'y' }, defaults: { label: 'y' } });
      });
      assert.deepEqual(created, [true, options.defaults.label, false, options.defaults.label]);
      assert.deepEqual(ids(events), ['x', 'y']);
    },
  ],
  [
    'findOrCreate that meets another unique key leaves its transaction usable and tells nothing of the row',
    async (harness) => {
      const { User } = harness.models;
      await User.create({ email: 'taken@a.test', name: 'first' });
      const events = await withOracle(harness, () =>
        harness.sequelize.transaction(async (transaction) => {
          await assert.rejects(
            User.findOrCreate({
              where: { name: 'second' },
              defaults: { email: 'taken@a.test' },
              transaction,
            }),
            UniqueConstraintError,
          );
          await User.create({ email: 'free@a.test' }, { transaction });
        }),
      );
      assert.deepEqual(
        events.map(({ change }) => change?.after?.email),
        ['free@a.test'],
      );
    },
  ],
  [
    'one of ten findOrCreates of one row at once creates it, and one event says so',
    async (harness) => {
      const { Tag } = harness.models;
      const events = await withOracle(harness, async () => {
        const found = await Promise.all(
          Array.from({ length: 10 }, () =>
            Tag.findOrCreate({ where: { code: 'x' }, defaults: { label: 'x' } }),
          ),
        );
        assert.equal(found.filter(([, isNew]) => isNew).length, 1);
      });
      assert.deepEqual(actions(events), ['tag.created']);
    },
  ],
  [
    'hooks: false and individualHooks change nothing of what is recorded',
    async (harness) => {
      const { Tag } = harness.models;
      const events = await withOracle(harness, async () => {
        await Tag.bulkCreate(
          [
            { code: 'a', label: 'a' },
            { code: 'b', label: 'b' },
          ],
          { hooks: false },
        );
        await Tag.update({ label: 'c' }, { where: {}, hooks: false });
        await Tag.destroy({ where: { code: 'a' }, hooks: false });
        await Tag.destroy({ where: {}, individualHooks: true });
      });
      assert.deepEqual(actions(events), [
        'tag.created',
        'tag.created',
        'tag.deleted',
        'tag.deleted',
        'tag.updated',
        'tag.updated',
      ]);
    },
  ],
  [
    'raw queries with replacements and binds, of every query type, are recorded',
    async (harness) => {
      const { sequelize } = harness;
      const tag = sequelize.getQueryInterface().quoteIdentifier('Tag', true);
      const events = await withOracle(harness, async () => {
        await sequelize.query(`INSERT INTO ${tag} (code, label) VALUES (:code, :label)`, {
          replacements: { code: 'a', label: "it's" },
          type: QueryTypes.INSERT,
        });
        await sequelize.query(`INSERT INTO ${tag} (code, label) VALUES ($1, $2)`, { bind: ['b', '$3'] });
        await sequelize.query(`UPDATE ${tag} SET label = $label WHERE code = $code`, {
          bind: { label: 'bound', code: 'a' },
          type: QueryTypes.UPDATE,
        });
        await sequelize.query({ query: `DELETE FROM ${tag} WHERE code = ?`, values: ['b'] });
        await sequelize.query(`SELECT * FROM ${tag}`, { type: QueryTypes.SELECT });
        await sequelize.query(`DELETE FROM ${tag}`, { type: QueryTypes.BULKDELETE });
      });
      assert.deepEqual(
        events.map(({ action, resource }) => `${action} ${resource?.id}`),
        ['tag.created a', 'tag.created b', 'tag.updated a', 'tag.deleted b', 'tag.deleted a'],
      );
    },
  ],
];
