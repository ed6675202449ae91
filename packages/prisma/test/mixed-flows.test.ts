import { assertTells } from '@indelible/capture/conformance';
import { describe, expect, test } from 'vitest';
import { createPrismaHarness, type PrismaHarness } from './prisma-harness.js';

class Undo extends Error {}

async function withHarness(work: (harness: PrismaHarness) => Promise<void>): Promise<void> {
  const harness = await createPrismaHarness('libsql');
  try {
    await work(harness);
  } finally {
    await harness.close();
  }
}

async function tells(harness: PrismaHarness, work: () => Promise<unknown>): Promise<string[]> {
  const known = (await harness.events()).length;
  const before = await harness.snapshot();
  await work();
  const events = (await harness.events()).slice(known);
  assertTells(events, before, await harness.snapshot());
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('flows of one Prisma client', () => {
  test('single writes, reads and transactions that start in between never run inside one another', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      await tells(harness, () =>
        Promise.all(
          Array.from({ length: 40 }, async (_, n) => {
            const data = { code: `t${n}`, label: 'x' };
            if (n % 4 === 0) await prisma.$transaction(async (tx) => void (await tx.tag.create({ data })));
            else if (n % 4 === 1) await prisma.tag.findMany();
            else if (n % 4 === 2)
              await prisma.$transaction([prisma.tag.create({ data }), prisma.tag.count()]);
            else await prisma.tag.create({ data });
          }),
        ),
      );
      expect(await prisma.tag.count()).toBe(30);
    }));

  test('a write after each transaction is told, although libsql opens another connection for it', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      const told = await tells(harness, async () => {
        for (const code of ['a', 'b', 'c']) {
          await prisma.tag.create({ data: { code, label: 'x' } });
          await prisma.$transaction(
            async (tx) => void (await tx.tag.update({ where: { code }, data: { label: 'y' } })),
          );
          await prisma.tag.update({ where: { code }, data: { label: 'z' } });
        }
      });
      expect(told).toHaveLength(9);
    }));

  test('a transaction that times out leaves no event, no row and no open transaction', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      const told = await tells(harness, async () => {
        await expect(
          prisma.$transaction(
            async (tx) => {
              await tx.tag.create({ data: { code: 'late', label: 'x' } });
              await new Promise((resolve) => setTimeout(resolve, 250));
              await tx.tag.create({ data: { code: 'later', label: 'x' } });
            },
            { timeout: 100 },
          ),
        ).rejects.toMatchObject({ code: 'P2028' });
        await prisma.tag.create({ data: { code: 'after', label: 'x' } });
      });
      expect(told).toEqual(['tag.created after']);
    }));

  test('transactions in transactions, undone and kept, three deep', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      const told = await tells(harness, () =>
        prisma.$transaction(async (tx) => {
          await tx.tag.create({ data: { code: 'a', label: 'x' } });
          await tx.$transaction(async (inner) => {
            await inner.tag.create({ data: { code: 'b', label: 'x' } });
            await inner
              .$transaction(async (deep) => {
                await deep.tag.update({ where: { code: 'a' }, data: { label: 'gone' } });
                throw new Undo('undo');
              })
              .catch(() => undefined);
            await inner.tag.update({ where: { code: 'a' }, data: { label: 'kept' } });
          });
        }),
      );
      expect(told).toEqual(['tag.created a', 'tag.created b', 'tag.updated a']);
    }));

  test('BEGIN, SAVEPOINT, ROLLBACK TO and COMMIT as raw SQL', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      const run = (sql: string): Promise<number> => prisma.$executeRawUnsafe(sql);
      const told = await tells(harness, async () => {
        await run('BEGIN');
        await run(`INSERT INTO "Tag" VALUES ('a','x'),('b','x')`);
        await run('SAVEPOINT s');
        await prisma.tag.update({ where: { code: 'a' }, data: { label: 'gone' } });
        await run('ROLLBACK TO s');
        await run('RELEASE s');
        await run('COMMIT;');
        await run('BEGIN');
        await run('DELETE FROM "Tag"');
        await run('ROLLBACK');
        await prisma.tag.delete({ where: { code: 'b' } });
      });
      expect(told).toEqual(['tag.created a', 'tag.created b', 'tag.deleted b']);
    }));

  test('$queryRawUnsafe that writes, with RETURNING and with parameters', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      const told = await tells(harness, async () => {
        const rows = await prisma.$queryRawUnsafe(
          `INSERT INTO "Tag" VALUES (?, ?), ('b', 'x') RETURNING "code"`,
          'a',
          'one',
        );
        expect(rows).toEqual([{ code: 'a' }, { code: 'b' }]);
        await prisma.$queryRaw`WITH q AS (SELECT ${'b'} AS c) UPDATE "Tag" SET "label" = ${'two'} WHERE "code" IN (SELECT c FROM q)`;
        await prisma.$executeRaw`DELETE FROM "Tag" WHERE "code" = ${'a'}`;
        expect(await prisma.$executeRaw`UPDATE "Tag" SET "label" = 'three'`).toBe(1);
      });
      expect(told).toEqual([
        'tag.created a',
        'tag.created b',
        'tag.updated b',
        'tag.deleted a',
        'tag.updated b',
      ]);
    }));

  test('a write on the client while a transaction callback is open is its own, and survives the rollback', () =>
    withHarness(async (harness) => {
      const { prisma } = harness;
      const told = await tells(harness, async () => {
        let outside: Promise<unknown> = Promise.resolve();
        await prisma
          .$transaction(async (tx) => {
            await tx.tag.create({ data: { code: 'inside', label: 'x' } });
            outside = prisma.tag.create({ data: { code: 'outside', label: 'x' } }).then((tag) => tag);
            throw new Undo('undo');
          })
          .catch(() => undefined);
        await outside;
      });
      expect(told).toEqual(['tag.created outside']);
    }));

  test('an error of the application is the same as without auditing, and so is the state after it', async () => {
    const plain = await createPrismaHarness('libsql', { audited: false });
    try {
      await withHarness(async (harness) => {
        const attempts = async ({ prisma }: PrismaHarness): Promise<unknown[]> => {
          const seen: unknown[] = [];
          for (const sql of [
            `INSERT INTO "Tag" VALUES ('a','x'),('a','x')`,
            `INSERT OR FAIL INTO "Tag" VALUES ('b','x'),('b','y'),('c','z')`,
            `INSERT OR ROLLBACK INTO "Tag" VALUES ('d','x'),('d','y')`,
            `INSERT INTO "posts" ("title","authorId") VALUES ('x', 999)`,
            `UPDATE "Tag" SET "label" = NULL`,
            'UPDATE nowhere SET x = 1',
            'UPDATE "Tag" SET nothing = 1',
            'UPDATE "Tag" SET',
            'COMMIT',
          ]) {
            seen.push(
              await prisma.$executeRawUnsafe(sql).then(
                (count) => count,
                (error: unknown) =>
                  error instanceof Error
                    ? [error.constructor.name, Reflect.get(error, 'code'), Reflect.get(error, 'meta')]
                    : error,
              ),
            );
          }
          seen.push(await prisma.tag.findMany());
          return seen;
        };
        expect(await attempts(harness)).toEqual(await attempts(plain));
        expect((await harness.events()).map((event) => event.resource?.id)).toEqual(['b']);
      });
    } finally {
      await plain.close();
    }
  });
});
