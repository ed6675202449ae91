import { describe, expect, test } from 'vitest';
import { withBench } from './capture-bench.js';

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT, v INTEGER); INSERT INTO t VALUES (1,'a',1),(2,'b',2);`;

function told(events: readonly { action: string; resource?: { id: string } | null }[]): string[] {
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('a schema that changes', () => {
  test('ALTER TABLE between writes of one transaction', () =>
    withBench(ROWS, async ({ transaction, events }) => {
      await transaction(async (run) => {
        await run('UPDATE t SET v = 5 WHERE id = 1');
        await run('ALTER TABLE t DROP COLUMN u');
        await run('UPDATE t SET v = 6 WHERE id = 1');
        await run("ALTER TABLE t ADD COLUMN w TEXT DEFAULT 'w'");
        await run("UPDATE t SET w = 'x' WHERE id = 1");
        await run('ALTER TABLE t RENAME COLUMN v TO vv');
        await run('UPDATE t SET vv = 7 WHERE id = 1');
        await run('/* a */ ALTER TABLE t RENAME TO s');
        await run('UPDATE s SET vv = 8 WHERE id = 1');
        await run('CREATE TABLE n(id INTEGER PRIMARY KEY)');
        await run('INSERT INTO n VALUES (1)');
        await run(
          '/* b */ CREATE TRIGGER g AFTER INSERT ON n BEGIN UPDATE s SET vv = 9 WHERE id = NEW.id; END',
        );
        await run('INSERT INTO n VALUES (2)');
        await run('DROP TABLE n');
      });
      expect(events().map((event) => [event.action, event.change?.after])).toEqual([
        ['t.updated', { v: 5 }],
        ['t.updated', { v: 6 }],
        ['t.updated', { w: 'x' }],
        ['t.updated', { vv: 7 }],
        ['s.updated', { vv: 8 }],
        ['n.created', { id: 1 }],
        ['n.created', { id: 2 }],
        ['s.updated', { vv: 9 }],
      ]);
    }));

  test('a column that is dropped first of all, on a connection that has been audited before', () =>
    withBench(ROWS, async ({ run, transaction, caller, engine, connection, events }) => {
      await run('UPDATE t SET v = 5 WHERE id = 1');
      await transaction(async (inside) => {
        await inside('ALTER TABLE t DROP COLUMN u');
        await inside('UPDATE t SET v = 6 WHERE id = 1');
      });
      await run('UPDATE t SET v = 7 WHERE id = 1');
      await run('ALTER TABLE t DROP COLUMN v');
      await run('ALTER TABLE t ADD COLUMN w TEXT');
      // The driver hands the connection of single statements on to a transaction, with the triggers that are on it.
      await run("UPDATE t SET w = 'x' WHERE id = 1");
      caller.exec('BEGIN');
      const follow = engine.transaction(connection);
      const inside = (sql: string): Promise<unknown> => follow.run(sql, () => connection.execute(sql));
      await inside('ALTER TABLE t DROP COLUMN w');
      await inside('DELETE FROM t WHERE id = 1');
      await follow.commit(() => connection.execute('COMMIT'));
      expect(told(events())).toEqual([
        't.updated 1',
        't.updated 1',
        't.updated 1',
        't.updated 1',
        't.deleted 1',
      ]);
    }));

  test('another connection changes the schema between two writes', () =>
    withBench(ROWS, async ({ run, outside, tells, transaction }) => {
      await tells(() => run('UPDATE t SET v = 5 WHERE id = 1'));
      outside.exec('ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN w INTEGER DEFAULT 3');
      await tells(() => run('UPDATE t SET w = 6 WHERE id = 1'));
      outside.exec('CREATE TABLE log(id INTEGER PRIMARY KEY, of INTEGER)');
      outside.exec('CREATE TRIGGER g AFTER UPDATE ON t BEGIN INSERT INTO log(of) VALUES (NEW.id); END');
      expect(told(await tells(() => run('UPDATE t SET w = 7 WHERE id = 1')))).toEqual([
        't.updated 1',
        'log.created 1',
      ]);
      outside.exec('DROP TRIGGER g; ALTER TABLE t RENAME TO s');
      expect(
        told(await tells(() => transaction((inside) => inside('UPDATE s SET w = 8 WHERE id = 1')))),
      ).toEqual(['s.updated 1']);
    }));

  test('another connection makes a trigger that keeps every row as it is and writes elsewhere', () =>
    withBench(ROWS, async ({ run, outside, tells }) => {
      await tells(() => run('UPDATE t SET v = 5 WHERE id = 1'));
      outside.exec(`CREATE TABLE log(id INTEGER PRIMARY KEY, of INTEGER);
        CREATE TRIGGER g BEFORE UPDATE ON t BEGIN INSERT INTO log(of) VALUES (NEW.id); SELECT RAISE(IGNORE); END`);
      expect(told(await tells(() => run('UPDATE t SET v = 6 WHERE id = 1')))).toEqual(['log.created 1']);
    }));

  test('another connection makes a view write elsewhere', () =>
    withBench(
      `${ROWS} CREATE TABLE log(id INTEGER PRIMARY KEY); CREATE VIEW w AS SELECT * FROM t;
        CREATE TRIGGER g INSTEAD OF INSERT ON w BEGIN INSERT INTO t(id) VALUES (NEW.id); END`,
      async ({ run, outside, tells }) => {
        await tells(() => run('INSERT INTO w(id) VALUES (7)'));
        outside.exec(
          'DROP TRIGGER g; CREATE TRIGGER g INSTEAD OF INSERT ON w BEGIN INSERT INTO log VALUES (NEW.id); END',
        );
        expect(told(await tells(() => run('INSERT INTO w(id) VALUES (8)')))).toEqual(['log.created 8']);
      },
    ));

  test('another connection drops a table that a trigger led to', () =>
    withBench(
      `${ROWS} CREATE TABLE c(id INTEGER PRIMARY KEY); CREATE TABLE n(id INTEGER PRIMARY KEY);
        CREATE TRIGGER g AFTER DELETE ON t BEGIN DELETE FROM c WHERE id = OLD.id; END`,
      async ({ run, outside, tells }) => {
        await tells(() => run('INSERT INTO n VALUES (1)'));
        outside.exec('DROP TRIGGER g; DROP TABLE c');
        await run('SELECT * FROM t');
        await tells(() => run('DELETE FROM t WHERE id = 1'));
      },
    ));

  test('a statement that has to be run again because the schema has changed fails as it would alone', () =>
    withBench(ROWS, async ({ run, outside, caller, tells, events }) => {
      await tells(() => run('UPDATE t SET v = 5'));
      outside.exec('ALTER TABLE t ADD COLUMN w INTEGER CHECK (w < 3)');
      await expect(run('UPDATE OR FAIL t SET v = 6, w = id + 1')).rejects.toThrow('CHECK constraint failed');
      // OR FAIL keeps the row before the one that failed.
      expect(caller.prepare('SELECT id, v, w FROM t').raw().all()).toEqual([
        [1, 6, 2],
        [2, 5, null],
      ]);
      expect(events().at(-1)?.change?.after).toEqual({ v: 6, w: 2 });
      expect(caller.inTransaction).toBe(false);
      outside.exec('ALTER TABLE t DROP COLUMN v');
      await expect(run('UPDATE t SET v = 7')).rejects.toThrow('no such column: v');
      await tells(() => run('UPDATE t SET w = 1'));
    }));

  test('strict refuses nothing because of a table that another connection has replaced', () =>
    withBench(
      `${ROWS} CREATE VIRTUAL TABLE n USING fts5(x);`,
      async ({ run, outside, tells }) => {
        await tells(() => run('UPDATE t SET v = 5'));
        outside.exec('DROP TABLE n; CREATE TABLE n(id INTEGER PRIMARY KEY)');
        await tells(() => run('UPDATE t SET v = (SELECT count(*) FROM n)'));
      },
      { strict: true },
    ));

  test('a schema change that is rolled back', () =>
    withBench(ROWS, async ({ run, tells }) => {
      await run('UPDATE t SET v = 5 WHERE id = 1');
      await run('BEGIN');
      await run('ALTER TABLE t DROP COLUMN v');
      await run("UPDATE t SET u = 'x' WHERE id = 1");
      await run('ROLLBACK');
      const [event] = await tells(() => run('UPDATE t SET v = 6 WHERE id = 1'));
      expect(event?.change?.before).toEqual({ v: 5 });
      await run('SAVEPOINT one');
      await run('CREATE TABLE n(id INTEGER PRIMARY KEY)');
      await run('INSERT INTO n VALUES (1)');
      await run('ROLLBACK TO one');
      await run('RELEASE one');
      expect(told(await tells(() => run('DELETE FROM t WHERE id = 2')))).toEqual(['t.deleted 2']);
    }));

  test('a migration script runs on the connection of the application', () =>
    withBench(ROWS, async ({ run, bare, caller, tells }) => {
      await run('UPDATE t SET v = 5 WHERE id = 1');
      await bare.script(async () =>
        caller.exec('ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN w TEXT'),
      );
      await tells(() => run("UPDATE t SET w = 'x'"));
    }));

  test('reads, plans, pragmas and vacuum are left alone', () =>
    withBench(ROWS, async ({ run, events, caller }) => {
      for (const sql of [
        'VACUUM',
        'SELECT * FROM t',
        "SELECT replace(u, 'a', 'b') FROM t; -- REPLACE",
        'EXPLAIN UPDATE t SET v = 1',
        'EXPLAIN QUERY PLAN DELETE FROM t',
        'WITH x AS (SELECT 1) SELECT * FROM x',
        'VALUES (1)',
        'PRAGMA table_info(t)',
        'PRAGMA user_version = 4',
        'ANALYZE',
        'REINDEX',
      ]) {
        await run(sql);
        expect(caller.inTransaction).toBe(false);
      }
      expect(events()).toEqual([]);
    }));
});
