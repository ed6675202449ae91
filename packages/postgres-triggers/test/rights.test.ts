import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import { installTriggers, listTriggers, removeTriggers } from '../src/index.js';
import { createTriggerBench, type TriggerBench } from './trigger-bench.js';

describePostgres('a role of the application', (server) => {
  const app = `app_${randomBytes(4).toString('hex')}`;
  let bench: TriggerBench;
  beforeAll(async () => {
    bench = await createTriggerBench(server);
    await bench.sql(`CREATE ROLE ${app} LOGIN PASSWORD 'pw'`);
    await bench.reset("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a')");
    await bench.sql(
      `GRANT ALL ON item TO ${app}; GRANT CREATE ON SCHEMA public TO ${app}; REVOKE TRIGGER, TRUNCATE ON item FROM ${app}`,
    );
  });
  afterAll(async () => {
    await bench.sql(`DROP OWNED BY ${app}; DROP ROLE ${app}`);
    await bench.close();
  });

  test('needs no right on the audit tables, and is named', async () => {
    const client = await bench.connect(app);
    await client.query("UPDATE item SET name = 'b'");
    const [event] = await bench.events();
    expect(event?.actor).toEqual({ type: 'service', id: app, role: 'database' });
    expect(event?.details?.database).toMatchObject({ user: app, application: 'psql' });
    await client.query('BEGIN; SET LOCAL ROLE pg_read_all_data; ROLLBACK').catch(() => undefined);
    await bench.verifies();
  });

  test.each([
    ['write an event', 'INSERT INTO audit.audit_event SELECT * FROM audit.audit_event'],
    ['read the log', 'SELECT * FROM audit.audit_event'],
    ['change the log', "UPDATE audit.audit_event SET actor_id = 'x'"],
    ['take from the log', 'DELETE FROM audit.audit_pending'],
    ['switch a trigger off', 'ALTER TABLE item DISABLE TRIGGER indelible_update'],
    ['drop a trigger', 'DROP TRIGGER indelible_update ON item'],
    ['switch all triggers off', "SET session_replication_role = 'replica'"],
    [
      'use a trigger for a table of its own',
      `CREATE TABLE mine (id int); CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION audit.audit_trigger_statement('1', 'item', 'item', 'audit')`,
    ],
    ['call what makes events', "SELECT audit.audit_trigger_columns('item'::regclass, '{}')"],
    ['install triggers', "SELECT audit.audit_trigger_install('item', '{}')"],
    ['take triggers off', "SELECT audit.audit_trigger_remove('item')"],
    [
      'replace what makes events',
      "CREATE OR REPLACE FUNCTION audit.audit_trigger_statement() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
  ])('can not %s', async (_, sql) => {
    const client = await bench.connect(app);
    await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });

  test('can not lead the triggers astray with tables, functions and operators of its own', async () => {
    const client = await bench.connect(app);
    await client.query(`
      CREATE TEMP TABLE audit_event (LIKE item); CREATE TEMP TABLE pg_attribute (attrelid oid, attname text);
      CREATE FUNCTION public.to_json(text) RETURNS json LANGUAGE sql AS 'SELECT ''"stolen"''::json';
      CREATE FUNCTION public.audit_trigger_columns(oid, text[]) RETURNS text LANGUAGE sql AS 'SELECT ''x''';
      SET search_path = pg_temp, public, audit, pg_catalog;
      SET extra_float_digits = -15; SET bytea_output = escape; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard';
      SET standard_conforming_strings = off; SET plan_cache_mode = force_custom_plan;
      SET LOCAL TimeZone = 'Asia/Kathmandu'`);
    await client.query("UPDATE public.item SET name = 'astray'");
    const [event, ...others] = await bench.events();
    expect(others).toEqual([]);
    expect(event?.change).toMatchObject({ operation: 'update', after: { name: 'astray' } });
    expect(event?.actor.id).toBe(app);
    await client.query('DROP FUNCTION public.to_json(text), public.audit_trigger_columns(oid, text[])');
    await bench.verifies();
  });

  test('can not blur a number with a setting of its own', async () => {
    await bench.sql('ALTER TABLE item ADD COLUMN f float8');
    const client = await bench.connect(app);
    await client.query('SET extra_float_digits = -15; UPDATE item SET f = 0.1234567890123456');
    expect((await bench.events())[0]?.change?.after).toEqual({ f: 0.1234567890123456 });
  });

  test('can not tell of somebody else without its being seen: the database names it beside', async () => {
    const client = await bench.connect(app);
    const claim = JSON.stringify({ actor: { type: 'user', id: 'ada' }, context: {}, log: 'audit' });
    await client.query('SELECT set_config($1, $2, false)', ['indelible.context', claim]);
    await client.query("UPDATE item SET name = 'c'");
    const [event] = await bench.events();
    expect(event?.actor.id).toBe('ada');
    expect(event?.details?.database).toMatchObject({ user: app });
    expect(event?.details?.operation).toBeUndefined();
  });

  test('that owns its tables may take the triggers off, and the list tells who could and what is missing', async () => {
    await bench.reset('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)', {
      tables: ['item'],
    });
    await bench.sql(`ALTER TABLE item OWNER TO ${app}`);
    const [before, other] = await listTriggers(bench.raw);
    expect(before).toMatchObject({ table: 'public.item', name: 'item', owner: app, problems: [] });
    expect(other).toMatchObject({ table: 'public.other', name: null, problems: ['missing'] });
    const client = await bench.connect(app);
    await client.query(
      'ALTER TABLE item DISABLE TRIGGER indelible_update; ALTER TABLE item ENABLE ALWAYS TRIGGER indelible_update',
    );
    const [after] = await listTriggers(bench.raw);
    expect(after?.problems).toEqual([]);
    // Off and on again leaves its trace.
    expect(after?.fingerprint).not.toBe(before?.fingerprint);
    await client.query('ALTER TABLE item ENABLE TRIGGER indelible_update');
    expect((await listTriggers(bench.raw))[0]?.problems).toEqual(['disabled']);
    await client.query('ALTER TABLE item DISABLE TRIGGER ALL');
    expect((await listTriggers(bench.raw))[0]?.problems).toEqual(['disabled']);
    expect(await installTriggers(bench.raw, { tables: ['item'] })).toMatchObject([{ outcome: 'changed' }]);
    expect((await listTriggers(bench.raw))[0]?.problems).toEqual([]);
  });

  test('that may not install says which right is missing', async () => {
    const client = await bench.connect(app);
    await expect(installTriggers(client, { tables: ['item'] })).rejects.toMatchObject({
      code: 'AUDIT_RIGHTS_MISSING',
    });
    await expect(removeTriggers(client, { tables: ['item'] })).rejects.toMatchObject({
      code: 'AUDIT_RIGHTS_MISSING',
    });
  });
});
