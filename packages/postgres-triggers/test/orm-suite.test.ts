import { assertTells, ormSuite } from '@indelible/capture/conformance';
import { runWithContext } from '@indelible/context';
import { deriveKeys } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { expect, test } from 'vitest';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import {
  createPostgresHarness,
  POSTGRES_SQL,
  type PostgresHarness,
} from '../../prisma/test/postgres/postgres-harness.js';
import { HMAC_KEY } from '../../prisma/test/prisma-harness.js';
import { reconcile } from '../src/index.js';
import { installDomainTriggers } from './domain-triggers.js';

const ADA = { actor: { type: 'user', id: 'ada' }, requestId: 'r-1' } as const;

describePostgres('Prisma on tables that triggers record,', (server) => {
  ormSuite({
    test: (name, run) => test(name, run),
    factory: (options) => createPostgresHarness({ server, pool: 4, prepare: installDomainTriggers }, options),
    supports: {
      batch: true,
      nested: true,
      survivesFailure: false,
      parallel: true,
      limitsRows: false,
      pauses: false,
    },
    sql: POSTGRES_SQL,
  });

  async function withClient(work: (harness: PostgresHarness) => Promise<void>): Promise<void> {
    const harness = await createPostgresHarness({ server, pool: 4, prepare: installDomainTriggers });
    try {
      await work(harness);
    } finally {
      await harness.close();
    }
  }

  const explained = async ({ url }: PostgresHarness) => {
    const store = createPostgresStore({ url, roles: false });
    try {
      return await reconcile({ store, keys: deriveKeys(HMAC_KEY) });
    } finally {
      await store.close();
    }
  };

  test('has each row told by the triggers and by nobody else, and each write explained', () =>
    withClient(async (harness) => {
      await runWithContext(ADA, async () => {
        const { id } = await harness.db.createUserDeep('ada@a.test', 'Title', 'Text', ['x', 'y']);
        await harness.db
          .updateUserDeep(Number(id), { name: 'Ada', rename: [1, 'T'], remove: 99, add: 'two' })
          .catch(() => {});
        await harness.db.execute(
          `WITH old AS (DELETE FROM "Tag" WHERE code = 'none') UPDATE "Tag" SET label = 'z'`,
        );
        await harness.db.deleteUsers(true);
      });
      const events = await harness.events();
      expect(events.length).toBeGreaterThan(8);
      const rows = events.filter(({ change }) => change?.fidelity === 'exact');
      expect(rows.filter(({ details }) => details?.database === undefined)).toEqual([]);
      expect(rows.filter(({ actor, context }) => actor.id !== 'ada' || context.requestId !== 'r-1')).toEqual(
        [],
      );
      expect(await explained(harness)).toMatchObject({ result: 'explained', checked: rows.length });
      await harness.settle();
    }));

  test('has a hand on the database told beside, which nobody explains', () =>
    withClient(async (harness) => {
      await runWithContext(ADA, () => harness.db.createTag('x', 'X'));
      await harness.raw.query(`UPDATE "Tag" SET label = 'by hand'`);
      const [, byHand] = await harness.events();
      expect(byHand?.actor).toEqual({ type: 'service', id: 'postgres', role: 'database' });
      expect(await explained(harness)).toMatchObject({
        result: 'unexplained',
        writes: [{ reason: 'no-operation', resourceType: 'Tag', resourceId: 'x', user: 'postgres' }],
      });
    }));

  test('takes one round trip less than without triggers for a write by itself, and none more for others', async () => {
    const count = async (prepare: typeof installDomainTriggers | undefined): Promise<number[]> => {
      const harness = await createPostgresHarness({
        server,
        pool: 1,
        ...(prepare === undefined ? {} : { prepare }),
      });
      try {
        await harness.db.createOrder('o', 'north');
        await harness.db.createTag('x', 'X');
        const counts: number[] = [];
        let turn = 0;
        for (const work of [
          () => harness.db.updateOrder('o', { total: turn }),
          () => harness.db.execute(`UPDATE "Tag" SET label = label || 'a'`),
          () =>
            harness.transaction(async (db) => {
              await db.createTag(`one-${turn}`, '1');
              await db.createTag(`two-${turn}`, '2');
            }),
        ]) {
          const asAda = () => runWithContext(ADA, async () => void (await work()));
          turn += 1;
          // What is looked up once is looked up by the first.
          await asAda();
          turn += 1;
          harness.countStatements();
          await asAda();
          counts.push(harness.countStatements());
        }
        return counts;
      } finally {
        await harness.close();
      }
    };
    const [told, plain] = [await count(installDomainTriggers), await count(undefined)];
    expect(told.map((trips, at) => trips - (plain[at] ?? 0))).toEqual([-1, 0, 0]);
  });

  test('tells the context of each scope, and nothing of it behind its end', () =>
    withClient(async (harness) => {
      const as = (id: string, work: () => Promise<unknown>) =>
        runWithContext({ actor: { type: 'user', id } }, async () => void (await work()));
      await as('ada', () =>
        harness.transaction(async (db) => {
          await db.createTag('a', 'x');
          await as('bo', () => db.createTag('b', 'x'));
          await db.createTag('c', 'x');
          await harness
            .nested?.(db, async (inner) => {
              await as('cy', () => inner.createTag('gone', 'x'));
              throw new Error('undo');
            })
            .catch(() => undefined);
          await db.createTag('d', 'x');
        }),
      );
      await harness.db.createTag('e', 'x');
      await as('dy', () =>
        harness.transaction(async (db) => {
          await harness
            .nested?.(db, async (inner) => {
              await inner.createTag('gone', 'x');
              throw new Error('undo');
            })
            .catch(() => undefined);
          await db.createTag('f', 'x');
        }),
      );
      expect((await harness.events()).map(({ actor, resource }) => `${resource?.id} ${actor.id}`)).toEqual([
        'a ada',
        'b bo',
        'c ada',
        'd ada',
        'e unknown',
        'f dy',
      ]);
      const left = await Promise.all(
        Array.from({ length: 8 }, () =>
          harness.prisma.$queryRawUnsafe(`SELECT current_setting('indelible.context', true) AS told`),
        ),
      );
      expect(left.flat().filter((row) => (row as { told: string | null }).told)).toEqual([]);
      expect(await explained(harness)).toMatchObject({ result: 'explained', checked: 6 });
    }));

  test('records by itself what the triggers leave, when they are taken off and put on while it runs', () =>
    withClient(async (harness) => {
      const tags = async () =>
        (await harness.events()).map(({ resource, change, details }) => [
          resource?.id,
          change?.fidelity,
          details?.database === undefined ? 'engine' : 'trigger',
        ]);
      await harness.db.createTag('a', 'x');
      await harness.raw.query('ALTER TABLE "Tag" DISABLE TRIGGER ALL');
      await harness.db.createTag('b', 'x');
      await harness.db.createTag('c', 'x');
      await harness.raw.query('ALTER TABLE "Tag" ENABLE ALWAYS TRIGGER indelible_insert');
      await harness.db.createTag('d', 'x');
      await harness.db.createTag('e', 'x');
      await harness.db.execute(`UPDATE "Tag" SET label = 'y' WHERE code = 'e'`);
      expect(await tags()).toEqual([
        ['a', 'exact', 'trigger'],
        // The first write that meets it is undone and runs again.
        ['b', 'exact', 'engine'],
        ['c', 'exact', 'engine'],
        ['d', 'exact', 'trigger'],
        ['e', 'exact', 'trigger'],
        ['e', 'exact', 'engine'],
      ]);
    }));

  test('tells what cascades from a recorded table into one that is not, and the other way round', async () => {
    const harness = await createPostgresHarness({
      server,
      pool: 4,
      prepare: (raw) => installDomainTriggers(raw, { exclude: ['Comment', 'User'] }),
    });
    try {
      const { id } = await harness.db.createUserDeep('ada@a.test', 'Title', 'root', ['t']);
      const known = (await harness.events()).length;
      const before = await harness.snapshot();
      await harness.db.deleteUser(Number(id));
      const events = (await harness.events()).slice(known);
      assertTells(events, before, await harness.snapshot());
      expect(
        Object.fromEntries(
          events.map(({ resource, details }) => [
            resource?.type,
            details?.database === undefined ? 'engine' : 'trigger',
          ]),
        ),
      ).toEqual({ User: 'engine', Post: 'trigger', Comment: 'engine', PostToTag: 'trigger' });
    } finally {
      await harness.close();
    }
  });
});
