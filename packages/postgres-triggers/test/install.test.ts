import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import {
  FUNCTIONS_VERSION,
  installTriggers,
  listTriggers,
  printTriggers,
  removeTriggers,
} from '../src/index.js';
import { createTriggerBench, type TriggerBench } from './trigger-bench.js';

const SQL = fileURLToPath(new URL('../sql/', import.meta.url));

describe('the functions', () => {
  test('each have their version on the second line, which is that of the library', () => {
    const heads = readdirSync(SQL).flatMap((file) =>
      readFileSync(`${SQL}${file}`, 'utf8')
        .split(/^(?=CREATE OR REPLACE FUNCTION)/m)
        .map((text) => /AS \$\$\n(.*)\n/.exec(text)?.[1]),
    );
    expect(heads.length).toBeGreaterThan(12);
    expect(new Set(heads)).toEqual(new Set([`  -- version: ${FUNCTIONS_VERSION}`]));
  });

  test('are compiled as they stand there', () => {
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const check = () =>
      execFileSync(process.execPath, ['../../scripts/compile-functions.mjs', '--check'], {
        cwd,
        stdio: 'pipe',
      });
    expect(check).not.toThrow();
  });
});

describePostgres('installing triggers', (server) => {
  let bench: TriggerBench;
  beforeAll(async () => {
    bench = await createTriggerBench(server);
  });
  afterAll(() => bench.close());

  const outcomes = async (options: Parameters<typeof installTriggers>[1]) =>
    (await installTriggers(bench.raw, options)).map(({ table, outcome }) => `${table} ${outcome}`);

  test('twice changes nothing, and what has changed since is taken in', async () => {
    await bench.reset('CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)', {
      tables: ['a'],
    });
    expect(await outcomes({ tables: ['a', 'b'] })).toEqual(['public.a unchanged', 'public.b installed']);
    await bench.sql('ALTER TABLE a ADD COLUMN name text');
    expect((await listTriggers(bench.raw))[0]?.problems).toEqual(['outdated']);
    expect(await outcomes({ tables: 'all' })).toEqual(['public.a changed', 'public.b unchanged']);
    expect(await outcomes({ tables: 'all', mask: ['a.name'] })).toEqual([
      'public.a changed',
      'public.b unchanged',
    ]);
  });

  test('turns to triggers of rows, and back, where the table calls for it', async () => {
    await bench.reset('CREATE TABLE a (id int PRIMARY KEY, parent int)', { tables: ['a'] });
    await bench.sql('ALTER TABLE a ADD CONSTRAINT up FOREIGN KEY (parent) REFERENCES a ON DELETE CASCADE');
    expect((await listTriggers(bench.raw))[0]).toMatchObject({ level: 'row', problems: ['level'] });
    expect(await outcomes({ tables: ['a'] })).toEqual(['public.a changed']);
    await bench.sql('INSERT INTO a VALUES (1, NULL), (2, 1); DELETE FROM a WHERE id = 1');
    expect((await bench.events()).length).toBe(4);
    await bench.sql('ALTER TABLE a DROP CONSTRAINT up');
    expect(await outcomes({ tables: ['a'] })).toEqual(['public.a changed']);
    await bench.sql('INSERT INTO a VALUES (3, NULL)');
    expect((await bench.events()).length).toBe(1);
  });

  test('by many at once does no harm', async () => {
    await bench.reset('CREATE TABLE a (id int PRIMARY KEY)', { tables: ['a'] });
    await bench.sql('SELECT audit.audit_trigger_remove($1)', 'a').catch(() => undefined);
    const clients = await Promise.all(Array.from({ length: 6 }, () => bench.connect()));
    await Promise.all(clients.map((client) => installTriggers(client, { tables: ['a'] })));
    await bench.sql('INSERT INTO a VALUES (1)');
    expect((await bench.events()).length).toBe(1);
    for (const client of clients) await client.end();
  });

  test('prints SQL that does the same', async () => {
    await bench.reset('CREATE TABLE "it\'s" (id int PRIMARY KEY, "pass\\word" text)', { tables: 'all' });
    await removeTriggers(bench.raw, { tables: 'all' });
    expect((await listTriggers(bench.raw))[0]?.problems).toEqual(['missing']);
    await bench.sql(await printTriggers(bench.raw, { tables: 'all' }));
    expect(await outcomes({ tables: 'all' })).toEqual(["public.it's unchanged"]);
    await bench.sql("INSERT INTO \"it's\" VALUES (1, 'hush')");
    expect((await bench.events())[0]?.change?.after).toEqual({
      id: 1,
      'pass\\word': { $indelible: 'masked' },
    });
  });

  test('is taken back by removing them', async () => {
    await bench.reset(`CREATE TABLE a (id int PRIMARY KEY);
      CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)`);
    expect(await removeTriggers(bench.raw, { tables: 'all' })).toEqual(['public.a', 'public.p']);
    expect(await removeTriggers(bench.raw, { tables: 'all' })).toEqual([]);
    await bench.sql('INSERT INTO a VALUES (1); INSERT INTO p VALUES (1); TRUNCATE p1');
    expect(await bench.events()).toEqual([]);
  });

  test.each([
    ['a table that is not there', { tables: ['nowhere'] }],
    ['a table of the audit', { tables: ['audit.audit_event'] }],
    ['a partition', { tables: ['p1'] }],
    ['a column that is not there', { tables: ['a'], mask: ['nothing'] }],
    ['no table', { tables: [] }],
  ])('refuses %s', async (_, options) => {
    await expect(installTriggers(bench.raw, options)).rejects.toMatchObject({ code: 'AUDIT_CONFIG_INVALID' });
  });

  test('refuses functions of a newer version', async () => {
    await bench.sql(`CREATE FUNCTION audit.audit_trigger_future() RETURNS int LANGUAGE sql AS '
      -- version: 99
      SELECT 1'`);
    await expect(installTriggers(bench.raw, { tables: 'all' })).rejects.toMatchObject({
      code: 'AUDIT_SCHEMA_NEWER',
    });
    await bench.sql('DROP FUNCTION audit.audit_trigger_future()');
  });

  test('takes the place of an older version, whose functions answered otherwise', async () => {
    await bench.reset('CREATE TABLE a (id int PRIMARY KEY)', { tables: ['a'] });
    await bench.sql(`DROP FUNCTION audit.audit_trigger_fields(text);
      CREATE FUNCTION audit.audit_trigger_fields(record text) RETURNS int LANGUAGE sql AS '
        -- version: 1
        SELECT 1';
      CREATE FUNCTION audit.audit_trigger_gone() RETURNS int LANGUAGE sql AS '
        -- version: 1
        SELECT 1'`);
    const older = await bench.sql("SELECT tgargs FROM pg_trigger WHERE tgname = 'indelible_insert'");
    await bench.sql(
      `UPDATE pg_trigger SET tgargs = '1'::bytea || substr(tgargs, 2) WHERE tgname LIKE 'indelible%'`,
    );
    expect((await listTriggers(bench.raw))[0]?.problems).toEqual(['outdated']);
    expect(await outcomes({ tables: ['a'] })).toEqual(['public.a changed']);
    expect(await outcomes({ tables: ['a'] })).toEqual(['public.a unchanged']);
    expect(await bench.sql("SELECT tgargs FROM pg_trigger WHERE tgname = 'indelible_insert'")).toEqual(older);
    expect(await bench.sql("SELECT to_regproc('audit.audit_trigger_gone') AS gone")).toEqual([
      { gone: null },
    ]);
    await bench.sql('INSERT INTO a VALUES (2)');
    expect((await bench.events()).map(({ resource }) => resource?.id)).toEqual(['2']);
  });

  test('in a database without an audit log says what to do', async () => {
    const { url, drop } = await server.createDatabase();
    const client = await bench.connect();
    const { default: pg } = await import('pg');
    const bare = new pg.Client({ connectionString: url });
    await bare.connect();
    await bare.query('CREATE TABLE a (id int)');
    await expect(installTriggers(bare, { tables: 'all' })).rejects.toMatchObject({
      code: 'AUDIT_TABLES_MISSING',
    });
    await bare.end();
    await client.end();
    await drop();
  });
});
