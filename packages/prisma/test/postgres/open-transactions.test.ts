import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';

const PATIENCE_MS = 5_000;

/** Opens when `size` parties have come, so that none of them goes on before all are where it stands. */
function createMeeting(size: number): () => Promise<void> {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let there = 0;
  return async () => {
    there += 1;
    if (there === size) open();
    await opened;
  };
}

const GATE = 4711;
const AT_GATE = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ${GATE}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Transactions that stand at the gate. */
async function countHeld({ raw }: PostgresHarness): Promise<number> {
  return (await raw.query(AT_GATE)).rows.length;
}

/** How many locks the transactions at the gate wait for, and what they hold of the log that others could wait for. */
async function readLocks({ raw }: PostgresHarness): Promise<{ waiting: number; modes: string[] }> {
  const { rows } = await raw.query<{ granted: boolean; mode: string; ours: boolean }>(
    `SELECT l.granted, l.mode, coalesce(n.nspname = 'audit', false) OR (l.locktype = 'advisory' AND l.objid <> ${GATE}) AS ours
      FROM pg_locks AS l LEFT JOIN pg_class AS c ON c.oid = l.relation LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE l.pid IN (${AT_GATE})`,
  );
  const modes = new Set(rows.filter(({ ours }) => ours).map(({ mode }) => mode));
  return { waiting: rows.filter(({ granted }) => !granted).length, modes: [...modes].sort() };
}

describePostgres('Prisma', (server) => {
  test('two open transactions both write rows and events, and neither waits for the other or for the sealer', async () => {
    const harness = await createPostgresHarness({ server, pool: 2 });
    const { prisma, audit, raw } = harness;
    try {
      await prisma.tag.createMany({
        data: [
          { code: 'one', label: 'old' },
          { code: 'other', label: 'old' },
        ],
      });
      // Events are written right before COMMIT: a deferred trigger keeps both transactions open behind that.
      await raw.query(`
        CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(${GATE}); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hold AFTER UPDATE ON "Tag" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();
        SELECT pg_advisory_lock(${GATE});
      `);
      const bothWrote = createMeeting(2);
      const write = (code: string) =>
        prisma.$transaction(
          async (tx) => {
            await tx.tag.update({ where: { code }, data: { label: 'new' } });
            await bothWrote();
          },
          { timeout: PATIENCE_MS, maxWait: PATIENCE_MS },
        );
      const written = Promise.all([write('one'), write('other')]);
      await expect.poll(() => countHeld(harness), { timeout: PATIENCE_MS }).toBe(2);
      // Each has its event in the log and is not committed. Nothing but the gate is waited for.
      const { waiting, modes } = await readLocks(harness);
      expect(waiting).toBe(2);
      expect(modes).toEqual(['RowExclusiveLock']);
      // The sealer passes by what is not committed.
      await audit.flush();
      await raw.query(`SELECT pg_advisory_unlock(${GATE})`);
      await written;
      await harness.settle();
      // The gate is a trigger that calls a function, which is told too.
      const exact = (await harness.events()).filter(({ change }) => change?.fidelity === 'exact');
      expect(exact.map(({ action }) => action)).toEqual([
        'tag.created',
        'tag.created',
        'tag.updated',
        'tag.updated',
      ]);
    } finally {
      await raw.query('SELECT pg_advisory_unlock_all()');
      await harness.close();
    }
  });
});
