import { runWithContext } from '@indelible/context';
import { createPostgresStore } from '@indelible/postgres';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from '../../prisma/test/postgres/postgres-harness.js';
import { installTriggers, listTriggers } from '../src/index.js';
import { installDomainTriggers } from './domain-triggers.js';

const ADA = { actor: { type: 'user', id: 'ada' } } as const;

const DOES_NOTHING = `CREATE OR REPLACE FUNCTION audit.audit_trigger_statement() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = audit, pg_temp AS 'BEGIN RETURN NULL; END'`;
/** It says what the real one says, so that a client that asked nothing else would believe it. */
const SAYS_SO = `CREATE OR REPLACE FUNCTION audit.audit_trigger_statement() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = audit, pg_temp AS $$
  -- version: 2
  BEGIN
    PERFORM set_config('indelible.told', concat(TG_RELID, ' ', lower(TG_OP), ' ',
      (SELECT hashtidextended(ctid, xmin::text::int8) FROM pg_class WHERE oid = TG_RELID), ' ',
      (SELECT bit_xor(hashtidextended(ctid, xmin::text::int8)) FROM pg_trigger WHERE tgrelid = TG_RELID), ';'), true);
    RETURN NULL;
  END $$`;
const PART_DOES_NOTHING = `CREATE OR REPLACE FUNCTION audit.audit_trigger_fields(record text) RETURNS text[]
  LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text[]'`;
const OTHER_PATH =
  'ALTER FUNCTION audit.audit_trigger_statement() SET search_path = public, audit; CREATE TABLE public.audit_event (LIKE audit.audit_event)';
const ONLY_SOMETIMES = `DROP TRIGGER indelible_insert ON "Tag"; CREATE TRIGGER indelible_insert AFTER INSERT ON "Tag"
  FOR EACH ROW WHEN (NEW.code = 'seldom') EXECUTE FUNCTION audit.audit_trigger_row('1', 'Tag', 'tag', 'audit');
  ALTER TABLE "Tag" ENABLE ALWAYS TRIGGER indelible_insert`;
const NOT_IN_EACH_SESSION = 'ALTER TABLE "Tag" ENABLE REPLICA TRIGGER indelible_insert';

describePostgres('what only looks like the triggers,', (server) => {
  async function withClient(
    prepare: (raw: pg.Client) => Promise<void>,
    work: (harness: PostgresHarness) => Promise<void>,
  ): Promise<void> {
    const harness = await createPostgresHarness({ server, pool: 2, prepare });
    try {
      await runWithContext(ADA, () => work(harness));
    } finally {
      await harness.close();
    }
  }

  const told = async ({ events }: PostgresHarness) =>
    (await events()).map(({ resource, change, actor, details }) => [
      resource?.id,
      change?.fidelity,
      actor.id,
      details?.database === undefined ? 'engine' : 'trigger',
    ]);

  test.each([
    ['a function that does nothing', DOES_NOTHING],
    ['a function that does nothing but say that it has', SAYS_SO],
    ['a function that another one calls', PART_DOES_NOTHING],
    ['a function that looks for the tables elsewhere', OTHER_PATH],
    ['a trigger with a condition', ONLY_SOMETIMES],
    ['a trigger of replicas', NOT_IN_EACH_SESSION],
  ])('%s, is no recorder: the client records by itself', (_, sabotage) =>
    withClient(
      async (raw) => {
        await installDomainTriggers(raw, {});
        await raw.query(sabotage);
      },
      async (harness) => {
        await harness.db.createTag('a', 'x');
        await harness.transaction((db) => db.createTag('b', 'x'));
        const events = (await told(harness)).filter(
          ([, fidelity, , by]) => fidelity === 'exact' && by === 'engine',
        );
        expect(events).toEqual([
          ['a', 'exact', 'ada', 'engine'],
          ['b', 'exact', 'ada', 'engine'],
        ]);
      },
    ),
  );

  test('put in their place while the client runs, is noticed with the first write', () =>
    withClient(
      (raw) => installDomainTriggers(raw, {}),
      async (harness) => {
        await harness.db.createTag('a', 'x');
        await harness.raw.query(DOES_NOTHING);
        await harness.db.createTag('b', 'x');
        await harness.db.createTag('c', 'x');
        const events = await told(harness);
        expect(events).toEqual([
          ['a', 'exact', 'ada', 'trigger'],
          ['b', 'exact', 'ada', 'engine'],
          ['c', 'exact', 'ada', 'engine'],
        ]);
        const problems = async () =>
          (await listTriggers(harness.raw)).find(({ table }) => table === 'public.Tag')?.problems;
        expect(await problems()).toEqual(['replaced']);
        await installDomainTriggers(harness.raw, {});
        expect(await problems()).toEqual([]);
        await harness.db.createTag('d', 'x');
        expect((await told(harness)).at(-1)).toEqual(['d', 'exact', 'ada', 'trigger']);
      },
    ));

  test('writes to the tables of another audit, records nothing for this one', () =>
    withClient(
      async (raw) => {
        const url = new URL(`postgres://${raw.host}:${raw.port}/${raw.database}`);
        url.username = raw.user ?? 'postgres';
        url.password = typeof raw.password === 'string' ? raw.password : '';
        const other = createPostgresStore({ url: url.href, schema: 'other', roles: false });
        await other.migrate();
        await other.close();
        await installTriggers(raw, { tables: ['Tag'], auditSchema: 'other' });
      },
      async (harness) => {
        await harness.db.createTag('a', 'x');
        expect(await told(harness)).toEqual([['a', 'exact', 'ada', 'engine']]);
        const { rows } = await harness.raw.query('SELECT count(*)::int AS n FROM other.audit_event');
        expect(rows).toEqual([{ n: 1 }]);
      },
    ));

  test('is not what a table has that the client can not be sure of: it asks again behind the write, and records it itself', () =>
    withClient(
      (raw) => installDomainTriggers(raw, {}),
      async (harness) => {
        await harness.db.createTag('a', 'x');
        const other = harness.raw;
        await other.query('BEGIN; ALTER TABLE "Tag" DISABLE TRIGGER ALL');
        // It waits for the lock, and finds the triggers gone when it has it.
        const waiting = harness.db.createTag('b', 'x');
        await expect
          .poll(async () => {
            const { rows } = await other.query('SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted');
            return rows[0]?.n;
          })
          .toBeGreaterThan(0);
        await other.query('COMMIT');
        await waiting;
        expect(await told(harness)).toEqual([
          ['a', 'exact', 'ada', 'trigger'],
          ['b', 'exact', 'ada', 'engine'],
        ]);
      },
    ));
});
