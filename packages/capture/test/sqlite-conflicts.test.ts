import { describe, expect, test } from 'vitest';
import { withBench } from './capture-bench.js';

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INTEGER);
  INSERT INTO t VALUES (1,'a',1),(2,'b',2),(3,'c',3);`;

function told(events: readonly { action: string; resource?: { id: string } | null }[]): string[] {
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('conflict clauses', () => {
  test('REPLACE INTO a row that exists is a delete and a create', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const events = await tells(() => run("REPLACE INTO t VALUES (2,'z',9)"));
      expect(told(events)).toEqual(['t.deleted 2', 't.created 2']);
    }));

  test('INSERT OR REPLACE that hits two rows by two keys deletes both', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const events = await tells(() => run("INSERT OR REPLACE INTO t VALUES (1,'b',9)"));
      expect(told(events).sort()).toEqual(['t.created 1', 't.deleted 1', 't.deleted 2']);
    }));

  test('UPDATE OR REPLACE that moves a row onto another one deletes that one', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const events = await tells(() => run('UPDATE OR REPLACE t SET id = 2 WHERE id = 1'));
      expect(told(events).sort()).toEqual(['t.deleted 2', 't.updated 1']);
    }));

  test('UPDATE OR REPLACE that moves every row onto its neighbour', () =>
    withBench(ROWS, async ({ tells, run }) => {
      await tells(() => run('UPDATE OR REPLACE t SET id = id + 1'));
    }));

  test('UPDATE OR IGNORE with key changes that mostly do not happen', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const events = await tells(() => run('UPDATE OR IGNORE t SET id = id + 1'));
      expect(told(events)).toEqual(['t.updated 3']);
    }));

  test('UPDATE OR IGNORE that moves a later row to where an earlier one could not go', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const sql = "UPDATE OR IGNORE t SET id = 9, u = CASE id WHEN 1 THEN 'c' ELSE 'free' END WHERE id < 3";
      expect(told(await tells(() => run(sql)))).toEqual(['t.updated 2']);
    }));

  test('a swap of keys by way of a third one', () =>
    withBench(ROWS, async ({ tells, transaction, run }) => {
      await tells(() =>
        transaction(async (inside) => {
          await inside('UPDATE t SET id = -1 WHERE id = 1');
          await inside('UPDATE t SET id = 1 WHERE id = 2');
          await inside('UPDATE t SET id = 2 WHERE id = -1');
        }),
      );
      await tells(() => run('UPDATE t SET id = -id'));
    }));

  test('UPDATE OR FAIL keeps what it did before it failed, and that is told', () =>
    withBench(ROWS, async ({ tells, run, outside }) => {
      const events = await tells(() =>
        expect(
          run("UPDATE OR FAIL t SET u = CASE id WHEN 1 THEN 'new' ELSE 'c' END WHERE id < 3"),
        ).rejects.toThrow(/UNIQUE/),
      );
      expect(told(events)).toEqual(['t.updated 1']);
      expect(outside.prepare('SELECT u FROM t WHERE id = 1').raw().all()).toEqual([['new']]);
    }));

  test('INSERT OR FAIL inside a transaction keeps the rows before the failing one', () =>
    withBench(ROWS, async ({ tells, transaction }) => {
      const events = await tells(() =>
        transaction(async (run) => {
          await expect(run("INSERT OR FAIL INTO t VALUES (7,'x',1),(8,'a',1)")).rejects.toThrow(/UNIQUE/);
        }),
      );
      expect(told(events)).toEqual(['t.created 7']);
    }));

  test('a statement that fails leaves no event, and the next one none of it', () =>
    withBench(ROWS, async ({ tells, transaction }) => {
      const events = await tells(() =>
        transaction(async (run) => {
          await expect(run("INSERT INTO t VALUES (7,'x',1),(8,'a',1)")).rejects.toThrow(/UNIQUE/);
          await run('UPDATE t SET v = 5 WHERE id = 3');
        }),
      );
      expect(told(events)).toEqual(['t.updated 3']);
    }));

  test('upserts with several conflict targets', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const upsert = (values: string): Promise<unknown> =>
        run(
          `INSERT INTO t VALUES ${values} ON CONFLICT(id) DO UPDATE SET v = excluded.v + 100
           ON CONFLICT(u) DO UPDATE SET id = 50, v = v + 1 ON CONFLICT DO NOTHING`,
        );
      expect(told(await tells(() => upsert("(1,'n',7),(10,'b',1),(11,'m',1)")))).toEqual([
        't.updated 1',
        't.updated 2',
        't.created 11',
      ]);
    }));

  test('a constraint that replaces by itself', () =>
    withBench(
      `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE ON /**/ CONFLICT REPLACE);
       INSERT INTO t VALUES (1,'a'),(2,'b');`,
      async ({ tells, run }) => {
        const events = await tells(() => run("UPDATE t SET u = 'b' WHERE id = 1"));
        expect(told(events).sort()).toEqual(['t.deleted 2', 't.updated 1']);
      },
    ));

  test('recursive_triggers stays as the caller set it', () =>
    withBench(ROWS, async ({ run }) => {
      for (const setting of ['0', '1']) {
        await run(`PRAGMA recursive_triggers = ${setting}`);
        await run("REPLACE INTO t VALUES (2,'z',9)");
        await run("UPDATE t SET u = replace(u, 'z', 'y')");
        await expect(run("REPLACE INTO t VALUES (2, 'z', 9, 9)")).rejects.toThrow();
        await expect(run("INSERT OR ROLLBACK INTO t SELECT 3, replace('a','a','q'), 1")).rejects.toThrow();
        expect(await run('PRAGMA recursive_triggers')).toEqual([[setting]]);
      }
    }));

  test('what was noted for REPLACE is not taken for the work of the statement after it', () =>
    withBench(
      `CREATE TABLE w(id TEXT, u INTEGER, v INTEGER, PRIMARY KEY (u, id)) WITHOUT ROWID;
       INSERT INTO w VALUES ('a',1,1),('b',1,2);`,
      async ({ tells, run }) => {
        await run("UPDATE OR REPLACE w SET id = 'c' WHERE v = 7");
        await run("REPLACE INTO w VALUES ('c', 1, 1)");
        const events = await tells(() =>
          expect(run('UPDATE OR FAIL w SET id = 5')).rejects.toThrow(/UNIQUE/),
        );
        expect(events).toHaveLength(1);
        await tells(() => expect(run("REPLACE INTO w VALUES ('d', 1)")).rejects.toThrow());
        expect(await tells(() => run("REPLACE INTO w SELECT 'e', 1, 1 WHERE 0"))).toEqual([]);
      },
    ));

  test('triggers that were made for REPLACE note nothing for the statements after it', () =>
    withBench(ROWS, async ({ tells, run }) => {
      await run('UPDATE OR REPLACE t SET id = 1 WHERE id > 3');
      await run("REPLACE INTO t VALUES (4, 'd', 4)");
      await tells(() => run('UPDATE OR IGNORE t SET id = id + 1, v = v + 10'));
      await tells(() => run("INSERT OR IGNORE INTO t VALUES (1, 'b', 9), (9, 'c', 9), (10, 'n', 9)"));
    }));

  test('a row that takes the key of another is told after that one is gone, also where the key is not the rowid', () =>
    withBench(
      "CREATE TABLE s(id TEXT PRIMARY KEY, v INTEGER); INSERT INTO s VALUES ('a',1),('b',2),('1',3);",
      async ({ tells, run }) => {
        expect(told(await tells(() => run('UPDATE OR REPLACE s SET id = rowid WHERE v = 1')))).toEqual([
          's.deleted 1',
          's.updated a',
        ]);
      },
    ));
});
