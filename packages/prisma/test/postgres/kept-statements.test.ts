import { expect, test } from 'vitest';
import { describeBouncer, startBouncer } from '../../../postgres/test/test-bouncer.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';
import { marks, tells, withPostgres } from './postgres-work.js';

/** The statements that the client's only connection keeps prepared: their verbs. */
async function kept({ prisma }: PostgresHarness): Promise<readonly string[]> {
  const rows = await prisma.$queryRaw<{ verb: string }[]>`
    SELECT split_part(statement, ' ', 1) AS verb FROM pg_prepared_statements WHERE name LIKE 'indelible%' ORDER BY name`;
  return rows.map(({ verb }) => verb);
}

async function relabel({ prisma }: PostgresHarness, ...labels: readonly string[]): Promise<void> {
  for (const label of labels) await prisma.tag.update({ where: { code: 'a' }, data: { label } });
}

describePostgres('a single write of Prisma', (server) => {
  const withTag = (work: (harness: PostgresHarness) => Promise<void>): Promise<void> =>
    withPostgres(server, async (harness) => {
      await harness.prisma.tag.create({ data: { code: 'a', label: '0' } });
      await work(harness);
    });

  test('is kept prepared from the second time on, with its event, and recorded the same', () =>
    withTag(async (harness) => {
      expect(await kept(harness)).toEqual([]);
      expect(await tells(harness, () => relabel(harness, '1', '2', '3', '4'))).toEqual(
        Array.from({ length: 4 }, () => 'tag.updated a'),
      );
      expect((await kept(harness)).toSorted()).toEqual(['SELECT', 'UPDATE']);
    }));

  test('is not kept prepared where the plan may hang on its values, nor within a transaction of the application', () =>
    withTag(async (harness) => {
      const { prisma } = harness;
      for (const label of ['1', '2', '3']) {
        await prisma.tag.updateMany({ where: { label: { not: label } }, data: { label } });
        await prisma.$executeRaw`UPDATE "Tag" SET "label" = (SELECT ${label} || "code") WHERE "code" = 'a'`;
        await prisma.$transaction((tx) => tx.tag.update({ where: { code: 'a' }, data: { label: 'x' } }));
      }
      expect(await kept(harness)).toEqual(['SELECT']);
    }));

  test('goes on where its prepared statements are gone', () =>
    withTag(async (harness) => {
      await relabel(harness, '1', '2', '3');
      expect(await kept(harness)).toHaveLength(2);
      for (const taken of ['DEALLOCATE ALL', 'DISCARD ALL']) {
        await harness.prisma.$executeRawUnsafe(taken);
        const labels = ['4', '5', '6', '7'].map((label) => `${taken} ${label}`);
        expect(await tells(harness, () => relabel(harness, ...labels))).toHaveLength(4);
      }
      expect(await kept(harness)).toHaveLength(2);
      expect(new Set(await marks(harness))).toEqual(new Set(['exact']));
    }));

  test('gives up keeping statements where something takes them away again and again', () =>
    withTag(async (harness) => {
      for (let round = 0; round < 5; round += 1) {
        await relabel(harness, `${round} a`, `${round} b`, `${round} c`);
        await harness.prisma.$executeRawUnsafe('DEALLOCATE ALL');
      }
      await relabel(harness, 'a', 'b', 'c', 'd');
      expect(await kept(harness)).toEqual([]);
      expect(await harness.raw.query('SELECT label FROM "Tag"')).toMatchObject({ rows: [{ label: 'd' }] });
      expect(await marks(harness)).toEqual(Array.from({ length: 20 }, () => 'exact'));
    }));

  test('goes on where a column that it returns gets another type', () =>
    withTag(async (harness) => {
      await relabel(harness, '1', '2', '3');
      await harness.raw.query('ALTER TABLE "Tag" ALTER COLUMN "label" TYPE varchar(40)');
      expect(await tells(harness, () => relabel(harness, '4', '5', '6'))).toHaveLength(3);
      expect(await kept(harness)).toContain('UPDATE');
    }));

  test('runs once where it was not kept and fails with an error of the application that looks like a lost one', () =>
    withTag(async (harness) => {
      await harness.raw.query(`CREATE SEQUENCE tries;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'not supported' USING ERRCODE = '26000'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON "Tag" FOR EACH ROW EXECUTE FUNCTION refuse()`);
      await expect(relabel(harness, '1')).rejects.toThrow();
      expect((await harness.raw.query('SELECT last_value::int AS n FROM tries')).rows).toEqual([{ n: 1 }]);
    }));

  test('goes on where its role may not ask for the process that answers, and keeps nothing then', () =>
    withPostgres(server, async (harness) => {
      const role = `indelible_unasked_${process.pid}_${server.version}`;
      const { raw, prisma } = harness;
      await raw.query(`CREATE ROLE ${role} IN ROLE pg_read_all_data, pg_write_all_data;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit TO ${role};
        REVOKE EXECUTE ON FUNCTION pg_catalog.pg_backend_pid() FROM public`);
      try {
        await prisma.$executeRawUnsafe(`SET ROLE ${role}`);
        await prisma.tag.create({ data: { code: 'a', label: '0' } });
        expect(await tells(harness, () => relabel(harness, '1', '2', '3'))).toHaveLength(3);
        expect(await kept(harness)).toEqual([]);
      } finally {
        await prisma.$executeRawUnsafe('RESET ROLE');
        await raw.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    }));
});

describeBouncer('a single write of Prisma', (server) => {
  test('is not kept prepared, because the next one may meet another connection of the server', async () => {
    const bouncer = await startBouncer(server);
    try {
      const harness = await createPostgresHarness({
        server,
        pool: 1,
        through: (url) => bouncer.through(url),
      });
      await harness.prisma.tag.create({ data: { code: 'a', label: '0' } });
      await relabel(harness, '1', '2', '3', '4');
      expect(await kept(harness)).toEqual([]);
      expect(await marks(harness)).toEqual(Array.from({ length: 5 }, () => 'exact'));
      await harness.close();
    } finally {
      await bouncer.stop();
    }
  });
});
