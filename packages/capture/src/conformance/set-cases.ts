import assert from 'node:assert/strict';
import type { AuditEvent } from '@indelible/core';
import { withOracle } from './oracle.js';
import type { Case } from './suite-case.js';

function actions(events: readonly AuditEvent[]): string[] {
  return events.map((event) => event.action).sort();
}

function people(count: number): { email: string; name: string; active: boolean }[] {
  return Array.from({ length: count }, (_, n) => ({
    email: `u${n}@a.test`,
    name: `N${n}`,
    active: n % 2 === 0,
  }));
}

/** C5 to C10: statements that touch several rows, and rows that several statements touch. */
export const setCases: readonly Case[] = [
  [
    'a bulk update of N rows gives N events with their befores, in a number of statements that does not grow with N',
    async (harness) => {
      const countRename = async (active: boolean, name: string): Promise<number> => {
        // What is made once for a connection is made by the first.
        await harness.db.renameUsers(active, 'first');
        harness.countStatements();
        await harness.db.renameUsers(active, name);
        return harness.countStatements();
      };
      await harness.db.createUsers(people(10));
      const few = await countRename(true, 'few');
      await harness.db.createUsers(
        people(210)
          .slice(10)
          .map((user) => ({ ...user, active: false })),
      );
      const known = (await harness.events()).length;
      assert.equal(await countRename(false, 'many'), few);
      const events = await withOracle(harness, () => harness.db.renameUsers(false, 'again'));
      assert.equal((await harness.events()).length, known + 3 * 205);
      assert.equal(events.length, 205);
    },
  ],
  [
    'a bulk delete of N rows gives N events with all of each row',
    async (harness) => {
      await harness.db.createUsers(people(9));
      const events = await withOracle(harness, () => harness.db.deleteUsers(true));
      assert.deepEqual(actions(events), Array(5).fill('user.deleted'));
    },
  ],
  [
    'a bulk create of N rows gives N events with their generated keys',
    async (harness) => {
      const events = await withOracle(harness, () => harness.db.createUsers(people(7)));
      assert.equal(events.length, 7);
      assert.equal(new Set(events.map((event) => event.resource?.id)).size, 7);
    },
  ],
  [
    'beyond the limit of rows an event counts them and says so',
    async (harness, { supports }) => {
      await harness.db.createUsers(people(4));
      if (supports.limitsRows === false) {
        const events = await withOracle(harness, () => harness.db.createUsers(people(20).slice(4)));
        assert.equal(events.length, 16);
        return;
      }
      await harness.db.createUsers(people(20).slice(4));
      const event = (await harness.events()).at(-1);
      assert.equal(event?.change?.fidelity, 'count-only');
      assert.equal(event?.details?.rows, 16);
    },
    { maxRows: 8 },
  ],
  [
    'an upsert says which branch ran: create, update, or nothing',
    async (harness) => {
      const upsert = (name: string) => () =>
        harness.db.upsertUser('ada@a.test', { email: 'ada@a.test', name: 'first' }, { name });
      assert.deepEqual(actions(await withOracle(harness, upsert('second'))), ['user.created']);
      const [update] = await withOracle(harness, upsert('second'));
      assert.equal(update?.action, 'user.updated');
      assert.equal(update.change?.before?.name, 'first');
    },
  ],
  [
    'INSERT … ON CONFLICT DO NOTHING on an existing row records nothing',
    async (harness) => {
      await harness.db.createTag('x', 'X');
      const events = await withOracle(harness, () =>
        harness.db.execute(
          `INSERT INTO "Tag" ("code", "label") VALUES ('x', 'other') ON CONFLICT DO NOTHING`,
        ),
      );
      assert.equal(events.length, 0);
    },
  ],
  [
    'increments record the resolved values, and computed columns what was stored',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', visits: 41n });
      const [event] = await withOracle(harness, () => harness.db.incrementVisits(Number(id), 1));
      assert.equal(event?.change?.before?.visits, '41');
      assert.equal(event?.change?.after?.visits, '42');
      assert.ok(event?.change?.fields?.includes('updatedAt'));
    },
  ],
  [
    'nested creates, connects and connectOrCreates record every row, relation tables included',
    async (harness) => {
      await harness.db.createTag('old', 'Old');
      const events = await withOracle(harness, () =>
        harness.db.createUserDeep('ada@a.test', 'Title', 'Comment', ['old', 'new']),
      );
      assert.deepEqual(actions(events), [
        'comment.created',
        'post.created',
        'post_to_tag.linked',
        'post_to_tag.linked',
        'tag.created',
        'user.created',
      ]);
      assert.equal(new Set(events.map((event) => event.context.transactionId)).size, 1);
      const post = events.find((event) => event.action === 'post.created');
      assert.ok(
        post?.change?.after !== undefined && 'body' in post.change.after,
        'fields are named as in the model',
      );
    },
  ],
  [
    'nested updates and deletes record every row that they touch',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const user = Number(id);
      const kept = await harness.db.createPost(user, 'kept');
      const removed = await harness.db.createPost(user, 'removed');
      const events = await withOracle(harness, () =>
        harness.db.updateUserDeep(user, {
          name: 'Ada',
          rename: [kept, 'renamed'],
          remove: removed,
          add: 'added',
        }),
      );
      assert.deepEqual(actions(events), ['post.created', 'post.deleted', 'post.updated', 'user.updated']);
    },
  ],
  [
    'setting a many-to-many relation records the links that came and went; adding an existing link records nothing',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const post = await harness.db.createPost(Number(id), 'post');
      for (const code of ['a', 'b', 'c']) await harness.db.createTag(code, code);
      await harness.db.setTags(post, ['a', 'b']);
      const events = await withOracle(harness, () => harness.db.setTags(post, ['b', 'c']));
      assert.ok(actions(events).includes('post_to_tag.linked'));
      assert.ok(actions(events).includes('post_to_tag.unlinked'));
      assert.equal((await withOracle(harness, () => harness.db.connectTag(post, 'b'))).length, 0);
      const gone = await withOracle(harness, () => harness.db.disconnectTag(post, 'b'));
      assert.deepEqual(actions(gone), ['post_to_tag.unlinked']);
      assert.equal(gone[0]?.change?.operation, 'unlink');
    },
  ],
  [
    'a relation of a model with itself records its links',
    async (harness) => {
      const one = await harness.db.createUser({ email: 'ada@a.test' });
      const two = await harness.db.createUser({ email: 'grace@a.test' });
      const events = await withOracle(harness, () => harness.db.befriend(Number(one.id), Number(two.id)));
      assert.deepEqual(actions(events), ['friends.linked']);
    },
  ],
  [
    'a delete that cascades records every further row with its original values, self-references included',
    async (harness) => {
      const { id } = await harness.db.createUserDeep('ada@a.test', 'Title', 'root', ['t']);
      const user = Number(id);
      await harness.db.createProfile('p1', user, 'bio');
      const report = await harness.db.createUser({ email: 'grace@a.test', managerId: user });
      const post = await harness.db.createPost(user, 'second');
      const root = await harness.db.addComment(post, 'root');
      const child = await harness.db.addComment(post, 'child', root);
      await harness.db.addComment(post, 'grandchild', child);
      const events = await withOracle(harness, () => harness.db.deleteUser(user));
      assert.deepEqual(actions(events), [
        'comment.deleted',
        'comment.deleted',
        'comment.deleted',
        'comment.deleted',
        'post.deleted',
        'post.deleted',
        'post_to_tag.unlinked',
        'profile.deleted',
        'user.deleted',
        'user.updated',
      ]);
      const orphan = events.find(
        (event) => event.action === 'user.updated' && event.resource?.id === String(report.id),
      );
      assert.deepEqual(orphan?.change?.before, { managerId: user });
      assert.deepEqual(orphan?.change?.after, { managerId: null });
    },
  ],
  [
    'deleting a row of a self-reference takes its descendants along',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const post = await harness.db.createPost(Number(id), 'post');
      const root = await harness.db.addComment(post, 'root');
      await harness.db.addComment(post, 'reply', root);
      const events = await withOracle(harness, () => harness.db.deleteComment(root));
      assert.deepEqual(actions(events), ['comment.deleted', 'comment.deleted']);
    },
  ],
  [
    'changing a primary key records old and new identity, and the keys that follow it',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const post = await harness.db.createPost(Number(id), 'post');
      await harness.db.createTag('old', 'label');
      await harness.db.connectTag(post, 'old');
      const events = await withOracle(harness, () => harness.db.renameTag('old', 'new'));
      const tag = events.find((event) => event.action === 'tag.updated');
      assert.equal(tag?.resource?.id, 'old');
      assert.equal(tag.details?.newResourceId, 'new');
      assert.deepEqual(actions(events), ['post_to_tag.updated', 'tag.updated']);
    },
  ],
  [
    'composite keys are the canonical JSON of their parts',
    async (harness) => {
      const events = await withOracle(harness, async () => {
        await harness.db.createMembership('guild', 7);
        await harness.db.updateMembership('guild', 7, { level: 'gold' });
        await harness.db.moveMembership('guild', 7, 8);
        await harness.db.deleteMembership('guild', 8);
      });
      assert.deepEqual(
        events.map((event) => event.resource?.id),
        [
          '{"org":"guild","seat":7}',
          '{"org":"guild","seat":7}',
          '{"org":"guild","seat":7}',
          '{"org":"guild","seat":8}',
        ],
      );
      assert.equal(events[2]?.details?.newResourceId, '{"org":"guild","seat":8}');
    },
  ],
  [
    'tables and columns with reserved and mixed-case names are recorded by their field names',
    async (harness) => {
      await withOracle(harness, () => harness.db.createOrder('o-1', 'north'));
      const [event] = await withOracle(harness, () =>
        harness.db.updateOrder('o-1', { group: 'south', total: 3 }),
      );
      assert.equal(event?.action, 'order.updated');
      assert.deepEqual(event.change?.fields?.toSorted(), ['group', 'total']);
    },
  ],
];
