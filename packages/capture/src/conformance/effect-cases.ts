import assert from 'node:assert/strict';
import { runWithContext } from '@indelible/context';
import { withOracle } from './oracle.js';
import type { OrmOperations } from './orm-harness.js';
import type { Case } from './suite-case.js';

/** C13, C14 and C16: what the caller sees, and what is left out. */
export const effectCases: readonly Case[] = [
  [
    'a narrow selection narrows what the caller gets and not what is recorded',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', name: 'Ada' });
      let returned: object = {};
      const [event] = await withOracle(harness, async () => {
        returned = await harness.db.updateUserNarrow(Number(id), { name: 'Grace', score: 2 });
      });
      assert.deepEqual(returned, { id });
      assert.ok(event?.change?.fields?.includes('score'));
    },
  ],
  [
    'a soft delete and a restore are actions of their own',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test' });
      const events = await withOracle(harness, async () => {
        await harness.db.updateUser(Number(id), { deletedAt: new Date('2024-01-02T03:04:05.678Z') });
        await harness.db.updateUser(Number(id), { deletedAt: null });
      });
      assert.deepEqual(
        events.map((event) => [event.action, event.change?.operation]),
        [
          ['user.soft_deleted', 'soft_delete'],
          ['user.restored', 'restore'],
        ],
      );
    },
  ],
  [
    'what the ORM returns, throws and counts is the same as without auditing',
    async (harness, { factory }) => {
      const plain = await factory({ audited: false });
      try {
        assert.deepEqual(await describeEffects(harness.db), await describeEffects(plain.db));
      } finally {
        await plain.close();
      }
    },
  ],
  [
    'an excluded model records nothing, and the others still do',
    async (harness) => {
      await harness.db.createTag('x', 'X');
      await harness.db.createOrder('o-1', 'north');
      assert.deepEqual(
        (await harness.events()).map((event) => event.action),
        ['order.created'],
      );
    },
    { exclude: ['Tag'] },
  ],
  [
    'an excluded field stands nowhere, and an update of excluded fields alone records nothing',
    async (harness) => {
      await harness.db.createMembership('guild', 1, 'never-on-record');
      await harness.db.updateMembership('guild', 1, { note: 'never-on-record-either' });
      await harness.db.updateMembership('guild', 1, { note: 'nor-this-never-on-record', level: 'gold' });
      const events = await harness.events();
      assert.deepEqual(
        events.map((event) => event.action),
        ['membership.created', 'membership.updated'],
      );
      assert.deepEqual(events[1]?.change?.fields, ['level']);
      assert.ok(!JSON.stringify(events).includes('never-on-record'));
    },
    { models: { Membership: { exclude: ['note'] } } },
  ],
  [
    'a secret by name never reaches storage, and that it changed still shows',
    async (harness, { sql }) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', password: 'first-hunter2-secret' });
      await harness.db.updateUser(Number(id), { password: 'second-hunter2-secret' });
      const event = (await harness.events()).at(-1);
      assert.ok(event?.change?.fields?.includes('password'));
      const bodies = JSON.stringify(await harness.events());
      assert.ok(!bodies.includes('hunter2'));
      // The application's own row holds it; overwrite and compact that, then no file may.
      await harness.db.execute(`UPDATE "User" SET "password" = NULL`);
      await harness.db.execute(sql.compactUsers);
      assert.ok(!Buffer.from(await harness.bytes()).includes('hunter2'));
    },
  ],
  [
    'a missing audit table gives one clear error that names the command to run, and the write does not happen',
    async (harness) => {
      await harness.db.createTag('kept', 'kept');
      await harness.dropAuditTables();
      const error: unknown = await harness.db.createTag('refused', 'refused').then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof Error);
      assert.match(error.message, /npx indelible migrate/);
      assert.deepEqual([...((await harness.snapshot()).get('Tag') ?? new Map()).keys()], ['kept']);
    },
  ],
  [
    'an event that the database passes over without an error is missed, and the write does not happen',
    async (harness, { supports }) => {
      const said = supports.dropsRows === false ? /could not be captured/ : /took 0 of 1 events/;
      await harness.db.createTag('kept', 'kept');
      await harness.swallowEvents();
      await assert.rejects(harness.db.createTag('refused', 'refused'), said);
      await assert.rejects(
        harness.transaction((db) => db.createTag('refused', 'refused')),
        said,
      );
      assert.deepEqual([...((await harness.snapshot()).get('Tag') ?? new Map()).keys()], ['kept']);
      assert.equal((await harness.events()).length, 1);
    },
  ],
  [
    'where an actor is demanded a write of nobody is refused: alone, in bulk, in a transaction and as raw SQL',
    async (harness) => {
      const refused = async (work: () => Promise<unknown>): Promise<void> => {
        await assert.rejects(work, (error: unknown) => codesOf(error).includes('AUDIT_ACTOR_MISSING'));
      };
      await refused(() => harness.db.createTag('one', 'x'));
      await refused(() => harness.db.createUsers([{ email: 'a@a.test' }, { email: 'b@a.test' }]));
      await refused(() => harness.db.execute(`INSERT INTO "Tag" ("code", "label") VALUES ('raw', 'x')`));
      await refused(() =>
        harness.transaction(async (db) => {
          await db.createTag('two', 'x');
          await db.createTag('three', 'x');
        }),
      );
      const rows = await harness.snapshot();
      assert.equal((rows.get('Tag')?.size ?? 0) + (rows.get('User')?.size ?? 0), 0);
      assert.equal((await harness.events()).length, 0);
      await runWithContext({ actor: { type: 'user', id: 'ada' } }, () => harness.db.createTag('four', 'x'));
      assert.equal(await harness.db.countUsers(true), 0);
      assert.deepEqual(
        (await harness.events()).map(({ actor, resource }) => [actor.id, resource?.id]),
        [['ada', 'four']],
      );
    },
    { onMissingActor: 'throw' },
  ],
];

/** The codes of an error and of those that it was made of: ORMs wrap what a driver throws. */
function codesOf(error: unknown): readonly unknown[] {
  if (typeof error !== 'object' || error === null) return [];
  const wrapped = ['driverError', 'parent', 'original', 'cause'].map((name): unknown =>
    Reflect.get(error, name),
  );
  return [Reflect.get(error, 'code'), ...wrapped.flatMap((inner) => (inner === error ? [] : codesOf(inner)))];
}

/** What a row of operations gives, with errors as their class and code, and without what differs from run to run. */
async function describeEffects(db: OrmOperations): Promise<unknown[]> {
  const effects: unknown[] = [];
  const note = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      effects.push(plain(await work()));
    } catch (error) {
      const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
      effects.push([error instanceof Error ? error.constructor.name : typeof error, code]);
    }
  };
  await note(() =>
    db.createUser({ email: 'ada@a.test', name: 'Ada', balance: '1.10', settings: { a: [1] } }),
  );
  await note(() => db.createUser({ email: 'ada@a.test' }));
  await note(() => db.createUsers([{ email: 'b@a.test' }, { email: 'c@a.test', active: false }]));
  await note(() => db.createUsers([{ email: 'd@a.test' }, { email: 'b@a.test' }]));
  await note(() => db.updateUser(1, { name: 'Grace', visits: 5n }));
  await note(() => db.updateUser(999, { name: 'nobody' }));
  await note(() => db.deleteUser(999));
  await note(() => db.renameUsers(true, 'all'));
  await note(() => db.renameUsers(false, 'some'));
  await note(() => db.incrementVisits(1, 3));
  await note(() => db.upsertUser('ada@a.test', { email: 'ada@a.test' }, { name: 'upserted' }));
  await note(() => db.upsertUser('new@a.test', { email: 'new@a.test' }, { name: 'unused' }));
  await note(() => db.createPost(999, 'no author'));
  await note(() => db.createUserDeep('deep@a.test', 'Title', 'Text', ['x', 'y']));
  await note(() => db.execute(`UPDATE "User" SET "name" = 'raw' WHERE "id" < 3`));
  await note(() => db.execute('UPDATE nowhere SET x = 1'));
  await note(() => db.execute(`DELETE FROM "Tag" WHERE "code" = 'absent'`));
  await note(() => db.deleteUsers(false));
  await note(() => db.findUser(1));
  await note(() => db.deleteUser(1));
  return effects;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      /At$/.test(name) && field !== null ? typeof field : field,
    ]),
  );
}
