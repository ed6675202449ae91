import { describe, expect, test } from 'vitest';
import { withBench } from './capture-bench.js';

const TREE = `CREATE TABLE e(id INTEGER PRIMARY KEY, q INTEGER REFERENCES e(id) ON UPDATE CASCADE ON DELETE CASCADE, v INTEGER);
  INSERT INTO e VALUES (1,1,1),(2,NULL,2),(3,2,3),(4,3,4);`;

function told(events: readonly { action: string; resource?: { id: string } | null }[]): string[] {
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('keys and foreign keys', () => {
  test('a row that refers to itself and changes its key', () =>
    withBench(TREE, async ({ tells, run }) => {
      const events = await tells(() => run('UPDATE e SET id = 9 WHERE id = 1'));
      expect(told(events)).toEqual(['e.updated 1']);
      expect(events[0]?.change?.after).toEqual({ id: 9, q: 9 });
    }));

  test('keys that change along a chain of references', () =>
    withBench(TREE, async ({ tells, run }) => {
      await tells(() => run('UPDATE e SET id = id + 10'));
      await tells(() => run('UPDATE e SET id = -id, v = v + 1 WHERE id > 11'));
      await tells(() => run('DELETE FROM e WHERE v = 3'));
    }));

  test('OR REPLACE that deletes, by a cascade, the row that is moving', () =>
    withBench(TREE, async ({ tells, run }) => {
      await tells(() => run('UPDATE OR REPLACE e SET id = 1 WHERE id IN (1, 2, 3)').catch(() => undefined));
      await tells(() => run('UPDATE OR REPLACE e SET id = 2').catch(() => undefined));
    }));

  test('OR REPLACE of rows some of which a trigger keeps where they are', () =>
    withBench(
      `${TREE} CREATE TRIGGER hold BEFORE UPDATE ON e WHEN OLD.v = 2 BEGIN SELECT RAISE(IGNORE); END;`,
      async ({ tells, run }) => {
        await tells(() => run('UPDATE OR REPLACE e SET id = 3 WHERE id <> 4'));
      },
    ));

  test('OR REPLACE that clears, by SET NULL, the reference of the row that is moving', () =>
    withBench(
      `CREATE TABLE c(id INTEGER PRIMARY KEY, q INTEGER REFERENCES c(id) ON UPDATE CASCADE ON DELETE SET NULL, v INTEGER);
       INSERT INTO c VALUES (1,NULL,1),(2,1,2),(3,2,3),(4,4,4);`,
      async ({ tells, run }) => {
        await tells(() => run('UPDATE OR REPLACE c SET id = 1 WHERE id <> 1'));
      },
    ));

  test('rows whose key is NULL are known by their place, and say that they have none', () =>
    withBench(
      "CREATE TABLE s(id TEXT PRIMARY KEY, v INTEGER); INSERT INTO s(id, v) VALUES ('a',1),('b',2),(NULL,3);",
      async ({ tells, run }) => {
        const lost = await tells(() => run("UPDATE s SET id = NULL WHERE id = 'a'"));
        expect(told(lost)).toEqual(['s.updated a']);
        expect(lost[0]?.details).toEqual({ newResourceId: 'row:1' });
        const events = await tells(() => run('UPDATE s SET v = v + 10'));
        expect(told(events)).toEqual(['s.updated row:1', 's.updated b', 's.updated row:3']);
        expect(events.map(({ tags }) => tags)).toEqual([['no-primary-key'], undefined, ['no-primary-key']]);
        const found = await tells(() => run("UPDATE s SET id = 'c' WHERE v = 13"));
        expect(found[0]?.details).toEqual({ newResourceId: 'c' });
        expect(told(await tells(() => run('DELETE FROM s WHERE id IS NULL')))).toEqual(['s.deleted row:1']);
      },
    ));

  test('cyclic cascades', () =>
    withBench(
      `CREATE TABLE a(id INTEGER PRIMARY KEY, b INTEGER REFERENCES b(id) ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED);
       CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);
       BEGIN; INSERT INTO a VALUES (1, 1), (2, 1); INSERT INTO b VALUES (1, 2), (2, 1); COMMIT;`,
      async ({ tells, run }) => {
        await tells(() => run('UPDATE a SET id = id + 5'));
        await tells(() => run('DELETE FROM a WHERE id = 6'));
      },
    ));

  test('SET DEFAULT, and a parent key that is not the primary key', () =>
    withBench(
      `CREATE TABLE p(id INTEGER PRIMARY KEY, k TEXT UNIQUE);
       CREATE TABLE c(id INTEGER PRIMARY KEY, k TEXT DEFAULT 'none' REFERENCES p(k) ON DELETE SET DEFAULT ON UPDATE CASCADE);
       INSERT INTO p VALUES (0,'none'),(1,'x'); INSERT INTO c VALUES (1,'x'),(2,'x');`,
      async ({ tells, run }) => {
        expect(
          told(await tells(() => run("UPDATE p SET k = 'y' WHERE k IS NOT DISTINCT FROM 'x'"))).sort(),
        ).toEqual(['c.updated 1', 'c.updated 2', 'p.updated 1']);
        await tells(() => run('DELETE FROM p WHERE id = 1'));
        const sql = "UPDATE p SET id = id IS DISTINCT FROM 7, k = 'renamed'";
        await run("INSERT INTO c(id, k) VALUES (7, 'none')");
        expect(told(await tells(() => run(sql))).sort()).toEqual([
          'c.updated 1',
          'c.updated 2',
          'c.updated 7',
          'p.updated 0',
        ]);
      },
    ));

  test('a deferred foreign key that is violated at COMMIT undoes the write and its event', () =>
    withBench(
      `CREATE TABLE p(id INTEGER PRIMARY KEY);
       CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);`,
      async ({ tells, run, events }) => {
        expect(
          await tells(() => expect(run('INSERT INTO c VALUES (1, 5)')).rejects.toThrow(/FOREIGN KEY/)),
        ).toEqual([]);
        await run('BEGIN');
        await run('INSERT INTO c VALUES (1, 5)');
        await expect(run('COMMIT')).rejects.toThrow(/FOREIGN KEY/);
        expect(events()).toEqual([]);
        await run('INSERT INTO p VALUES (5)');
        await run('COMMIT');
        expect(told(events())).toEqual(['c.created 1', 'p.created 5']);
      },
    ));

  test('with foreign_keys off nothing cascades, and nothing is told of it', () =>
    withBench(TREE, async ({ tells, run }) => {
      await run('PRAGMA foreign_keys = 0');
      expect(told(await tells(() => run('DELETE FROM e WHERE id = 2')))).toEqual(['e.deleted 2']);
      expect(told(await tells(() => run('UPDATE e SET id = 30 WHERE id = 3')))).toEqual(['e.updated 3']);
    }));

  test('an excluded table records nothing and still leads to the others', async () => {
    const schema = `CREATE TABLE a(id INTEGER PRIMARY KEY);
      CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id) ON DELETE CASCADE, secret TEXT);
      CREATE TABLE c(id INTEGER PRIMARY KEY, b INTEGER REFERENCES b(id) ON DELETE CASCADE);
      INSERT INTO a VALUES (1),(2); INSERT INTO b VALUES (1,1,'hidden'),(2,2,'hidden'); INSERT INTO c VALUES (1,1),(2,2);`;
    const work = async (bench: Parameters<Parameters<typeof withBench>[1]>[0]): Promise<string[]> => {
      await bench.run('DELETE FROM a WHERE id = 1');
      await bench.run('DELETE FROM b WHERE id = 2');
      expect(JSON.stringify(bench.events())).not.toContain('hidden');
      return told(bench.events());
    };
    await withBench(
      schema,
      async (bench) => expect(await work(bench)).toEqual(['a.deleted 1', 'c.deleted 1', 'c.deleted 2']),
      {
        exclude: ['b'],
      },
    );
    await withBench(
      schema,
      async (bench) => expect(await work(bench)).toEqual(['c.deleted 1', 'c.deleted 2']),
      { only: ['c'] },
    );
  });

  test('INSERT … SELECT, UPDATE … FROM, subqueries, CTEs and RETURNING', () =>
    withBench(TREE, async ({ tells, run }) => {
      expect(await run('INSERT INTO e SELECT id + 20, NULL, v FROM e RETURNING id')).toEqual([
        ['21'],
        ['22'],
        ['23'],
        ['24'],
      ]);
      await tells(() => run('UPDATE e SET v = o.n FROM (SELECT max(v) AS n FROM e) AS o WHERE e.id > 20'));
      await tells(() => run('DELETE FROM e WHERE id IN (SELECT max(id) FROM e)'));
      await tells(() =>
        run(
          'WITH RECURSIVE r(n) AS (VALUES (50) UNION ALL SELECT n + 1 FROM r WHERE n < 55) INSERT INTO e SELECT n, NULL, n FROM r',
        ),
      );
      await tells(() => run('WITH q AS (SELECT id FROM e WHERE id > 52) UPDATE e SET v = 0 WHERE id IN q'));
      await tells(() => run('/* first */ ; -- second\n DELETE FROM e WHERE id > 53 RETURNING *'));
    }));
});
