import { describe, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness } from './postgres-harness.js';

describePostgres('the harness of Prisma, without auditing,', (server) => {
  describe('reads what Prisma wrote', () => {
    test('with values of every type as an event would tell them', async () => {
      const harness = await createPostgresHarness({ server, pool: 1 }, { audited: false });
      try {
        const created = await harness.db.createUser({
          email: 'ada@a.test',
          name: `'"\\ü👩‍⚕️`,
          password: 'hunter2',
          active: false,
          score: 0.1,
          balance: '1234.5678',
          visits: 9_007_199_254_740_993n,
          avatar: new Uint8Array([0, 1, 254, 255]),
          settings: { b: [1, null, 'x'], a: { c: 0.5 } },
          role: 'ADMIN',
          deletedAt: new Date('2024-01-02T03:04:05.678Z'),
        });
        expect((await harness.snapshot()).get('User')?.get('1')).toEqual(created);
        expect(created).toMatchObject({
          id: 1,
          balance: '1234.5678',
          visits: '9007199254740993',
          avatar: 'AAH+/w==',
          deletedAt: '2024-01-02T03:04:05.678Z',
        });
        expect(await harness.events()).toEqual([]);
      } finally {
        await harness.close();
      }
    });

    test('in every table, through every operation of the domain', async () => {
      const harness = await createPostgresHarness({ server, pool: 2 }, { audited: false });
      const { db } = harness;
      try {
        const user = Number((await db.createUserDeep('ada@a.test', 'Title', 'Text', ['x', 'y'])).id);
        expect(await db.createUsers([{ email: 'b@a.test' }, { email: 'c@a.test', active: false }])).toBe(2);
        await db.befriend(user, 2);
        await db.createProfile('p', user, 'bio');
        await db.createMembership('guild', 7, 'note');
        await db.moveMembership('guild', 7, 8);
        await db.createOrder('o', 'north');
        expect(await db.renameUsers(true, 'N')).toBe(2);
        await db.renameTag('y', 'z');
        await harness.transaction(async (tx) => {
          await tx.incrementVisits(user, 3);
          await harness.nested?.(tx, (inner) => inner.createTag('inner', 'kept'));
        });
        const snapshot = await harness.snapshot();
        expect([...snapshot].map(([model, rows]) => [model, [...rows.keys()].sort()])).toEqual([
          ['User', ['1', '2', '3']],
          ['Profile', ['p']],
          ['Post', ['1']],
          ['Comment', ['1']],
          ['Tag', ['inner', 'x', 'z']],
          ['Membership', ['{"org":"guild","seat":8}']],
          ['Order', ['o']],
          ['Friends', ['{"A":"2","B":"1"}']],
          ['PostToTag', ['{"Post":"1","Tag":"x"}', '{"Post":"1","Tag":"z"}']],
        ]);
        expect(snapshot.get('User')?.get('1')).toMatchObject({ name: 'N', visits: '3', active: true });
        await db.deleteUser(user);
        expect([...((await harness.snapshot()).get('Comment')?.keys() ?? [])]).toEqual([]);
        expect(harness.countStatements()).toBeGreaterThan(20);
        expect(Buffer.from(await harness.bytes()).includes('c@a.test')).toBe(true);
      } finally {
        await harness.close();
      }
    });
  });
});
