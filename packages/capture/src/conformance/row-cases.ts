import assert from 'node:assert/strict';
import { runWithContext } from '@indelible/context';
import { withOracle } from './oracle.js';
import type { Case } from './suite-case.js';

const actor = { type: 'user', id: 'ada' } as const;

/** C1 to C4: one row, and what counts as a change of it. */
export const rowCases: readonly Case[] = [
  [
    'a create is recorded with all of its fields, its generated key, its actor and its request',
    async (harness) => {
      const context = { actor, requestId: 'req-1', tenant: 'north' };
      const [event, ...more] = await withOracle(harness, () =>
        runWithContext(context, () => harness.db.createUser({ email: 'ada@a.test', name: 'Ada' })),
      );
      assert.equal(more.length, 0);
      assert.equal(event?.action, 'user.created');
      assert.equal(event.category, 'data');
      assert.equal(event.resource?.type, 'User');
      assert.equal(event.resource.id, String(event.change?.after?.id));
      assert.equal(event.change?.before, undefined);
      assert.deepEqual(event.actor, actor);
      assert.equal(event.context.requestId, 'req-1');
      assert.equal(event.context.tenant, 'north');
      assert.match(event.context.transactionId ?? '', /^[0-9a-f-]{36}$/);
    },
  ],
  [
    'an update is recorded with the before and after of the fields that changed, and no others',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', name: 'Ada', score: 1.5 });
      const [event] = await withOracle(harness, () => harness.db.updateUser(Number(id), { name: 'Grace' }));
      assert.equal(event?.action, 'user.updated');
      assert.equal(event.change?.before?.name, 'Ada');
      assert.equal(event.change?.after?.name, 'Grace');
      assert.ok(event.change?.fields?.every((field) => field === 'name' || field === 'updatedAt'));
    },
  ],
  [
    'a delete is recorded with all of the row as it stood',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', name: 'Ada', balance: '12.5' });
      const [event] = await withOracle(harness, () => harness.db.deleteUser(Number(id)));
      assert.equal(event?.action, 'user.deleted');
      assert.equal(event.change?.before?.email, 'ada@a.test');
      assert.equal(event.change?.before?.balance, '12.5');
      assert.equal(event.change?.after, undefined);
    },
  ],
  [
    'an update that writes identical values records nothing',
    async (harness) => {
      const membership = ['guild', 1] as const;
      await harness.db.createMembership(...membership, 'first');
      const events = await withOracle(harness, () =>
        harness.db.updateMembership(...membership, { note: 'first' }),
      );
      assert.equal(events.length, 0);
    },
  ],
  [
    'a full snapshot tells the whole row and still names what changed',
    async (harness) => {
      await harness.db.createMembership('guild', 1, 'first');
      await harness.db.updateMembership('guild', 1, { note: 'second' });
      const event = (await harness.events()).at(-1);
      assert.deepEqual(event?.change?.before, { org: 'guild', seat: 1, level: 'basic', note: 'first' });
      assert.deepEqual(event?.change?.after, { org: 'guild', seat: 1, level: 'basic', note: 'second' });
      assert.deepEqual(event?.change?.fields, ['note']);
    },
    { snapshot: 'full' },
  ],
  [
    'equal after casting is no change: a number as text, an instant in another zone, a decimal with more zeros',
    async (harness, { sql }) => {
      const { id } = await harness.db.createUser({
        email: 'ada@a.test',
        score: 1,
        balance: '1',
        deletedAt: new Date('2024-05-01T10:00:00.000Z'),
      });
      const sameInstant = sql.instant('2024-05-01T12:00:00.000+02:00');
      const events = await withOracle(harness, () =>
        harness.db.execute(
          `UPDATE "User" SET "score" = '1.0', "balance" = '1.000', "visits" = '0', "deletedAt" = ${sameInstant} WHERE "id" = ${Number(id)}`,
        ),
      );
      assert.equal(events.length, 0);
    },
  ],
  [
    'false to null, an empty text to null, and a shorter or reordered array are changes',
    async (harness) => {
      const { id } = await harness.db.createUser({
        email: 'ada@a.test',
        name: '',
        settings: { tags: ['a', 'b'] },
      });
      const user = Number(id);
      const texts = await withOracle(harness, () => harness.db.updateUser(user, { name: null }));
      assert.equal(texts[0]?.change?.before?.name, '');
      assert.equal(texts[0]?.change?.after?.name, null);
      for (const tags of [['b', 'a'], ['b'], []]) {
        const events = await withOracle(harness, () => harness.db.updateUser(user, { settings: { tags } }));
        assert.deepEqual(events[0]?.change?.after?.settings, { tags });
      }
    },
  ],
  [
    'JSON is compared deeply: another order of keys is no change',
    async (harness) => {
      const { id } = await harness.db.createUser({
        email: 'ada@a.test',
        settings: { a: 1, b: { c: [1, 2] } },
      });
      const events = await withOracle(harness, () =>
        harness.db.execute(
          `UPDATE "User" SET "settings" = '{"b": {"c": [1, 2]}, "a": 1}' WHERE "id" = ${Number(id)}`,
        ),
      );
      assert.equal(events.length, 0);
    },
  ],
  [
    'decimals, large integers, bytes, enums and hostile text survive',
    async (harness) => {
      const hostile = `emoji 👩‍⚕️ 'quotes' "double" \`ticks\` %s $1 ?1 -- */ \n\t\\0 {"$indelible":1}`;
      const [event] = await withOracle(harness, () =>
        harness.db.createUser({
          email: 'ada@a.test',
          name: hostile,
          balance: '1234.5678',
          visits: 9_007_199_254_740_993n,
          avatar: new Uint8Array([0, 1, 254, 255]),
          role: 'ADMIN',
          score: 0.1,
        }),
      );
      const after = event?.change?.after ?? {};
      assert.equal(after.name, hostile);
      assert.equal(after.balance, '1234.5678');
      assert.equal(after.visits, '9007199254740993');
      assert.equal(after.avatar, 'AAH+/w==');
      assert.equal(after.role, 'ADMIN');
      assert.equal(after.score, 0.1);
    },
  ],
  [
    'a JSON column with __proto__ and integer-like keys survives',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const json = '{"__proto__":{"polluted":true},"10":"x","2":"y"}';
      const [event] = await withOracle(harness, () =>
        harness.db.execute(`UPDATE "User" SET "settings" = '${json}' WHERE "id" = ${Number(id)}`),
      );
      const settings: unknown = event?.change?.after?.settings;
      assert.ok(typeof settings === 'object' && settings !== null);
      assert.deepEqual(Object.keys(settings).sort(), ['10', '2', '__proto__']);
      assert.equal(Reflect.get({}, 'polluted'), undefined);
    },
  ],
];
