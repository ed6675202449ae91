import type { OrmHarnessOptions } from '@indelible/capture/conformance';
import { describe, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import type { PostgresHarness } from './postgres-harness.js';
import { marks, outcome, withAndWithout, withPostgres } from './postgres-work.js';

describePostgres('what a caller of Prisma gets', (server) => {
  describe('round trips', () => {
    const count = (work: (harness: PostgresHarness) => Promise<unknown>, options: OrmHarnessOptions = {}) => {
      const counts: number[] = [];
      return withPostgres(
        server,
        async (harness) => {
          await harness.db.createTag('a', 'x');
          for (let round = 0; round < 3; round += 1) {
            harness.countStatements();
            await work(harness);
            counts.push(harness.countStatements());
          }
        },
        options,
      ).then(() => counts.at(-1) ?? Number.NaN);
    };

    test('a write without a transaction takes two', async () => {
      let label = 0;
      const write = ({ prisma }: PostgresHarness): Promise<unknown> =>
        prisma.tag.update({ where: { code: 'a' }, data: { label: `x${++label}` } });
      expect(await count(write)).toBe(2);
      expect(await count(write, { audited: false })).toBe(1);
    });

    test('a transaction takes as many as without auditing, whatever it writes', async () => {
      let label = 0;
      const write = ({ prisma }: PostgresHarness): Promise<unknown> =>
        prisma.$transaction(async (tx) => {
          await tx.tag.update({ where: { code: 'a' }, data: { label: `x${++label}` } });
          await tx.tag.create({ data: { code: `n${label}`, label: 'x' } });
        });
      expect(await count(write)).toBe(await count(write, { audited: false }));
    });

    test('a read takes as many as without auditing', async () => {
      const read = ({ prisma }: PostgresHarness): Promise<unknown> => prisma.tag.findMany();
      expect(await count(read)).toBe(await count(read, { audited: false }));
    });
  });

  describe('the caller gets what he would get', () => {
    test('rows of $queryRaw with and without RETURNING, and counts of $executeRaw', async () => {
      const [audited, plain] = await withAndWithout(server, async ({ prisma }) => [
        await prisma.$executeRaw`INSERT INTO "Tag" VALUES (${'a'}, ${'one'}), ('b', 'two')`,
        await prisma.$queryRaw`INSERT INTO "Tag" VALUES ('c', 'three') RETURNING *, 1 + 1 AS two, now() IS NULL`,
        await prisma.$queryRaw`UPDATE "Tag" SET "label" = ${'new'} WHERE "code" < ${'c'}`,
        await prisma.$queryRaw`UPDATE "Tag" SET "label" = 'newer' RETURNING "code"`,
        await prisma.$executeRaw`UPDATE "Tag" SET "label" = 'newest' WHERE "code" > 'a' RETURNING "code"`,
        await prisma.$executeRaw`DELETE FROM "Tag" WHERE false`,
        await prisma.$queryRaw`DELETE FROM "Tag" WHERE "code" = 'absent' RETURNING "code"`,
        await prisma.$transaction([
          prisma.$queryRaw`DELETE FROM "Tag" WHERE "code" = 'a' RETURNING "label"`,
          prisma.$executeRaw`DELETE FROM "Tag"`,
        ]),
      ]);
      expect(audited).toEqual(plain);
      expect(plain).toMatchObject([2, [{ code: 'c', two: 2 }], [], [{}, {}, {}], 2, 0, [], [[{}], 2]]);
    });

    test('errors, and what is left after them', async () => {
      const [audited, plain] = await withAndWithout(server, async ({ prisma }) => {
        const seen: unknown[] = [];
        for (const sql of [
          `INSERT INTO "Tag" VALUES ('a','x'),('a','x')`,
          `INSERT INTO "posts" ("title","authorId") VALUES ('x', 999)`,
          `INSERT INTO "Tag" VALUES ('t', NULL)`,
          'UPDATE nowhere SET x = 1',
          'UPDATE "Tag" SET nothing = 1',
          'UPDATE "Tag" SET',
          `UPDATE "User" SET "visits" = 'no number'`,
          'COMMIT',
          'ROLLBACK',
          'SAVEPOINT s',
        ]) {
          seen.push(await outcome(prisma.$executeRawUnsafe(sql)));
          seen.push(await outcome(prisma.$transaction((tx) => tx.$executeRawUnsafe(sql))));
        }
        seen.push(await prisma.tag.findMany());
        return seen;
      });
      expect(audited).toEqual(plain);
    });

    test('the error of the database, for each write in a transaction that another one has aborted', async () => {
      const [audited, plain] = await withAndWithout(server, async ({ prisma, db }) => {
        const { id } = await db.createUserDeep('ada@a.test', 'Title', 'Text', ['x']);
        const seen: unknown[] = [];
        const all = prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { code: 'x', label: 'x' } }).catch(() => undefined);
          seen.push(await outcome(tx.user.delete({ where: { id: Number(id) } })));
          seen.push(await outcome(tx.tag.update({ where: { code: 'x' }, data: { code: 'y' } })));
          seen.push(await outcome(tx.membership.create({ data: { org: 'o', seat: 1 } })));
        });
        seen.push(await outcome(all), await prisma.user.count());
        return seen;
      });
      expect(audited).toEqual(plain);
    });

    test('a deadlock as a conflict that is worth another try, whichever statement meets it', () =>
      withPostgres(
        server,
        async ({ prisma, db }) => {
          const ids = await Promise.all(
            ['a@a.test', 'b@a.test'].map(async (email) =>
              Number((await db.createUserDeep(email, 'Title', 'Text', [])).id),
            ),
          );
          let arrived = 0;
          const remove = (first: number | undefined, second: number | undefined): Promise<unknown> =>
            prisma.$transaction(
              async (tx) => {
                await tx.user.update({ where: { id: first ?? 0 }, data: { name: 'x' } });
                arrived += 1;
                while (arrived < 2) await new Promise((resolve) => setTimeout(resolve, 5));
                await tx.user.delete({ where: { id: second ?? 0 } });
              },
              { timeout: 20_000 },
            );
          const [one, two] = ids;
          const results = await Promise.allSettled([remove(one, two), remove(two, one)]);
          const refused = results.filter((result) => result.status === 'rejected');
          expect(refused.map(({ reason }) => reason)).toMatchObject([{ code: 'P2034' }]);
          expect(await prisma.user.count()).toBe(1);
        },
        { pool: 2 },
      ));

    test('a type that Prisma does not know fails after the write, which stays and is told', async () => {
      let told: (string | undefined)[] = [];
      const [audited, plain] = await withAndWithout(server, async (harness) => {
        const { prisma, raw } = harness;
        await raw.query(`ALTER TABLE "Tag" ADD COLUMN "span" interval DEFAULT '1 day'`);
        const seen = [
          await outcome(prisma.$queryRawUnsafe(`INSERT INTO "Tag" VALUES ('a', 'x') RETURNING "span"`)),
          await outcome(prisma.$executeRawUnsafe(`UPDATE "Tag" SET "label" = 'y' RETURNING "span"`)),
          await outcome(
            prisma.$transaction(async (tx) => [
              await outcome(tx.$queryRawUnsafe(`INSERT INTO "Tag" VALUES ('b', 'x') RETURNING "span"`)),
              await tx.tag.count(),
            ]),
          ),
          (await raw.query('SELECT "code", "label" FROM "Tag" ORDER BY 1')).rows,
        ];
        const events = await harness.events();
        if (events.length > 0) told = events.map((event) => `${event.action} ${event.resource?.id}`);
        return seen;
      });
      expect(audited).toEqual(plain);
      const any = expect.any(String);
      expect(plain).toMatchObject([
        [any, 'P2010', any],
        1,
        [[any, 'P2010', any], 2],
        [{ label: 'y' }, { label: 'x' }],
      ]);
      expect(told).toEqual(['tag.created a', 'tag.updated a', 'tag.created b']);
    });

    test('several statements in one text run, and are told one by one', async () => {
      let told: unknown;
      const [audited, plain] = await withAndWithout(server, async (harness) => {
        const { prisma } = harness;
        const several = `INSERT INTO "Tag" VALUES ('a', 'x'); UPDATE "Tag" SET "label" = 'y'`;
        const seen = [
          await outcome(prisma.$executeRawUnsafe(several)),
          await outcome(prisma.$queryRawUnsafe(several.replace(`'a'`, `'b'`))),
          await outcome(
            prisma.$transaction((tx) => tx.$executeRawUnsafe(`${several.replace(`'a'`, `'c'`)};`)),
          ),
          await prisma.tag.findMany(),
        ];
        const events = await harness.events();
        if (events.length > 0) {
          told = events.map(({ action, resource, change }) => [action, resource?.id, change?.fidelity]);
        }
        return seen;
      });
      expect(audited).toEqual(plain);
      expect(told).toEqual([
        ['tag.created', 'a', 'exact'],
        ['tag.updated', 'a', 'exact'],
        ['tag.created', 'b', 'exact'],
        ['tag.updated', 'b', 'exact'],
        ['tag.created', 'c', 'exact'],
        ['tag.updated', 'c', 'exact'],
      ]);
    });

    test('writes inside of WITH give their rows and counts, and are told', async () => {
      let told: unknown;
      const [audited, plain] = await withAndWithout(server, async (harness) => {
        const { prisma } = harness;
        await prisma.membership.createMany({
          data: [1, 2, 3].map((seat) => ({ org: 'o', seat, level: 'a' })),
        });
        const known = (await harness.events()).length;
        const moved = (from: number): string =>
          `WITH gone AS (DELETE FROM "Membership" WHERE "seat" = ${from} RETURNING *) INSERT INTO "Membership" SELECT "org", "seat" + 10, "level" FROM gone`;
        const seen = [
          await prisma.$executeRawUnsafe(moved(1)),
          await prisma.$queryRawUnsafe(`${moved(2)} RETURNING "seat", 1::bigint AS n`),
          await prisma.$queryRaw`WITH up AS (UPDATE "Membership" SET "level" = ${'up'} WHERE "seat" < ${12} RETURNING *) SELECT * FROM up ORDER BY "seat"`,
          await prisma.$executeRaw`WITH up AS (UPDATE "Membership" SET "level" = ${'none'} RETURNING *) SELECT "seat" FROM up`,
          await prisma.$queryRaw`WITH up AS (UPDATE "Membership" SET "level" = 'x' WHERE false RETURNING *) SELECT * FROM up`,
          await outcome(
            prisma.$executeRawUnsafe(
              `WITH x AS (DELETE FROM "Membership") INSERT INTO "Membership" VALUES ('o', 3, 'taken')`,
            ),
          ),
          await prisma.$transaction([
            prisma.$executeRawUnsafe(moved(3)),
            prisma.$queryRaw`WITH gone AS (DELETE FROM "Membership" RETURNING "seat") SELECT count(*) FROM gone`,
          ]),
        ];
        const events = (await harness.events()).slice(known);
        if (events.length > 0) {
          told = events.map(({ action, resource, change }) => [action, resource?.id, change?.fidelity]);
        }
        return seen;
      });
      expect(audited).toEqual(plain);
      expect(plain).toMatchObject([1, [{ seat: 12, n: 1n }], [{ seat: 3 }, {}], 3, [], {}, [1, [{}]]]);
      const exact = (verb: string, ...seats: readonly number[]) =>
        seats.map((seat) => [`membership.${verb}`, `{"org":"o","seat":${seat}}`, 'exact']);
      expect(told).toEqual([
        ...exact('deleted', 1),
        ...exact('created', 11),
        ...exact('deleted', 2),
        ...exact('created', 12),
        ...exact('updated', 3, 11),
        ...exact('updated', 12, 3, 11),
        ...exact('deleted', 3),
        ...exact('created', 13),
        ...exact('deleted', 12, 11, 13),
      ]);
    });

    test('the isolation level of a transaction', () =>
      withPostgres(server, async ({ prisma }) => {
        const level = await prisma.$transaction(
          async (tx) => {
            await tx.tag.create({ data: { code: 'a', label: 'x' } });
            return tx.$queryRaw`SELECT current_setting('transaction_isolation') AS level`;
          },
          { isolationLevel: 'Serializable' },
        );
        expect(level).toEqual([{ level: 'serializable' }]);
      }));

    test('a procedure that commits, and what it did is marked', () =>
      withPostgres(server, async (harness) => {
        await harness.raw.query(
          `CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO "Tag" VALUES ('a', 'x'); COMMIT; INSERT INTO "Tag" VALUES ('b', 'x'); ROLLBACK; END $$`,
        );
        await harness.prisma.$executeRaw`CALL twice()`;
        expect(await harness.prisma.tag.findMany()).toEqual([{ code: 'a', label: 'x' }]);
        expect(new Set(await marks(harness))).toEqual(new Set(['opaque']));
      }));
  });
});
