import { describe, expect, test } from 'vitest';
import { withBench } from './capture-bench.js';

function told(events: readonly { action: string; resource?: { id: string } | null }[]): string[] {
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('tables of every shape', () => {
  test('WITHOUT ROWID with a composite key whose parts change', () =>
    withBench(
      `CREATE TABLE t(a TEXT, b INTEGER, v INTEGER, PRIMARY KEY (b, a)) WITHOUT ROWID;
       INSERT INTO t VALUES ('x',1,1),('y',1,2),('x',2,3);`,
      async ({ tells, run }) => {
        const [event] = await tells(() => run("UPDATE t SET b = 7 WHERE a = 'y'"));
        expect(event?.resource?.id).toBe('{"a":"y","b":1}');
        expect(event?.details?.newResourceId).toBe('{"a":"y","b":7}');
        await tells(() => run("INSERT INTO t VALUES ('n', 1, 1) ON CONFLICT DO UPDATE SET v = 5"));
        await tells(() => run("INSERT INTO t VALUES ('x', 1, 1) ON CONFLICT DO UPDATE SET v = 5, a = 'q'"));
        await tells(() => run("REPLACE INTO t VALUES ('x', 2, 9)"));
        await tells(() => run('DELETE FROM t WHERE b < 5'));
      },
    ));

  test('a key that ignores case, changed in its case only', () =>
    withBench(
      `CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v INTEGER) WITHOUT ROWID; INSERT INTO t VALUES ('a',1),('b',2);`,
      async ({ tells, run }) => {
        const events = await tells(() => run('UPDATE t SET k = upper(k)'));
        expect(told(events)).toEqual(['t.updated a', 't.updated b']);
        await tells(() => run("UPDATE OR REPLACE t SET k = 'B' WHERE k = 'A'"));
      },
    ));

  test('keys that hold a NUL or differ in type only are keys of their own', () =>
    withBench(
      `CREATE TABLE t(k PRIMARY KEY, v INTEGER) WITHOUT ROWID;
       INSERT INTO t VALUES (CAST(x'610062' AS TEXT),1),(CAST(x'610063' AS TEXT),2),(1,3),('1',4),(x'31',5),(1.5,6);`,
      async ({ run, events }) => {
        await run('UPDATE t SET v = v + 10');
        expect(events().map((event) => [event.change?.before?.v, event.change?.after?.v])).toEqual(
          [3, 6, 4, 1, 2, 5].map((v) => [v, v + 10]),
        );
        await run("UPDATE t SET v = 0 WHERE k = '1'");
        expect(events()).toHaveLength(7);
      },
    ));

  test('columns that are named as the aliases of the rowid', () =>
    withBench(
      `CREATE TABLE one(rowid TEXT, id INTEGER PRIMARY KEY); CREATE TABLE two(rowid TEXT, oid TEXT, k TEXT PRIMARY KEY);
       CREATE TABLE all_of(rowid INTEGER, oid INTEGER, _rowid_ INTEGER, k TEXT NOT NULL PRIMARY KEY);
       CREATE TABLE itself(rowid INTEGER PRIMARY KEY, oid TEXT, _rowid_ TEXT);`,
      async ({ tells, run }) => {
        await tells(async () => {
          await run("INSERT INTO one VALUES ('x', 5),('y', 6)");
          await run("UPDATE one SET rowid = 'z', id = id + 10 WHERE id = 5");
          await run("INSERT INTO two VALUES ('x', 'y', 'k'),('x','y','l')");
          await run("UPDATE two SET oid = 'q', k = 'm' WHERE k = 'k'");
          await run("INSERT INTO all_of VALUES (1,1,1,'a'),(1,1,1,'b')");
          await run('UPDATE all_of SET k = k || k, rowid = 2');
          await run("INSERT INTO itself VALUES (NULL,'o','r'),(NULL,'o','r')");
          await run("UPDATE itself SET rowid = rowid + 5, oid = 'p'");
          await run('DELETE FROM all_of');
        });
      },
    ));

  test('a table whose rows can not be told apart is marked, and refused under strict', async () => {
    const schema = 'CREATE TABLE t(rowid, oid, _rowid_, k TEXT PRIMARY KEY);';
    await withBench(schema, async ({ run, events }) => {
      await run('INSERT INTO t(k) VALUES (NULL)');
      expect(events().map((event) => event.change?.fidelity)).toEqual(['opaque']);
    });
  });

  test('generated columns, virtual and stored, appear with what was computed', () =>
    withBench(
      `CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, v INTEGER AS (a * 2), s TEXT AS ('s' || a) STORED) STRICT;
       INSERT INTO t(id, a) VALUES (1, 1);`,
      async ({ tells, run }) => {
        const [event] = await tells(() => run('UPDATE t SET a = 5'));
        expect(event?.change?.fields).toEqual(['a', 'v', 's']);
        await tells(() => run('INSERT INTO t(a) VALUES (8)'));
        await tells(() => run('DELETE FROM t'));
      },
    ));

  test('a generated column that other rows refer to', () =>
    withBench(
      `CREATE TABLE p(id INTEGER PRIMARY KEY, a INTEGER, g INTEGER AS (a * 2) STORED UNIQUE);
       CREATE TABLE c(id INTEGER PRIMARY KEY, g INTEGER REFERENCES p(g) ON UPDATE CASCADE ON DELETE SET NULL);
       INSERT INTO p(id, a) VALUES (1, 1); INSERT INTO c VALUES (1, 2),(2, 2);`,
      async ({ tells, run }) => {
        expect(told(await tells(() => run('UPDATE p SET a = 4'))).sort()).toEqual([
          'c.updated 1',
          'c.updated 2',
          'p.updated 1',
        ]);
        await tells(() => run('DELETE FROM p'));
      },
    ));

  test('no primary key: rows are told by where they stand, marked, and refused under strict', async () => {
    const schema = 'CREATE TABLE t(a INTEGER, password TEXT);';
    await withBench(schema, async ({ tells, run, events }) => {
      await tells(() => run("INSERT INTO t VALUES (1,'hunter2'),(2,'hunter3')"));
      await tells(() => run("UPDATE t SET a = 3, password = 'hunter4' WHERE a = 1"));
      await tells(() => run('DELETE FROM t WHERE a = 2'));
      expect(events().every((event) => event.tags?.includes('no-primary-key'))).toBe(true);
      expect(JSON.stringify(events())).not.toContain('hunter');
    });
    await withBench(
      `${schema} CREATE TABLE link(a INTEGER NOT NULL, b INTEGER NOT NULL); CREATE UNIQUE INDEX both ON link(b, a);`,
      async ({ run, outside, events }) => {
        await expect(run("INSERT INTO t VALUES (1,'x')")).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
        expect(outside.prepare('SELECT count(*) FROM t').raw().get()).toEqual([0]);
        await run('INSERT INTO link VALUES (1, 2)');
        expect(events().map((event) => event.resource?.id)).toEqual(['{"a":1,"b":2}']);
      },
      { strict: true },
    );
  });

  test('sixty columns, and two hundred', async () => {
    for (const count of [60, 200]) {
      const columns = Array.from({ length: count }, (_, n) => `c${n}`);
      await withBench(
        `CREATE TABLE t(id INTEGER PRIMARY KEY, ${columns.map((name) => `${name} TEXT DEFAULT '${name}'`).join(', ')});
         INSERT INTO t(id) VALUES (1),(2);`,
        async ({ tells, run }) => {
          const last = columns.at(-1) ?? '';
          const [event] = await tells(() => run(`UPDATE t SET ${last} = 'new' WHERE id = 1`));
          expect(event?.change?.after).toEqual({ [last]: 'new' });
          await tells(() => run('DELETE FROM t WHERE id = 2'));
        },
      );
    }
  });

  test('names with quotes, spaces, accents and reserved words', () =>
    withBench(
      `CREATE TABLE "we""ird 'table'; -- x"("a""b" INTEGER PRIMARY KEY, [c d] TEXT, \`e\`\`f\` TEXT, "select" TEXT, "ü" TEXT);
       CREATE TABLE ä(id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE Ä(id INTEGER PRIMARY KEY, v TEXT);
       CREATE TABLE "order"(id INTEGER PRIMARY KEY, "group" TEXT); CREATE TABLE k(id INTEGER PRIMARY KEY); CREATE TABLE "\u212a"(id INTEGER PRIMARY KEY);
       CREATE TABLE a\u00a0b(id INTEGER PRIMARY KEY);`,
      async ({ tells, run }) => {
        await tells(async () => {
          await run(`INSERT INTO "we""ird 'table'; -- x" VALUES (1, 'x', 'y', 'z', 'ü')`);
          await run(`UPDATE "we""ird 'table'; -- x" SET "select" = 'q', [c d] = "ü", "a""b" = 2`);
          await run("INSERT INTO ä VALUES (1,'small')");
          await run("INSERT INTO Ä VALUES (1,'large')");
          await run("UPDATE Ä SET v = 'larger'");
          await run("UPDATE ä SET v = 'smaller'");
          await run(`INSERT INTO 'order' VALUES (1,'g')`);
          await expect(run('UPDATE nowhere SET x = 1')).rejects.toThrow(/no such table/);
          await run('UPDATE "ORDER" SET "GROUP" = \'h\'');
          await run('INSERT INTO K VALUES (5)');
          await run('INSERT INTO "\u212a" VALUES (6)');
          await run('INSERT INTO a\u00a0b VALUES (7)');
        });
      },
    ));

  test('a temporary table of the caller that hides one of the database is not audited', () =>
    withBench('CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);', async ({ tells, run, events }) => {
      await run("INSERT INTO t VALUES (1,'main')");
      await run('CREATE TEMP TABLE t(id INTEGER PRIMARY KEY, v TEXT, more TEXT)');
      const hidden = await tells(async () => {
        await run("INSERT INTO t VALUES (1,'temp','x')");
        await run("UPDATE t SET v = 'changed'");
        await run('DELETE FROM temp.t');
      });
      expect(hidden).toEqual([]);
      expect(told(await tells(() => run("UPDATE main.t SET v = 'changed'")))).toEqual(['t.updated 1']);
      expect(events()).toHaveLength(2);
    }));

  test('a temporary table that was there first does not lend its columns to the one that it hides', () =>
    withBench('CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);', async ({ tells, run }) => {
      await run('CREATE TEMP TABLE t(other TEXT, more TEXT)');
      const [event] = await tells(() => run("INSERT INTO main.t VALUES (1,'main')"));
      expect(event?.change?.after).toEqual({ id: 1, v: 'main' });
    }));

  test('a virtual table is marked and refused under strict', async () => {
    const schema = 'CREATE VIRTUAL TABLE f USING fts5(a); CREATE TABLE t(id INTEGER PRIMARY KEY);';
    await withBench(schema, async ({ run, events }) => {
      await run("INSERT INTO f VALUES ('the words')");
      const [event] = events();
      expect([event?.action, event?.change?.fidelity]).toEqual(['f.executed', 'opaque']);
      expect(JSON.stringify(event)).not.toContain('the words');
    });
    await withBench(
      schema,
      async ({ run }) => {
        await expect(run("INSERT INTO f VALUES ('x')")).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
        expect(await run('SELECT count(*) FROM f')).toEqual([['0']]);
        await run('INSERT INTO t VALUES (1)');
      },
      { strict: true },
    );
  });

  test('a database that is attached is marked, also where its table has the name of one of ours', () =>
    withBench('CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);', async ({ run, events, directory }) => {
      await run("UPDATE t SET v = 'nothing'");
      await run(`ATTACH '${directory}/other.db' AS other`);
      await run('CREATE TABLE other.t(id INTEGER PRIMARY KEY, v TEXT)');
      await run('CREATE TABLE other.only(id INTEGER PRIMARY KEY, v TEXT)');
      await run("INSERT INTO other.only VALUES (1, 'x')");
      await run("INSERT INTO other.t VALUES (1, 'x')");
      await run("INSERT INTO only VALUES (2, 'x')");
      expect(events().map((event) => event.change?.fidelity)).toEqual(['opaque', 'opaque', 'opaque']);
    }));

  test('text that is no UTF-8 is kept by its bytes, and nothing breaks', () =>
    withBench(
      `CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT));
       CREATE TABLE k(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO k VALUES (CAST(x'ff' AS TEXT), 1);`,
      async ({ run, events }) => {
        await run("UPDATE t SET v = CAST(x'61fe62' AS TEXT)");
        expect(events().map((event) => [event.change?.before, event.change?.after])).toEqual([
          [{ v: 'Yf9i' }, { v: 'Yf5i' }],
        ]);
        await run('UPDATE k SET v = 2');
        expect(events()).toHaveLength(2);
      },
    ));
});
