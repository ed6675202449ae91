import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const TABLE =
  'CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t VALUES (1,1),(2,2),(3,3); CREATE TABLE log(x int);';
const HARMLESS =
  "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";
const WRITING =
  "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (1); RETURN NEW; END';";

describePostgres('what another session has changed', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  test('is noticed where a name means another table now that stands before in the search path', async () => {
    await bench.reset(`${TABLE} CREATE SCHEMA first;`);
    const caller = await bench.open();
    await caller.run('SET search_path = first, public');
    await caller.run('UPDATE t SET v = 5 WHERE id = 1');
    await bench.outside.query(
      "CREATE TABLE first.t(v int, k text PRIMARY KEY); INSERT INTO first.t VALUES (1, 'a')",
    );
    await caller.run('UPDATE t SET v = 6');
    await bench.outside.query('CREATE TABLE first.log(x int PRIMARY KEY)');
    await caller.run('INSERT INTO log VALUES (1)');
    const events = await bench.events();
    expect(events.map(summary)).toEqual(['update 1 v', 'update a v', 'create 1']);
  });

  test('is noticed where a column has another name now that a statement would have asked for by the old one', async () => {
    await bench.reset(
      `CREATE TABLE w(id int PRIMARY KEY, n text, old int); INSERT INTO w VALUES (1, 'x', 1), (2, 'y', 2);`,
    );
    await bench.run("UPDATE w SET n = repeat('ab', 100000)");
    expect(await bench.events()).toHaveLength(2);
    await bench.outside.query('ALTER TABLE w RENAME COLUMN old TO renewed');
    await bench.run("UPDATE w SET n = repeat('cd', 100000), renewed = 3 WHERE id = 1");
    expect((await bench.events()).map(summary)).toEqual(['update 1 n,renewed']);
    await bench.outside.query('ALTER TABLE w DROP COLUMN renewed');
    await bench.run('DELETE FROM w');
    expect((await bench.events()).map(summary).sort()).toEqual(['delete 1', 'delete 2']);
    await expect(bench.run('UPDATE w SET renewed = 4')).rejects.toMatchObject({ code: '42703' });
  });

  test('does not fail a statement in a transaction of the caller for a name that only its form has', async () => {
    const wide =
      "CREATE TABLE w(id int PRIMARY KEY, n text, old text, kept text); INSERT INTO w VALUES (1, 'x', 'a', NULL);";
    const statements = [
      "UPDATE w SET n = 'small' WHERE id = 1",
      'UPDATE w SET n = DEFAULT',
      'WITH x AS (UPDATE w SET n = n RETURNING *) SELECT * FROM x',
      'WITH x AS (DELETE FROM w RETURNING *) INSERT INTO w SELECT * FROM x',
    ];
    for (const sql of statements) {
      for (const change of [
        'ALTER TABLE w RENAME old TO renewed',
        'ALTER TABLE w DROP old',
        'ALTER TABLE w ADD more int',
      ]) {
        await bench.reset(wide);
        await bench.run("UPDATE w SET n = repeat('ab', 100000)");
        await bench.plain.run("UPDATE w SET n = repeat('ab', 100000)");
        await bench.run("UPDATE w SET old = 'known', n = n");
        await bench.plain.run("UPDATE w SET old = 'known', n = n");
        await bench.run('BEGIN');
        await bench.plain.run('BEGIN');
        for (const client of [bench.outside, bench.plain.client]) await client.query(change);
        await bench.events();
        await bench.same(sql);
        await bench.same(sql);
        await bench.same('COMMIT');
        const events = await bench.events();
        expect(
          events.every((event) => event.change?.fidelity === 'exact'),
          `${sql} ${change}`,
        ).toBe(true);
      }
    }
  });

  test('is noticed where the function of a trigger writes now, and no more', async () => {
    await bench.reset(
      `${TABLE} ${HARMLESS} CREATE TRIGGER f BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();`,
    );
    await bench.tells(() => bench.run('UPDATE t SET v = 5'));
    await bench.outside.query(WRITING);
    const strict = await bench.open({ strict: true });
    await strict.run('INSERT INTO t VALUES (9)');
    await expect(strict.run('UPDATE t SET v = 4')).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
    await bench.events();
    await bench.run('BEGIN');
    await bench.run('UPDATE t SET v = 6 WHERE id = 1');
    await bench.run('COMMIT');
    const mark = 'opaque t: the trigger f of "t", which may write other rows';
    expect((await bench.events()).map(summary).sort()).toEqual([mark, 'update 1 v']);
    await bench.outside.query(HARMLESS);
    await bench.run('UPDATE t SET v = 8');
    await bench.tells(() => bench.run('UPDATE t SET v = 7'));
  });

  test('is noticed where a partition is new or has a trigger of its own now', async () => {
    await bench.reset(`CREATE TABLE p(id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE log(x int);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1, 1); ${WRITING}`);
    const mark = (name: string): string => `opaque p: the trigger ${name} of "p", which may write other rows`;
    await bench.tells(() => bench.run('UPDATE p SET v = 5'));
    await bench.outside.query('CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)');
    await bench.tells(() => bench.run('INSERT INTO p VALUES (11, 1), (2, 1)'));
    await bench.outside.query('CREATE TRIGGER own BEFORE UPDATE ON p2 FOR EACH ROW EXECUTE FUNCTION f()');
    await bench.run('UPDATE p SET v = 6 WHERE id = 11');
    expect((await bench.events()).map(summary).sort()).toEqual([mark('own'), 'update 11 v']);
    await bench.outside.query(`CREATE TABLE p3(id int PRIMARY KEY, v int);
      CREATE TRIGGER brought BEFORE INSERT ON p3 FOR EACH ROW EXECUTE FUNCTION f();
      ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (20) TO (30)`);
    await bench.run('INSERT INTO p VALUES (21, 1)');
    expect((await bench.events()).map(summary).sort()).toEqual(['create 21', mark('brought')]);
  });

  test('does not confuse a key that is checked late', async () => {
    await bench.reset(
      'CREATE TABLE a(id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, n int); INSERT INTO a VALUES (1,1),(2,2),(3,3);',
    );
    const mark =
      'opaque a: the key of "a", which is checked late: two rows stand under one, or rows have exchanged theirs';
    await bench.tells(() => bench.run('UPDATE a SET id = id + 10'));
    await bench.tells(() => bench.run('UPDATE a SET n = n + 1'));
    await bench.run('UPDATE a SET id = 23 - id WHERE id < 13');
    expect((await bench.events()).map(summary).sort()).toEqual([
      mark,
      'update 11 to 12 id',
      'update 12 to 11 id',
    ]);
    await bench.run('BEGIN');
    await bench.run('INSERT INTO a VALUES (13, 9)');
    await bench.run('DELETE FROM a WHERE n = 9');
    await bench.run('UPDATE a SET n = 10 WHERE id = 13');
    await bench.run('COMMIT');
    expect((await bench.events()).map(summary).sort()).toEqual([
      'create 13',
      'delete 13',
      mark,
      mark,
      'update 13 n',
    ]);
    // Two rows that are alike in all that they hold.
    await bench.run('BEGIN');
    await bench.run('INSERT INTO a VALUES (11, 10)');
    await bench.run('UPDATE a SET n = 12 WHERE ctid IN (SELECT ctid FROM a WHERE id = 11 LIMIT 1)');
    await bench.run('ROLLBACK');
    await bench.run('BEGIN');
    await bench.run('UPDATE a SET n = 1 WHERE id = 11');
    await bench.run('INSERT INTO a VALUES (11, 1)');
    await bench.run('DELETE FROM a WHERE id = 11 AND ctid <> (SELECT min(ctid) FROM a WHERE id = 11)');
    await bench.run('COMMIT');
    expect((await bench.events()).map(summary).filter((told) => told === mark).length).toBeGreaterThan(0);
    const strict = await bench.open({ strict: true });
    await expect(strict.run('UPDATE a SET id = 23 - id WHERE id < 13')).rejects.toMatchObject({
      code: 'AUDIT_NOT_EXACT',
    });
    await strict.run('UPDATE a SET n = 0');
    expect(await bench.events()).toHaveLength(3);
  });
});
