import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import type { PgCaller } from './pg-caller.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { readPostgresTables } from './read-postgres-tables.js';
import { summary } from './summary.js';

const TABLE = 'CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t VALUES (1,1),(2,2),(3,3);';
const FUNCTION = `CREATE TABLE log(id serial PRIMARY KEY, x int);
  CREATE FUNCTION note(x int) RETURNS int LANGUAGE sql AS 'INSERT INTO log(x) VALUES (x); SELECT 1';
  CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log(x) VALUES (1); RETURN NULL; END';`;

/** What is not exact, by the statement: what it needs, and what its mark says. */
const INEXACT: readonly (readonly [sql: string, schema: string, mark: string])[] = [
  [
    'WITH gone AS (DELETE FROM t WHERE id = 1 RETURNING id + 1) SELECT * FROM gone',
    '',
    'opaque t: a query of WITH that returns columns whose names its text does not tell',
  ],
  ['UPDATE t SET v = 9; TRUNCATE t', '', 'opaque : several statements in one string'],
  ['EXPLAIN ANALYZE DELETE FROM t', '', 'opaque : a write by EXPLAIN'],
  ['DO $$ BEGIN UPDATE t SET v = 77; END $$', '', 'opaque : a write by DO'],
  ['UPDATE w SET v = 5', 'CREATE VIEW w AS SELECT v FROM t;', 'opaque w: the view "w"'],
  [
    'DELETE FROM t',
    'CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING;',
    'opaque t: the rule keep of "t"',
  ],
  ['SELECT note(5)', FUNCTION, 'opaque : the function note, which may write rows'],
  ['UPDATE t SET v = note(6)', FUNCTION, 'opaque : the function note, which may write rows'],
  [
    'DELETE FROM t',
    `${FUNCTION} CREATE TRIGGER copy AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION copy();`,
    'opaque t: the trigger copy of "t", which may write other rows',
  ],
  [
    'UPDATE t SET v = 5',
    'CREATE TABLE u(extra text) INHERITS (t);',
    'opaque t: "t", from which other tables inherit',
  ],
];

describePostgres('what is not exact', (server) => {
  let bench: PostgresBench;
  let strict: PgCaller;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  test.each(INEXACT)(
    'is marked, and refused by strict before anything is written: %s',
    async (sql, schema, mark) => {
      await bench.reset(`${TABLE} ${schema}`);
      strict = await bench.open({ strict: true });
      const before = await readPostgresTables(bench.outside);
      await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      await strict.run('BEGIN');
      await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      await strict.run('COMMIT');
      expect(await readPostgresTables(bench.outside)).toEqual(before);
      expect(await bench.events()).toEqual([]);
      await bench.run(sql);
      expect((await bench.events()).map(summary)).toContain(mark);
    },
  );

  test('a statement that was prepared before is marked when it is executed', async () => {
    await bench.reset(TABLE);
    await bench.same('PREPARE up(int) AS UPDATE t SET v = $1 WHERE id = 1');
    await bench.same('EXECUTE up(8)');
    expect((await bench.events()).map(summary)).toEqual(['opaque : a write by EXECUTE']);
  });

  test('a table without a key is recorded and marked, and strict refuses it', async () => {
    await bench.reset("CREATE TABLE n(a int, b text); INSERT INTO n VALUES (1,'a'),(1,'a');");
    strict = await bench.open({ strict: true });
    await expect(strict.run("UPDATE n SET b = 'z'")).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
    await bench.same("UPDATE n SET b = 'z'");
    const events = await bench.events();
    expect(events.map(({ change }) => [change?.before, change?.after])).toEqual([
      [{ b: 'a' }, { b: 'z' }],
      [{ b: 'a' }, { b: 'z' }],
    ]);
    expect(events.every(({ tags }) => tags?.includes('no-primary-key'))).toBe(true);
  });

  test('MERGE is exact on PostgreSQL 18, and marked before', async () => {
    await bench.reset(`${TABLE} CREATE TABLE s(id int, v int); INSERT INTO s VALUES (1,10),(2,20),(9,90);`);
    const merge = `MERGE INTO t USING s ON s.id = t.id WHEN MATCHED AND s.v > 15 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
      WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)`;
    await bench.same(merge);
    expect((await bench.events()).map(summary)).toEqual(
      bench.version < 18 ? ['opaque t: a MERGE into "t"'] : ['update 1 v', 'delete 2', 'create 9'],
    );
  });

  test('more rows than are imaged are counted', async () => {
    await bench.reset('CREATE TABLE t(id int PRIMARY KEY, v int);');
    const few = await bench.open({ maxRows: 10 });
    await few.run('INSERT INTO t SELECT n, n FROM generate_series(1, 10) n');
    expect(await bench.events()).toHaveLength(10);
    await few.run('INSERT INTO t SELECT n, n FROM generate_series(11, 21) n');
    const [event, ...more] = await bench.events();
    expect(more).toEqual([]);
    expect(event?.change?.fidelity).toBe('count-only');
    expect(event?.details?.rows).toBe(11);
    await bench.run('UPDATE t SET v = v + 1');
    expect(await bench.events()).toHaveLength(21);
  });
});
