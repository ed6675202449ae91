import { describe, expect, test } from 'vitest';
import { withBench, withoutCapture } from './capture-bench.js';

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INTEGER, touched INTEGER DEFAULT 0);
  CREATE TABLE log(n INTEGER PRIMARY KEY, what TEXT, of INTEGER);
  INSERT INTO t(id,u,v) VALUES (1,'a',1),(2,'b',2),(3,'c',3);`;

function told(events: readonly { action: string; resource?: { id: string } | null }[]): string[] {
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('triggers of the application', () => {
  test('one that edits the same row after an update makes one change of it', () =>
    withBench(
      `${ROWS} CREATE TRIGGER stamp AFTER UPDATE OF v ON t BEGIN UPDATE t SET touched = touched + 1 WHERE id = NEW.id; END;`,
      async ({ tells, run }) => {
        const events = await tells(() => run('UPDATE t SET v = 9 WHERE id < 3'));
        expect(told(events)).toEqual(['t.updated 1', 't.updated 2']);
        expect(events[0]?.change?.fields).toEqual(['v', 'touched']);
      },
    ));

  test('one that edits the row that was just inserted makes one creation of it', () =>
    withBench(
      `${ROWS} CREATE TRIGGER stamp AFTER INSERT ON t BEGIN UPDATE t SET touched = 7 WHERE id = NEW.id; END;`,
      async ({ tells, run }) => {
        const events = await tells(() => run("INSERT INTO t(u) VALUES ('n'),('m')"));
        expect(told(events)).toEqual(['t.created 4', 't.created 5']);
        expect(events[0]?.change?.after?.touched).toBe(7);
      },
    ));

  test('a temporary one of the caller that edits what was just inserted', () =>
    withBench(ROWS, async ({ tells, run }) => {
      await run(
        'CREATE TEMP TRIGGER stamp AFTER INSERT ON t BEGIN UPDATE t SET touched = 7 WHERE id = NEW.id; END',
      );
      const events = await tells(() => run("INSERT INTO t(u) VALUES ('n')"));
      expect(told(events)).toEqual(['t.created 4']);
    }));

  test('one that deletes the row that was just inserted leaves nothing to tell', () =>
    withBench(
      `${ROWS} CREATE TRIGGER away AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = NEW.id; END;`,
      async ({ tells, run }) => {
        expect(await tells(() => run("INSERT INTO t(u) VALUES ('n')"))).toEqual([]);
      },
    ));

  test('ones that write to other tables, and triggers of those', () =>
    withBench(
      `${ROWS} CREATE TRIGGER noted AFTER UPDATE ON t BEGIN INSERT INTO log(what, of) VALUES ('t', NEW.id); END;
       CREATE TRIGGER again AFTER INSERT ON log WHEN NEW.of = 2 BEGIN DELETE FROM t WHERE id = 3; END;`,
      async ({ tells, run }) => {
        const events = await tells(() => run('UPDATE t SET v = v + 10 WHERE id < 3'));
        expect(told(events).sort()).toEqual([
          'log.created 1',
          'log.created 2',
          't.deleted 3',
          't.updated 1',
          't.updated 2',
        ]);
      },
    ));

  test('RAISE(IGNORE) keeps rows as they were, and they are not told', () =>
    withBench(
      `${ROWS} CREATE TRIGGER keep BEFORE DELETE ON t WHEN OLD.id = 2 BEGIN SELECT RAISE(IGNORE); END;
       CREATE TRIGGER hold BEFORE UPDATE ON t WHEN OLD.id = 1 BEGIN SELECT RAISE(IGNORE); END;
       CREATE TRIGGER refuse BEFORE INSERT ON t WHEN NEW.u = 'x' BEGIN SELECT RAISE(IGNORE); END;`,
      async ({ tells, run }) => {
        expect(told(await tells(() => run('UPDATE t SET v = v + 1, id = id + 10')))).toEqual([
          't.updated 2',
          't.updated 3',
        ]);
        expect(told(await tells(() => run("INSERT INTO t(u) VALUES ('x'),('y')")))).toEqual(['t.created 14']);
        await run('UPDATE t SET id = 2 WHERE id = 12');
        expect(told(await tells(() => run('DELETE FROM t')))).toEqual([
          't.deleted 1',
          't.deleted 13',
          't.deleted 14',
        ]);
      },
    ));

  test('RAISE(FAIL) keeps what was done before it, inside a transaction and outside', () => {
    const schema = `${ROWS} CREATE TRIGGER stop BEFORE UPDATE ON t WHEN OLD.id = 2 BEGIN SELECT RAISE(FAIL, 'stop'); END;`;
    return withBench(schema, async ({ tells, run, transaction, outside }) => {
      const plain = withoutCapture(schema);
      expect(() => plain('UPDATE t SET v = 50')).toThrow('stop');
      expect(told(await tells(() => expect(run('UPDATE t SET v = 50')).rejects.toThrow('stop')))).toEqual([
        't.updated 1',
      ]);
      expect(outside.prepare('SELECT v FROM t ORDER BY id').raw().all().map(String)).toEqual(
        plain('SELECT v FROM t ORDER BY id').map(String),
      );
      const inside = await tells(() =>
        transaction(async (run) => {
          await expect(run('UPDATE t SET v = 60')).rejects.toThrow('stop');
        }),
      );
      expect(told(inside)).toEqual(['t.updated 1']);
    });
  });

  test('RAISE(ROLLBACK) outside of a transaction leaves nothing, and the connection goes on', () =>
    withBench(
      `${ROWS} CREATE TRIGGER undo BEFORE UPDATE ON t WHEN OLD.id = 2 BEGIN SELECT RAISE(ROLLBACK, 'undo'); END;`,
      async ({ tells, run }) => {
        expect(await tells(() => expect(run('UPDATE t SET v = 50')).rejects.toThrow('undo'))).toEqual([]);
        expect(told(await tells(() => run('UPDATE t SET v = 50 WHERE id = 1')))).toEqual(['t.updated 1']);
      },
    ));

  test('RAISE(ROLLBACK) in the first write of a transaction takes the application events along', () =>
    withBench(
      `${ROWS} CREATE TRIGGER undo BEFORE UPDATE ON t BEGIN SELECT RAISE(ROLLBACK, 'undo'); END;`,
      async ({ caller, transaction, events }) => {
        await expect(
          transaction(async (run, follow) => {
            follow.join([{ action: 'invoice.exported' }], undefined);
            await expect(run('UPDATE t SET v = 50')).rejects.toThrow('undo');
            expect(caller.inTransaction).toBe(false);
          }),
        ).rejects.toThrow(/no transaction/);
        expect(events()).toEqual([]);
      },
    ));

  test('what is written after the database has ended a transaction by itself is told on its own', () =>
    withBench(
      `${ROWS} CREATE TRIGGER undo BEFORE UPDATE ON t WHEN NEW.v = 0 BEGIN SELECT RAISE(ROLLBACK, 'undo'); END;`,
      async ({ tells, run }) => {
        for (const first of ['SELECT 1', 'UPDATE t SET v = v + 1 WHERE id = 3']) {
          const events = await tells(async () => {
            await run('BEGIN');
            await run(first);
            await expect(run('UPDATE t SET v = 0 WHERE id = 1')).rejects.toThrow('undo');
            await run('UPDATE t SET v = v + 1 WHERE id = 2');
            await expect(run('COMMIT')).rejects.toThrow(/no transaction/);
            await run('UPDATE t SET v = v + 1 WHERE id = 1');
          });
          expect(told(events)).toEqual(['t.updated 2', 't.updated 1']);
        }
      },
    ));

  test('INSTEAD OF triggers of a view write to its tables, and that is told', () =>
    withBench(
      `${ROWS} CREATE VIEW seen AS SELECT id, u, v FROM t WHERE v < 100;
       CREATE TRIGGER ins INSTEAD OF INSERT ON seen BEGIN INSERT INTO t(id,u,v) VALUES (NEW.id, NEW.u, NEW.v); END;
       CREATE TRIGGER upd INSTEAD OF UPDATE ON seen BEGIN UPDATE t SET v = NEW.v WHERE id = OLD.id; INSERT INTO log(what) VALUES ('seen'); END;
       CREATE TRIGGER del INSTEAD OF DELETE ON seen BEGIN DELETE FROM t WHERE id = OLD.id; END;`,
      async ({ tells, run }) => {
        expect(told(await tells(() => run("INSERT INTO seen VALUES (9,'q',1)")))).toEqual(['t.created 9']);
        expect(told(await tells(() => run('UPDATE seen SET v = 2 WHERE id = 9')))).toEqual([
          't.updated 9',
          'log.created 1',
        ]);
        expect(told(await tells(() => run('DELETE FROM seen WHERE id > 1')))).toEqual([
          't.deleted 2',
          't.deleted 3',
          't.deleted 9',
        ]);
      },
    ));

  test('what REPLACE deletes is told on a table with triggers, which fire as they would without auditing', async () => {
    const schema = `${ROWS} CREATE TRIGGER noted AFTER DELETE ON t BEGIN INSERT INTO log(what) VALUES ('gone'); END;
      CREATE TRIGGER made AFTER INSERT ON t BEGIN INSERT INTO log(n, what, of) VALUES (1, 'made', NEW.id); END;`;
    await withBench(schema, async ({ run, tells, outside }) => {
      const plain = withoutCapture(schema);
      for (const setting of [0, 1]) {
        for (const sql of [
          `PRAGMA recursive_triggers = ${setting}`,
          "REPLACE INTO t(id,u,v) VALUES (2,'c',9),(3,'d',9)",
          "UPDATE OR REPLACE t SET u = 'd' WHERE id = 2",
          "INSERT OR REPLACE INTO t(id,u,v) VALUES (3,'a',3)",
        ]) {
          await tells(() => run(sql));
          plain(sql);
        }
        const log = 'SELECT what, of FROM log ORDER BY n';
        expect(outside.prepare(log).raw().all().map(String)).toEqual(plain(log).map(String));
      }
    });
  });

  test('REPLACE by a unique index on an expression is marked, and refused under strict before anything is written', async () => {
    const schema = 'CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT); CREATE UNIQUE INDEX i ON t(lower(u));';
    await withBench(schema, async ({ run, events }) => {
      await run("REPLACE INTO t VALUES (1, 'secret')");
      expect(events().map((event) => event.change?.fidelity)).toEqual(['opaque', 'exact']);
      expect(JSON.stringify(events()[0])).not.toContain('secret');
      await run("UPDATE t SET u = replace(u, 'z', 'y') || 'x'");
      expect(events().map((event) => event.change?.fidelity)).toEqual(['opaque', 'exact', 'exact']);
    });
    await withBench(
      schema,
      async ({ run, outside, events }) => {
        await expect(run("REPLACE INTO t VALUES (2,'z')")).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
        expect(outside.prepare('SELECT count(*) FROM t').raw().get()).toEqual([0]);
        expect(events()).toEqual([]);
        await run("INSERT INTO t VALUES (2,'z')");
      },
      { strict: true },
    );
  });
});
