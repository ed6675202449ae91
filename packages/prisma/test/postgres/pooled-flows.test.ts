import { withoutAudit } from '@indelible/context';
import { describe, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { marks, openTransactions, outcome, tells, withAndWithout, withPostgres } from './postgres-work.js';

class Undo extends Error {}

describePostgres('flows of one Prisma client on a pool', (server) => {
  describe('connections', () => {
    test('an event that can not be written undoes its write, and the one connection is free again', () =>
      withPostgres(server, async (harness) => {
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
      const [audited, plain] = await withAndWithout(server, async ({ prisma, raw }) => {
        await raw.query(
          'ALTER TABLE "Profile" ALTER CONSTRAINT "Profile_userId_fkey" DEFERRABLE INITIALLY DEFERRED',
        );
        const create = () => prisma.profile.create({ data: { id: 'p', bio: 'x', userId: 999 } });
        return [await outcome(create()), await outcome(create()), await prisma.profile.count()];
      });
      expect(audited).toEqual(plain);
    });

    test('a connection that the server ends fails one write, and the next one is told', () =>
      withPostgres(server, async (harness) => {
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
      withPostgres(server, async (harness) => {
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
      withPostgres(
        server,
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
      withPostgres(server, async (harness) => {
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
      withPostgres(server, async ({ prisma }) => {
        await expect(prisma.$executeRaw`BEGIN`).rejects.toThrow('$transaction()');
        await expect(prisma.$queryRaw`START TRANSACTION`).rejects.toThrow('$transaction()');
      }));
  });

  describe('what is known of the database', () => {
    test('follows changes of the schema that the client makes', () =>
      withPostgres(server, async (harness) => {
        const { prisma } = harness;
        await prisma.tag.create({ data: { code: 'a', label: 'x' } });
        await prisma.$executeRaw`ALTER TABLE "Tag" ADD COLUMN "more" integer DEFAULT 7`;
        await prisma.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
        await prisma.$executeRaw`UPDATE "Tag" SET "more" = 8`;
        const [, , last] = await harness.events();
        expect(last?.change).toMatchObject({ before: { more: 7 }, after: { more: 8 }, fields: ['more'] });
      }));

    test('a table that somebody else has made since, and that a cascade reaches, is told with a single write', () =>
      withPostgres(server, async (harness) => {
        const { prisma, raw } = harness;
        await prisma.tag.createMany({
          data: [
            { code: 'a', label: 'x' },
            { code: 'b', label: 'x' },
          ],
        });
        await prisma.tag.delete({ where: { code: 'b' } });
        await raw.query(`CREATE TABLE mark(id int PRIMARY KEY, tag text REFERENCES "Tag" ON DELETE CASCADE);
          INSERT INTO mark VALUES (1, 'a')`);
        expect(await prisma.tag.delete({ where: { code: 'a' } })).toMatchObject({ code: 'a' });
        expect(new Set(await marks(harness))).toEqual(new Set(['exact']));
        const last = (await harness.events()).slice(-2).map(({ action }) => action);
        expect(last.sort()).toEqual(['mark.deleted', 'tag.deleted']);
        expect(await openTransactions(harness)).toBe(0);
      }));

    test('a function that is made later and writes is noticed where a query calls it', () =>
      withPostgres(server, async (harness) => {
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
      withPostgres(server, async (harness) => {
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
