import type { OrmHarnessOptions } from '@indelible/capture/conformance';
import { assertTells } from '@indelible/capture/conformance';
import { withoutAudit } from '@indelible/context';
import { describe, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';

class Undo extends Error {}

/** What was recorded meanwhile, exactly what the tables hold. */
async function tells(harness: PostgresHarness, work: () => Promise<unknown>): Promise<string[]> {
  const known = (await harness.events()).length;
  const before = await harness.snapshot();
  await work();
  const events = (await harness.events()).slice(known);
  assertTells(events, before, await harness.snapshot());
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

async function marks(harness: PostgresHarness): Promise<(string | undefined)[]> {
  return (await harness.events()).map((event) => event.change?.fidelity);
}

/** How many connections of the client are within a transaction that nobody works on. */
async function openTransactions({ raw }: PostgresHarness): Promise<number> {
  const { rows } = await raw.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'
      AND application_name <> 'indelible'`,
  );
  return rows[0]?.count ?? Number.NaN;
}

describePostgres('flows of one Prisma client on a pool', (server) => {
  const withHarness = async (
    work: (harness: PostgresHarness) => Promise<void>,
    { pool = 1, ...options }: OrmHarnessOptions & { pool?: number } = {},
  ): Promise<void> => {
    const harness = await createPostgresHarness({ server, pool }, options);
    try {
      await work(harness);
      expect(await openTransactions(harness)).toBe(0);
    } finally {
      await harness.close();
    }
  };

  /** What the same work gives with auditing and without. */
  const both = async (work: (harness: PostgresHarness) => Promise<unknown>): Promise<[unknown, unknown]> => {
    const results: unknown[] = [];
    for (const audited of [true, false]) {
      await withHarness(async (harness) => void results.push(await work(harness)), { audited });
    }
    return [results[0], results[1]];
  };

  const outcome = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) =>
      error instanceof Error ? [error.constructor.name, Reflect.get(error, 'code'), error.message] : error,
    );

  describe('round trips', () => {
    const count = (work: (harness: PostgresHarness) => Promise<unknown>, options: OrmHarnessOptions = {}) => {
      const counts: number[] = [];
      return withHarness(async (harness) => {
        await harness.db.createTag('a', 'x');
        for (let round = 0; round < 3; round += 1) {
          harness.countStatements();
          await work(harness);
          counts.push(harness.countStatements());
        }
      }, options).then(() => counts.at(-1) ?? Number.NaN);
    };

    test('a write without a transaction takes four', async () => {
      let label = 0;
      const write = ({ prisma }: PostgresHarness): Promise<unknown> =>
        prisma.tag.update({ where: { code: 'a' }, data: { label: `x${++label}` } });
      expect(await count(write)).toBe(4);
      expect(await count(write, { audited: false })).toBe(1);
    });

    test('a transaction takes one more than without auditing, whatever it writes', async () => {
      let label = 0;
      const write = ({ prisma }: PostgresHarness): Promise<unknown> =>
        prisma.$transaction(async (tx) => {
          await tx.tag.update({ where: { code: 'a' }, data: { label: `x${++label}` } });
          await tx.tag.create({ data: { code: `n${label}`, label: 'x' } });
        });
      expect(await count(write)).toBe((await count(write, { audited: false })) + 1);
    });

    test('a read takes as many as without auditing', async () => {
      const read = ({ prisma }: PostgresHarness): Promise<unknown> => prisma.tag.findMany();
      expect(await count(read)).toBe(await count(read, { audited: false }));
    });
  });

  describe('the caller gets what he would get', () => {
    test('rows of $queryRaw with and without RETURNING, and counts of $executeRaw', async () => {
      const [audited, plain] = await both(async ({ prisma }) => [
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
      const [audited, plain] = await both(async ({ prisma }) => {
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

    test('a type that Prisma does not know fails after the write, which stays and is told', async () => {
      let told: (string | undefined)[] = [];
      const [audited, plain] = await both(async (harness) => {
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

    test('several statements in one text run, and are marked', async () => {
      let fidelities: unknown;
      const [audited, plain] = await both(async (harness) => {
        const { prisma } = harness;
        const several = `INSERT INTO "Tag" VALUES ('a', 'x'); UPDATE "Tag" SET "label" = 'y'`;
        const seen = [
          await outcome(prisma.$executeRawUnsafe(several)),
          await outcome(prisma.$queryRawUnsafe(several.replaceAll('a', 'b'))),
          await prisma.tag.findMany(),
        ];
        const found = await marks(harness);
        if (found.length > 0) fidelities = found;
        return seen;
      });
      expect(audited).toEqual(plain);
      expect(fidelities).toContain('opaque');
    });

    test('the isolation level of a transaction', () =>
      withHarness(async ({ prisma }) => {
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
      withHarness(async (harness) => {
        await harness.raw.query(
          `CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO "Tag" VALUES ('a', 'x'); COMMIT; INSERT INTO "Tag" VALUES ('b', 'x'); ROLLBACK; END $$`,
        );
        await harness.prisma.$executeRaw`CALL twice()`;
        expect(await harness.prisma.tag.findMany()).toEqual([{ code: 'a', label: 'x' }]);
        expect(new Set(await marks(harness))).toEqual(new Set(['opaque']));
      }));
  });

  describe('connections', () => {
    test('an event that can not be written undoes its write, and the one connection is free again', () =>
      withHarness(async (harness) => {
        const { prisma } = harness;
        await harness.swallowEvents();
        const data = { code: 'a', label: 'x' };
        for (let round = 0; round < 3; round += 1) {
          await expect(prisma.tag.create({ data })).rejects.toThrow(/dropped the others/);
          await expect(prisma.$transaction((tx) => tx.tag.create({ data }))).rejects.toThrow(
            /dropped the others/,
          );
          await expect(prisma.$transaction([prisma.tag.create({ data })])).rejects.toThrow(
            /dropped the others/,
          );
          expect(await openTransactions(harness)).toBe(0);
        }
        expect(await prisma.tag.count()).toBe(0);
      }));

    test('a constraint that is checked at COMMIT refuses a single write as it would without auditing', async () => {
      const [audited, plain] = await both(async ({ prisma, raw }) => {
        await raw.query(
          'ALTER TABLE "Profile" ALTER CONSTRAINT "Profile_userId_fkey" DEFERRABLE INITIALLY DEFERRED',
        );
        const create = () => prisma.profile.create({ data: { id: 'p', bio: 'x', userId: 999 } });
        return [await outcome(create()), await outcome(create()), await prisma.profile.count()];
      });
      expect(audited).toEqual(plain);
    });

    test('a connection that the server ends fails one write, and the next one is told', () =>
      withHarness(async (harness) => {
        const { prisma, raw } = harness;
        await prisma.tag.create({ data: { code: 'a', label: 'x' } });
        await raw.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        );
        await new Promise((resolve) => setTimeout(resolve, 50));
        const told = await tells(harness, async () => {
          await prisma.tag.create({ data: { code: 'b', label: 'x' } }).catch(() => undefined);
          await prisma.tag.create({ data: { code: 'c', label: 'x' } });
        });
        expect(told).toContain('tag.created c');
      }));

    test('single writes, reads and transactions at once on one connection each end', () =>
      withHarness(async (harness) => {
        const { prisma } = harness;
        await tells(harness, () =>
          Promise.all(
            Array.from({ length: 40 }, async (_, n) => {
              const data = { code: `t${n}`, label: 'x' };
              if (n % 4 === 0) await harness.transaction((db) => db.createTag(data.code, 'x'));
              else if (n % 4 === 1) await prisma.tag.findMany();
              else if (n % 4 === 2)
                await prisma.$transaction([prisma.tag.create({ data }), prisma.tag.count()]);
              else await prisma.tag.create({ data });
            }),
          ),
        );
        expect(await prisma.tag.count()).toBe(30);
      }));

    test('a write on the client while a transaction callback is open is its own, and survives the rollback', () =>
      withHarness(
        async (harness) => {
          const { prisma } = harness;
          const told = await tells(harness, () =>
            prisma
              .$transaction(async (tx) => {
                await tx.tag.create({ data: { code: 'inside', label: 'x' } });
                await prisma.tag.create({ data: { code: 'outside', label: 'x' } });
                throw new Undo('undo');
              })
              .catch(() => undefined),
          );
          expect(told).toEqual(['tag.created outside']);
        },
        { pool: 2 },
      ));

    test('a transaction that times out leaves no event, no row and no open transaction', () =>
      withHarness(async (harness) => {
        const { prisma } = harness;
        const told = await tells(harness, async () => {
          await expect(
            prisma.$transaction(
              async (tx) => {
                await tx.tag.create({ data: { code: 'late', label: 'x' } });
                await new Promise((resolve) => setTimeout(resolve, 400));
                await tx.tag.create({ data: { code: 'later', label: 'x' } });
              },
              { timeout: 200 },
            ),
          ).rejects.toMatchObject({ code: 'P2028' });
          await prisma.tag.create({ data: { code: 'after', label: 'x' } });
        });
        expect(told).toEqual(['tag.created after']);
      }));

    test('a transaction that is begun with raw SQL is refused: nobody knows on which connection', () =>
      withHarness(async ({ prisma }) => {
        await expect(prisma.$executeRaw`BEGIN`).rejects.toThrow('$transaction()');
        await expect(prisma.$queryRaw`START TRANSACTION`).rejects.toThrow('$transaction()');
      }));
  });

  describe('what is known of the database', () => {
    test('follows changes of the schema that the client makes', () =>
      withHarness(async (harness) => {
        const { prisma } = harness;
        await prisma.tag.create({ data: { code: 'a', label: 'x' } });
        await prisma.$executeRaw`ALTER TABLE "Tag" ADD COLUMN "more" integer DEFAULT 7`;
        await prisma.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
        await prisma.$executeRaw`UPDATE "Tag" SET "more" = 8`;
        const [, , last] = await harness.events();
        expect(last?.change).toMatchObject({ before: { more: 7 }, after: { more: 8 }, fields: ['more'] });
      }));

    test('a function that is made later and writes is noticed where a query calls it', () =>
      withHarness(async (harness) => {
        const { prisma } = harness;
        const call = () => prisma.$queryRaw`SELECT note('a') AS noted`;
        await expect(call()).rejects.toThrow();
        await prisma.$executeRaw`CREATE FUNCTION note(code text) RETURNS text LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO "Tag" VALUES (code, 'noted'); RETURN code; END $$`;
        expect(await call()).toEqual([{ noted: 'a' }]);
        expect(await marks(harness)).toEqual(['opaque']);
        expect(await prisma.tag.count()).toBe(1);
      }));

    test('writes inside withoutAudit take one round trip and are not recorded', () =>
      withHarness(async (harness) => {
        const { prisma, audit } = harness;
        await prisma.tag.create({ data: { code: 'a', label: 'x' } });
        await withoutAudit(
          async () => {
            harness.countStatements();
            await prisma.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
            expect(harness.countStatements()).toBe(1);
          },
          { reason: 'an import', audit },
        );
        const events = (await harness.events()).filter((event) => event.category === 'data');
        expect(events.map((event) => event.action)).toEqual(['tag.created']);
      }));
  });
});
