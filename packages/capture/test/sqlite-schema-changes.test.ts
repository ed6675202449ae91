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
