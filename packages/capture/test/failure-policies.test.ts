import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutAudit } from '@indelible/context';
import { describe, expect, test } from 'vitest';
import { type BenchOptions, type CaptureBench, withBench } from './capture-bench.js';

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INTEGER);
  INSERT INTO t VALUES (1,'a',1),(2,'b',2),(3,'c',3);`;
/** The store refuses every event, and the tables are all there. */
const REFUSE =
  "CREATE TRIGGER refuse BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'the store is full'); END";
const TABLES = ['audit_event', 'audit_pending', 'audit_entry', 'audit_head'];

function values(bench: CaptureBench): unknown {
  return bench.outside.prepare('SELECT v FROM t ORDER BY id').raw().all().map(Number);
}

function withPolicy(policy: 'strict' | 'spool' | 'continue', onError: (error: Error) => void): BenchOptions {
  return { audit: { policy: { data: policy }, onError, storeTimeoutMs: 300 } };
}

describe('when an event can not be written', () => {
  test('strict refuses the write and leaves the connection usable', () =>
    withBench(ROWS, async (bench) => {
      bench.outside.exec(REFUSE);
      await expect(bench.run('UPDATE t SET v = 9')).rejects.toMatchObject({ code: 'AUDIT_CAPTURE_FAILED' });
      await expect(bench.transaction((run) => run('UPDATE t SET v = 9'))).rejects.toMatchObject({
        code: 'AUDIT_CAPTURE_FAILED',
      });
      expect(values(bench)).toEqual([1, 2, 3]);
      expect(bench.caller.inTransaction).toBe(false);
      bench.outside.exec('DROP TRIGGER refuse');
      await bench.tells(() => bench.run('UPDATE t SET v = 9'));
    }));

  test('strict says which tables are missing and what to run, in a transaction and outside', () =>
    withBench(ROWS, async (bench) => {
      await bench.run('UPDATE t SET v = 4 WHERE id = 1');
      for (const table of TABLES) bench.outside.exec(`DROP TABLE ${table}`);
      const refusal = {
        code: 'AUDIT_TABLES_MISSING',
        message: expect.stringContaining('npx indelible migrate'),
      };
      await expect(bench.run('UPDATE t SET v = 9')).rejects.toMatchObject(refusal);
      await expect(bench.transaction((run) => run('UPDATE t SET v = 9'))).rejects.toMatchObject(refusal);
      expect(values(bench)).toEqual([4, 2, 3]);
    }));

  test('tables that go missing in the middle of a transaction undo it', () =>
    withBench(ROWS, async (bench) => {
      await bench.run('BEGIN');
      await bench.run('UPDATE t SET v = 9 WHERE id = 1');
      for (const table of TABLES) bench.caller.exec(`DROP TABLE ${table}`);
      await expect(bench.run('UPDATE t SET v = 9 WHERE id = 2')).rejects.toMatchObject({
        code: 'AUDIT_TABLES_MISSING',
      });
      await expect(bench.run('COMMIT')).rejects.toMatchObject({ code: 'AUDIT_TABLES_MISSING' });
      await bench.run('ROLLBACK');
      expect(values(bench)).toEqual([1, 2, 3]);
      await bench.tells(() => bench.run('UPDATE t SET v = 9'));
    }));

  test('a change that could not be captured poisons its transaction, whatever the caller catches', () =>
    withBench(ROWS, async (bench) => {
      await bench.run('BEGIN');
      await bench.run('UPDATE t SET v = 9 WHERE id = 1');
      const { query } = bench.connection;
      Object.assign(bench.connection, {
        query: async (sql: string, params: []) => {
          if (sql.includes('temp.indelible_capture c')) throw new Error('the disk has left');
          return query(sql, params);
        },
      });
      await expect(bench.run('DELETE FROM t WHERE id = 2')).rejects.toMatchObject({
        code: 'AUDIT_CAPTURE_FAILED',
      });
      Object.assign(bench.connection, { query });
      await expect(bench.run('COMMIT')).rejects.toMatchObject({ code: 'AUDIT_CAPTURE_FAILED' });
      await bench.run('ROLLBACK');
      expect(values(bench)).toEqual([1, 2, 3]);
      expect(bench.events()).toEqual([]);
    }));

  test('spool keeps the row, puts the event into the spool, and replays it when the store is back', async () => {
    const errors: Error[] = [];
    const options = withPolicy('spool', (error) => errors.push(error));
    await withBench(
      ROWS,
      async (bench) => {
        bench.outside.exec(REFUSE);
        await bench.run('UPDATE t SET v = 9 WHERE id = 1');
        await bench.transaction(async (run) => {
          await run('UPDATE t SET v = 9 WHERE id = 2');
          await run('DELETE FROM t WHERE id = 3');
        });
        expect(values(bench)).toEqual([9, 9]);
        expect(bench.events()).toEqual([]);
        await expect.poll(() => spooled(bench)).toContain('"t.deleted"');
        expect(errors.length).toBeGreaterThan(0);
        bench.outside.exec('DROP TRIGGER refuse');
        await expect.poll(() => bench.events().length, { timeout: 10_000 }).toBe(3);
        const told = bench
          .events()
          .map((event) => [event.action, event.resource?.id, event.change?.fidelity]);
        expect(told).toEqual([
          ['t.updated', '1', 'exact'],
          ['t.updated', '2', 'exact'],
          ['t.deleted', '3', 'exact'],
        ]);
      },
      options,
    );
  });

  test('spool captures exactly even while the tables are missing', async () => {
    const options = withPolicy('spool', () => undefined);
    await withBench(
      ROWS,
      async (bench) => {
        for (const table of TABLES) bench.outside.exec(`DROP TABLE ${table}`);
        await bench.run('UPDATE t SET v = 9 WHERE id = 1');
        await bench.transaction((run) => run('UPDATE t SET v = 9 WHERE id = 2'));
        expect(values(bench)).toEqual([9, 9, 3]);
        await expect.poll(() => spooled(bench).match(/"fidelity":"exact"/g)?.length).toBe(2);
      },
      options,
    );
  });

  test('continue keeps the row, counts the loss and reports it', async () => {
    const errors: Error[] = [];
    const options = withPolicy('continue', (error) => errors.push(error));
    await withBench(
      ROWS,
      async (bench) => {
        bench.outside.exec(REFUSE);
        await bench.run('UPDATE t SET v = 9 WHERE id = 1');
        expect(values(bench)).toEqual([9, 2, 3]);
        await expect.poll(() => bench.audit.health().lost).toBe(1);
        expect(errors.length).toBeGreaterThan(0);
        bench.outside.exec('DROP TRIGGER refuse');
      },
      options,
    );
  });

  test('a rolled-back transaction sends nothing to the spool', async () => {
    await withBench(
      ROWS,
      async (bench) => {
        bench.outside.exec(REFUSE);
        await expect(
          bench.transaction(async (run) => {
            await run('UPDATE t SET v = 9');
            throw new Error('undo');
          }),
        ).rejects.toThrow('undo');
        await bench.audit.flush();
        expect(spooled(bench)).toBe('');
        bench.outside.exec('DROP TRIGGER refuse');
      },
      withPolicy('spool', () => undefined),
    );
  });
});

describe('limits and pauses', () => {
  test('beyond maxRows a statement is counted, and under strict its transaction is undone', async () => {
    await withBench(
      ROWS,
      async ({ run, events }) => {
        await run('UPDATE t SET v = 9');
        expect(events()[0]?.change?.fidelity).toBe('count-only');
        await run('UPDATE t SET v = 10 WHERE id = 1');
        expect(events()[1]?.change?.fidelity).toBe('exact');
      },
      { maxRows: 2 },
    );
    await withBench(
      ROWS,
      async (bench) => {
        await expect(bench.run('UPDATE t SET v = 9')).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
        expect(values(bench)).toEqual([1, 2, 3]);
        expect(bench.events()).toEqual([]);
      },
      { maxRows: 2, strict: true },
    );
  });

  test('a paused write is not told by the statement after it, and meets no outdated trigger', () =>
    withBench(ROWS, async (bench) => {
      const { run, outside, audit, events } = bench;
      const paused = (sql: string): Promise<unknown> =>
        withoutAudit(() => run(sql), { reason: 'an import', audit });
      await run('UPDATE t SET v = 5 WHERE id = 1');
      outside.exec('ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN w INTEGER');
      await paused('UPDATE t SET w = 1');
      await run('BEGIN');
      await run('UPDATE t SET w = 2 WHERE id = 1');
      await paused('UPDATE t SET w = 3 WHERE id = 2');
      await expect(paused("INSERT OR FAIL INTO t VALUES (9,'x',1),(10,'a',1)")).rejects.toThrow(/UNIQUE/);
      await run('UPDATE t SET w = 4 WHERE id = 3');
      await run('COMMIT');
      const told = events().filter((event) => event.category === 'data');
      expect(told.map((event) => event.resource?.id)).toEqual(['1', '1', '3']);
    }));
});

function spooled({ directory }: CaptureBench): string {
  const spool = join(directory, 'spool');
  if (!existsSync(spool)) return '';
  return readdirSync(spool, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('lock') && !entry.name.includes('owner'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('');
}
