import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { withBench, withoutCapture } from './capture-bench.js';

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INTEGER);
  INSERT INTO t VALUES (1,'a',1),(2,'b',2),(3,'c',3);`;

function told(events: readonly { action: string; resource?: { id: string } | null }[]): string[] {
  return events.map((event) => `${event.action} ${event.resource?.id}`);
}

describe('transactions that the caller steers with SQL', () => {
  test('BEGIN … COMMIT and BEGIN … ROLLBACK, with comments and further semicolons', () =>
    withBench(ROWS, async ({ tells, run, events }) => {
      const kept = await tells(async () => {
        await run('-- go\nBEGIN; -- now');
        await run('UPDATE t SET v = 9 WHERE id = 1');
        await run('DELETE FROM t WHERE id = 2');
        expect(events()).toEqual([]);
        await run('COMMIT; /* done */');
      });
      expect(told(kept)).toEqual(['t.updated 1', 't.deleted 2']);
      expect(new Set(kept.map((event) => event.context.transactionId)).size).toBe(1);
      const gone = await tells(async () => {
        await run('BEGIN IMMEDIATE');
        await run('DELETE FROM t');
        await run('ROLLBACK; -- undone');
      });
      expect(gone).toEqual([]);
      expect(told(await tells(() => run('DELETE FROM t WHERE id = 3')))).toEqual(['t.deleted 3']);
    }));

  test('a transaction that a savepoint begins, with savepoints of the same name inside', () =>
    withBench(ROWS, async ({ tells, run, caller }) => {
      const events = await tells(async () => {
        await run('SAVEPOINT s');
        await run('UPDATE t SET v = 9 WHERE id = 1');
        await run('SAVEPOINT "S"');
        await run('UPDATE t SET v = 9 WHERE id = 2');
        await run("ROLLBACK TRANSACTION TO SAVEPOINT 's'");
        await run('UPDATE t SET v = 9 WHERE id = 3');
        await run('RELEASE s');
        expect(caller.inTransaction).toBe(true);
        await run('UPDATE t SET v = 10 WHERE id = 3');
        await run('RELEASE SAVEPOINT s');
        expect(caller.inTransaction).toBe(false);
      });
      expect(told(events)).toEqual(['t.updated 1', 't.updated 3', 't.updated 3']);
      await tells(() => run('UPDATE t SET v = 11'));
    }));

  test('a rolled-back savepoint takes its events, and triggers that were made inside of it are made again', () =>
    withBench(ROWS, async ({ tells, transaction }) => {
      const events = await tells(() =>
        transaction(async (run) => {
          await run('SAVEPOINT a');
          await run('UPDATE t SET v = 9 WHERE id = 1');
          await run('ROLLBACK TO a');
          await run('UPDATE t SET v = 8 WHERE id = 1');
          await run('SAVEPOINT "b;c"');
          await run('DELETE FROM t WHERE id = 2');
          await run('ROLLBACK TO "b;c"');
          await run('RELEASE a');
          await run('DELETE FROM t WHERE id = 3');
        }),
      );
      expect(told(events)).toEqual(['t.updated 1', 't.deleted 3']);
    }));

  test('a COMMIT or ROLLBACK where there is no transaction fails as ever and changes nothing', () =>
    withBench(ROWS, async ({ tells, run }) => {
      await expect(run('COMMIT')).rejects.toThrow(/no transaction/);
      await expect(run('ROLLBACK')).rejects.toThrow(/no transaction/);
      await run('BEGIN');
      await expect(run('BEGIN')).rejects.toThrow(/within a transaction/);
      await expect(run("INSERT OR ROLLBACK INTO t VALUES (9,'a',1)")).rejects.toThrow(/UNIQUE/);
      await expect(run('ROLLBACK')).rejects.toThrow(/no transaction/);
      expect(told(await tells(() => run('UPDATE t SET v = 7 WHERE id = 1')))).toEqual(['t.updated 1']);
    }));
});

describe('statements at once on one connection', () => {
  test('reads during units see no half of them, and all units are told', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const reads: unknown[] = [];
      await tells(() =>
        Promise.all(
          Array.from({ length: 30 }, async (_, n) => {
            if (n % 3 === 0) reads.push((await run('SELECT count(DISTINCT v) FROM t'))[0]?.[0]);
            else await run(`UPDATE t SET v = ${n}`);
          }),
        ),
      );
      expect(reads.slice(1).every((count) => count === '1' || count === '3')).toBe(true);
      expect(reads).toHaveLength(10);
    }));

  test('a BEGIN that comes while a unit runs waits for it', () =>
    withBench(ROWS, async ({ tells, run }) => {
      const events = await tells(() =>
        Promise.all([
          run('UPDATE t SET v = 9 WHERE id = 1'),
          run('BEGIN'),
          run('UPDATE t SET v = 9 WHERE id = 2'),
          run('COMMIT'),
          run('UPDATE t SET v = 9 WHERE id = 3'),
        ]),
      );
      expect(told(events)).toEqual(['t.updated 1', 't.updated 2', 't.updated 3']);
    }));
});

describe('what the caller sees', () => {
  test('last_insert_rowid() and changes() in a transaction are as without auditing', () =>
    withBench(ROWS, async ({ transaction }) => {
      const plain = withoutCapture(ROWS);
      await transaction(async (run) => {
        for (const sql of [
          "INSERT INTO t VALUES (50,'x',1),(51,'y',1)",
          'UPDATE t SET v = 5 WHERE id < 3',
          'DELETE FROM t WHERE id = 1',
          'UPDATE t SET v = 5 WHERE id > 1000',
          "REPLACE INTO t VALUES (60,'y',2)",
        ]) {
          await run(sql);
          plain(sql);
          const ask = 'SELECT changes(), last_insert_rowid()';
          expect(await run(ask)).toEqual(plain(ask).map((row) => row.map(String)));
        }
      });
    }));

  test('last_insert_rowid() outside of a transaction is as without auditing', () =>
    withBench(ROWS, async ({ run }) => {
      await run("INSERT INTO t VALUES (77,'x',1)");
      await run('UPDATE t SET v = 2 WHERE id = 77');
      expect(await run('SELECT last_insert_rowid()')).toEqual([['77']]);
    }));

  test('a lock that another process holds is waited for, and then fails as without auditing', () =>
    withBench(ROWS, async ({ file, tells, run, transaction }) => {
      const other = new Database(file);
      other.exec('BEGIN IMMEDIATE');
      const released = setTimeout(() => other.exec('COMMIT'), 200);
      await tells(() => run('UPDATE t SET v = 5'));
      clearTimeout(released);
      other.exec('BEGIN IMMEDIATE');
      await expect(run('UPDATE t SET v = 6')).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
      await expect(transaction(async (inside) => inside('UPDATE t SET v = 6'))).rejects.toMatchObject({
        code: 'SQLITE_BUSY',
      });
      other.exec('ROLLBACK');
      other.close();
      await tells(() => run('UPDATE t SET v = 7'));
    }));

  test('libsql leaves a statement that met a lock in progress: once it does not, finishStatements can go', () =>
    withBench(ROWS, async ({ file, caller }) => {
      const other = new Database(file);
      other.exec('BEGIN IMMEDIATE');
      const begin = caller.prepare('BEGIN IMMEDIATE');
      expect(() => begin.run()).toThrow('database is locked');
      other.exec('ROLLBACK');
      other.close();
      caller.exec('BEGIN; CREATE TABLE n(a); ROLLBACK; BEGIN IMMEDIATE; UPDATE t SET v = 8');
      expect(() => caller.exec('COMMIT')).toThrow('SQL statements in progress');
      caller.exec('ROLLBACK');
      begin.run();
      caller.exec('COMMIT; BEGIN IMMEDIATE; UPDATE t SET v = 9; COMMIT');
      expect(caller.prepare('SELECT DISTINCT v FROM t').raw().all()).toEqual([[9]]);
    }));

  test('a transaction that has read what others changed since fails at once, as without auditing', () =>
    withBench(ROWS, async ({ file, transaction, events }) => {
      const other = new Database(file);
      other.exec('PRAGMA journal_mode = WAL');
      const started = Date.now();
      await expect(
        transaction(async (run) => {
          await run('SELECT * FROM t');
          other.exec('UPDATE t SET v = 100 WHERE id = 1');
          await run('UPDATE t SET v = 101 WHERE id = 1');
        }),
      ).rejects.toMatchObject({ code: 'SQLITE_BUSY_SNAPSHOT' });
      expect(Date.now() - started).toBeLessThan(900);
      expect(events()).toEqual([]);
      other.close();
    }));

  test('an event of another writer whose clock runs ahead has a smaller id than what follows it', () =>
    withBench(ROWS, async ({ run, transaction, audit, outside }) => {
      const ahead = new Date(Date.now() + 3_600_000);
      const { createUuidV7 } = await import('@indelible/core');
      await audit.record({ action: 'invoice.exported', id: createUuidV7(ahead) });
      await run('UPDATE t SET v = 5 WHERE id = 1');
      await run('UPDATE t SET v = 6 WHERE id = 1');
      await transaction(async (inside, follow) => {
        follow.join([{ action: 'invoice.cancelled' }], undefined);
        await inside('UPDATE t SET v = 7 WHERE id IN (1, 2)');
        await inside('UPDATE t SET v = 8 WHERE id = 1');
      });
      const bodies = outside
        .prepare("SELECT body FROM audit_event WHERE action LIKE 't.%' ORDER BY id")
        .raw()
        .all() as [Uint8Array][];
      const steps = bodies
        .map(([body]) => JSON.parse(Buffer.from(body).toString()))
        .filter((event) => event.resource.id === '1')
        .map((event) => event.change.after.v);
      expect(steps).toEqual([5, 6, 7, 8]);
      const ids = outside.prepare('SELECT action FROM audit_event ORDER BY id').raw().all() as [string][];
      expect(ids.findIndex(([action]) => action === 'invoice.exported')).toBeLessThan(
        ids.findIndex(([action]) => action === 't.updated'),
      );
    }));
});
