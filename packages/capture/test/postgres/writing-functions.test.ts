import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { readPostgresTables } from './read-postgres-tables.js';
import { summary } from './summary.js';

const NOTE = `CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t VALUES (1,1),(2,2);
  CREATE TABLE log(id serial PRIMARY KEY, x int);
  CREATE FUNCTION note(x int) RETURNS int LANGUAGE sql AS 'INSERT INTO log(x) VALUES (x); SELECT 1';`;
const OPERATOR = `${NOTE} CREATE FUNCTION noted(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT note(a)';
  CREATE OPERATOR #> (LEFTARG = int, RIGHTARG = int, FUNCTION = noted);`;
const CAST = `${NOTE} CREATE TYPE mood AS (n int);
  CREATE FUNCTION mood(x int) RETURNS mood LANGUAGE sql AS 'SELECT note(x); SELECT ROW(x)::mood';
  CREATE CAST (int AS mood) WITH FUNCTION mood(int) AS ASSIGNMENT; CREATE TABLE moody(id int PRIMARY KEY, m mood);`;
const DOMAIN = `${NOTE} CREATE DOMAIN noted AS int CHECK (note(VALUE) = 1); CREATE TABLE d(id int PRIMARY KEY, n noted);`;

/** What calls a function that writes without naming it. */
const UNSEEN: readonly (readonly [sql: string, schema: string, reason: string])[] = [
  ['SELECT 1 #> 2', OPERATOR, 'the function noted behind the operator #>'],
  ['UPDATE t SET v = v #> 1 WHERE id = 1', OPERATOR, 'the function noted behind the operator #>'],
  ['SELECT 1::mood', CAST, 'the function mood behind "mood"'],
  ['INSERT INTO moody VALUES (1, 5)', CAST, 'the function mood behind "moody"'],
  ['SELECT 1::noted', DOMAIN, 'the function note behind "noted"'],
  ['INSERT INTO d VALUES (1, 5)', DOMAIN, 'the function note behind "d"'],
];

describePostgres('a function that writes', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  afterAll(() => bench.close());

  test.each(UNSEEN)(
    'is found where nothing names it, and refused by strict: %s',
    async (sql, schema, why) => {
      await bench.reset(schema);
      const strict = await bench.open({ strict: true });
      const before = await readPostgresTables(bench.outside);
      await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      expect(await readPostgresTables(bench.outside)).toEqual(before);
      await bench.run(sql);
      expect((await bench.events()).map(summary)).toContain(`opaque : ${why}, which may write rows`);
    },
  );

  test('is known within seconds where another session has replaced one that does not, or has made it', async () => {
    await bench.reset(`${NOTE} CREATE FUNCTION calm(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1';`);
    await bench.run('SELECT calm(1)');
    await bench.tells(() => bench.run('UPDATE t SET v = calm(v)'));
    await bench.outside.query(`CREATE OR REPLACE FUNCTION calm(x int) RETURNS int LANGUAGE sql AS 'SELECT note(x)';
      CREATE FUNCTION made(x int) RETURNS int LANGUAGE sql AS 'SELECT note(x)'`);
    const now = performance.now() + 6_000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    await bench.run('SELECT calm(2)');
    await bench.run('SELECT made(2)');
    await bench.run('UPDATE t SET v = calm(v) WHERE id = 1');
    expect((await bench.events()).map(summary).sort()).toEqual([
      'opaque : the function calm, which may write rows',
      'opaque : the function calm, which may write rows',
      'opaque : the function made, which may write rows',
      'update 1 v',
    ]);
  });

  // Up to PostgreSQL 17 the old row is carried in this setting.
  test.each([
    [
      'a trigger',
      `CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('indelible.old', replace(current_setting('indelible.old', true), '(1,', '(7,'), true); RETURN NEW; END $$;
      CREATE TRIGGER forges BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION forge();`,
      'UPDATE t SET v = 5 WHERE id = 1',
      'opaque t: the trigger forges of "t", which may write other rows',
    ],
    [
      'a function',
      `CREATE FUNCTION forge(x int) RETURNS int LANGUAGE sql AS
        $$ SELECT length(set_config('indelible.old', replace(current_setting('indelible.old', true), '(1,', '(7,'), true)) + x $$;`,
      'UPDATE t SET v = forge(5) WHERE id = 1',
      'opaque : the function forge, which may write rows',
    ],
  ])('or forges the old row is marked and refused by strict: %s', async (_, schema, sql, mark) => {
    await bench.reset(`${NOTE} ${schema}`);
    const strict = await bench.open({ strict: true });
    await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
    await bench.run(sql);
    expect((await bench.events()).map(summary)).toContain(mark);
  });

  test('that is called as a procedure is one event', async () => {
    await bench.reset(`${NOTE} CREATE PROCEDURE grow() LANGUAGE sql AS 'UPDATE t SET v = v + 1';`);
    await bench.same('CALL grow()');
    expect((await bench.events()).map(summary)).toEqual([
      'opaque : the function grow, which may write rows; a write by CALL',
    ]);
  });
});
