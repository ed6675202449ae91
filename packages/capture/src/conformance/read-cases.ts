import assert from 'node:assert/strict';
import { runWithContext } from '@indelible/context';
import type { AuditEvent, JsonValue } from '@indelible/core';
import type { OrmHarness } from './orm-harness.js';
import type { Case } from './suite-case.js';

const actor = { type: 'user', id: 'nurse' } as const;

/** C15: who was shown which rows, where that is asked for. */
export const readCases: readonly Case[] = [
  [
    'a read of a model that is named records who saw which ids, and in which request',
    async (harness) => {
      const [ada, grace] = await createUsers(harness, 3);
      await runWithContext({ actor, requestId: 'req-1' }, () => harness.db.findUsers(true));
      const [event, ...more] = await reads(harness);
      assert.equal(more.length, 0);
      assert.equal(event?.action, 'user.read');
      assert.equal(event.category, 'access');
      assert.deepEqual(event.resource, { type: 'User', id: '*' });
      assert.deepEqual(idsOf(event), [ada, grace]);
      assert.equal(event.change?.operation, 'read');
      assert.equal(event.change.fidelity, 'exact');
      assert.deepEqual(event.actor, actor);
      assert.equal(event.context.requestId, 'req-1');
    },
    { reads: ['User'] },
  ],
  [
    'several reads of one request are one event a model, and a single row is its resource',
    async (harness) => {
      const [ada, grace, mary] = await createUsers(harness, 3);
      await harness.db.createTag('x', 'X');
      await runWithContext({ actor }, async () => {
        await harness.db.findUser(Number(ada));
        await harness.db.findUsers(true);
        await harness.db.findUser(Number(mary));
        await harness.db.findUser(Number(ada));
      });
      await runWithContext({ actor }, () => harness.db.findUser(Number(grace)));
      const [first, second, ...more] = await reads(harness);
      assert.equal(more.length, 0);
      assert.deepEqual(idsOf(first), [ada, grace, mary]);
      assert.deepEqual(second?.resource, { type: 'User', id: grace });
    },
    { reads: ['User', 'Tag'] },
  ],
  [
    'outside of a request each read is an event',
    async (harness) => {
      const [ada] = await createUsers(harness, 1);
      await harness.db.findUser(Number(ada));
      await harness.transaction((db) => db.findUser(Number(ada)));
      assert.deepEqual((await reads(harness)).map(idsOf), [[ada], [ada]]);
    },
    { reads: ['User'] },
  ],
  [
    'rows that come along with others are told too, at any depth, and those of other models are not',
    async (harness) => {
      const { id } = await harness.db.createUserDeep('ada@a.test', 'Title', 'Text', ['x', 'y']);
      await runWithContext({ actor }, () => harness.db.findUserDeep(Number(id)));
      const events = await reads(harness);
      assert.deepEqual(events.map(({ action }) => action).sort(), ['comment.read', 'tag.read']);
      assert.deepEqual(idsOf(events.find(({ action }) => action === 'tag.read')), ['x', 'y']);
    },
    { reads: ['Comment', 'Tag'] },
  ],
  [
    'the way from a row to those of a relation shows these',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const first = await harness.db.createPost(Number(id), 'first');
      const second = await harness.db.createPost(Number(id), 'second');
      assert.deepEqual((await harness.db.findPostsOf(Number(id))).toSorted(), ['first', 'second']);
      const events = await reads(harness);
      assert.deepEqual(events.flatMap(idsOf).toSorted(), [String(first), String(second)].toSorted());
      assert.ok(events.every(({ action }) => action === 'post.read'));
    },
    { reads: ['Post'] },
  ],
  [
    'a read without the key gives the caller no more, and is told with its ids or says that they are not known',
    async (harness, { supports }) => {
      const ids = await createUsers(harness, 2);
      const rows = await runWithContext({ actor }, () => harness.db.findNames(true));
      assert.deepEqual(rows, [{ name: 'N0' }, { name: 'N1' }]);
      const [event] = await reads(harness);
      const isTold = supports.readsNarrow !== false;
      assert.deepEqual(idsOf(event), isTold ? ids : []);
      assert.equal(event?.change?.fidelity, isTold ? 'exact' : 'count-only');
      assert.equal(event.details?.rows, isTold ? undefined : 2);
    },
    { reads: ['User'] },
  ],
  [
    'what reads give is the same with and without',
    async (harness, { factory }) => {
      const plain = await factory({ audited: false });
      try {
        assert.deepEqual(await describeReads(harness), await describeReads(plain));
      } finally {
        await plain.close();
      }
    },
    { reads: ['User', 'Post', 'Comment', 'Tag', 'Membership'] },
  ],
  [
    'a count shows no row and is not recorded; an aggregate that shows a value is, and is marked',
    async (harness) => {
      await createUsers(harness, 2);
      assert.equal(await harness.db.countUsers(true), 2);
      assert.equal((await reads(harness)).length, 0);
      assert.equal(await harness.db.greatestScore(), 1);
      const [event] = await reads(harness);
      assert.equal(event?.change?.fidelity, 'count-only');
      assert.deepEqual(idsOf(event), []);
    },
    { reads: ['User'] },
  ],
  [
    'raw SQL that names the table is marked, with its text and no values',
    async (harness) => {
      await createUsers(harness, 2);
      await harness.db.createTag('x', 'X');
      const sql = `SELECT "name" FROM "User" WHERE "email" = 'u0@a.test' OR "name" = 'N1'`;
      assert.equal(await harness.db.queryRows(sql), 2);
      assert.equal(await harness.db.queryRows('SELECT "label" FROM "Tag"'), 1);
      const [event, ...more] = await reads(harness);
      assert.equal(more.length, 0);
      assert.equal(event?.action, 'user.read');
      assert.equal(event.change?.fidelity, 'opaque');
      assert.deepEqual(event.resource, { type: 'User', id: '*' });
      assert.match(JSON.stringify(event.details?.statements), /SELECT .*User/);
      assert.ok(!JSON.stringify(event).includes('u0@a.test'));
    },
    { reads: ['User'] },
  ],
  [
    'a read that fails or finds nothing shows nothing, and what nobody asked to record is not recorded',
    async (harness) => {
      await createUsers(harness, 1);
      assert.equal(await harness.db.findUser(99), null);
      assert.deepEqual(await harness.db.findUsers(false), []);
      await assert.rejects(harness.db.queryRows('SELECT nothing FROM "User"'));
      await harness.db.findMembership('guild', 1);
      assert.equal((await reads(harness)).length, 0);
    },
    { reads: ['User'] },
  ],
  [
    'a read that nobody asked to record is not recorded',
    async (harness) => {
      const [ada] = await createUsers(harness, 1);
      await runWithContext({ actor }, () => harness.db.findUser(Number(ada)));
      await harness.db.queryRows('SELECT * FROM "User"');
      assert.equal((await reads(harness)).length, 0);
    },
  ],
  [
    'what is written is no read',
    async (harness) => {
      const [ada = ''] = await createUsers(harness, 2);
      await harness.db.createPost(Number(ada), 'post');
      await harness.db.renameUsers(true, 'all');
      await harness.db.deleteUsers(true);
      assert.equal((await reads(harness)).length, 0);
    },
    { reads: ['User', 'Post', 'Comment'] },
  ],
  [
    'a composite key is told as in the events of its changes',
    async (harness) => {
      await harness.db.createMembership('guild', 7);
      await harness.db.findMembership('guild', 7);
      const events = await harness.events();
      const [read] = await reads(harness);
      assert.equal(read?.resource?.id, '{"org":"guild","seat":7}');
      assert.equal(read.resource.id, events[0]?.resource?.id);
    },
    { reads: ['Membership'] },
  ],
  [
    'reads that run at once are each told with their own actor',
    async (harness) => {
      const ids = await createUsers(harness, 20);
      await Promise.all(
        ids.map((id) =>
          runWithContext({ actor: { type: 'user', id: `reader-${id}` } }, async () => {
            await harness.db.findUser(Number(id));
          }),
        ),
      );
      const events = await reads(harness);
      assert.equal(events.length, 20);
      for (const event of events) assert.equal(event.actor.id, `reader-${event.resource?.id}`);
    },
    { reads: ['User'] },
  ],
  [
    'nothing is recorded inside withoutAudit',
    async (harness) => {
      const [ada] = await createUsers(harness, 1);
      await harness.paused(async () => {
        await harness.db.findUser(Number(ada));
      });
      assert.equal((await reads(harness)).length, 0);
    },
    { reads: ['User'] },
  ],
  [
    'an event names a thousand rows at most, and counts the others',
    async (harness) => {
      for (let start = 0; start < 1_040; start += 260) {
        const rows = Array.from({ length: 260 }, (_, n) => ({ email: `u${start + n}@a.test` }));
        await harness.db.createUsers(rows);
      }
      await runWithContext({ actor }, () => harness.db.findUsers(true));
      const [event, ...more] = await reads(harness);
      assert.equal(more.length, 0);
      assert.equal(idsOf(event).length, 1_000);
      assert.equal(event?.details?.rows, 1_040);
      assert.equal(event.change?.fidelity, 'count-only');
    },
    { reads: ['User'] },
  ],
  [
    'with the policy strict a read is on record before its rows are shown, and once',
    async (harness) => {
      const [ada, grace] = await createUsers(harness, 2);
      await runWithContext({ actor }, async () => {
        await harness.db.findUser(Number(ada));
        assert.deepEqual((await reads(harness, false)).map(idsOf), [[ada]]);
        await harness.db.findUsers(true);
        await harness.db.findUsers(true);
        assert.deepEqual((await reads(harness, false)).map(idsOf), [[ada], [grace]]);
      });
    },
    { reads: ['User'], accessPolicy: 'strict' },
  ],
  [
    'with the policy strict a read that can not be recorded fails',
    async (harness) => {
      const [ada] = await createUsers(harness, 1);
      await harness.dropAuditTables();
      await assert.rejects(harness.db.findUser(Number(ada)), /npx indelible migrate/);
    },
    { reads: ['User'], accessPolicy: 'strict' },
  ],
  [
    'with another policy a read that can not be recorded goes on',
    async (harness) => {
      const [ada] = await createUsers(harness, 1);
      await harness.dropAuditTables();
      assert.equal((await harness.db.findUser(Number(ada)))?.id, Number(ada));
    },
    { reads: ['User'], accessPolicy: 'continue' },
  ],
];

async function createUsers(harness: OrmHarness, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const fields = { email: `u${n}@a.test`, name: `N${n}`, score: n, active: n < 2 || count > 3 };
    ids.push(String((await harness.db.createUser(fields)).id));
  }
  return ids;
}

async function reads(harness: OrmHarness, settled = true): Promise<readonly AuditEvent[]> {
  if (settled) await harness.settle();
  return (await harness.events()).filter(({ change }) => change?.operation === 'read');
}

function idsOf(event: AuditEvent | undefined): readonly JsonValue[] {
  const ids = event?.details?.ids;
  return Array.isArray(ids) ? ids : [];
}

async function describeReads(harness: OrmHarness): Promise<unknown[]> {
  const { db } = harness;
  const { id } = await db.createUserDeep('ada@a.test', 'Title', 'Text', ['x', 'y']);
  await db.createUser({ email: 'grace@a.test', name: 'Grace', visits: 9_007_199_254_740_993n, score: 2 });
  await db.createMembership('guild', 1, 'note');
  const seen: unknown[] = [];
  const note = async (work: () => Promise<unknown>): Promise<void> => {
    const result: unknown = await work().catch((error: unknown) =>
      error instanceof Error ? [error.constructor.name, error.message] : error,
    );
    seen.push(withoutTimes(result));
  };
  await note(() => db.findUsers(true));
  await note(() => db.findNames(true));
  await note(() => db.findUser(99));
  await note(() => db.findUserDeep(Number(id)));
  await note(() => db.findPostsOf(Number(id)));
  await note(() => db.countUsers(true));
  await note(() => db.greatestScore());
  await note(() => db.findMembership('guild', 1));
  await note(() => db.queryRows('SELECT * FROM "User"'));
  await note(() => harness.transaction((own) => own.findNames(true)));
  await note(() => Promise.all([db.findNames(true), db.findNames(true), db.findUsers(true)]));
  return seen;
}

/** What differs from run to run becomes its type. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      /At$/.test(name) && field !== null ? typeof field : withoutTimes(field),
    ]),
  );
}
