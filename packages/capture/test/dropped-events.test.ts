import { describe, expect, test } from 'vitest';
import { writeEvents } from '../src/write-events.js';
import { type CaptureBench, withBench } from './capture-bench.js';

const ROWS = `CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER);
  INSERT INTO t VALUES (1,1),(2,2),(3,3);`;
/** Somebody keeps the events of the second row out of the log, and no statement fails. */
const DROP =
  "CREATE TRIGGER hush BEFORE INSERT ON audit_event WHEN NEW.resource_id = '2' BEGIN SELECT RAISE(IGNORE); END";
const REFUSAL = {
  code: 'AUDIT_CAPTURE_FAILED',
  message: expect.stringContaining('dropped the others'),
};

function values(bench: CaptureBench): unknown {
  return bench.outside.prepare('SELECT v FROM t ORDER BY id').raw().all().map(Number);
}

describe('when a trigger passes over an event without an error', () => {
  test('the write is refused, alone and among others', () =>
    withBench(ROWS, async (bench) => {
      bench.outside.exec(DROP);
      await expect(bench.run('UPDATE t SET v = 9 WHERE id = 2')).rejects.toMatchObject(REFUSAL);
      await expect(bench.run('UPDATE t SET v = 9')).rejects.toMatchObject(REFUSAL);
      expect(values(bench)).toEqual([1, 2, 3]);
      expect(bench.events()).toEqual([]);
      await bench.tells(() => bench.run('UPDATE t SET v = 9 WHERE id = 1'));
    }));

  test('a transaction with it can not be committed', () =>
    withBench(ROWS, async (bench) => {
      bench.outside.exec(DROP);
      const work = bench.transaction(async (run) => {
        await run('UPDATE t SET v = 9 WHERE id = 1');
        await run('DELETE FROM t WHERE id = 2');
      });
      await expect(work).rejects.toMatchObject(REFUSAL);
      await bench.run('BEGIN');
      await bench.run('DELETE FROM t WHERE id = 2');
      await expect(bench.run('COMMIT')).rejects.toMatchObject(REFUSAL);
      await bench.run('ROLLBACK');
      expect(values(bench)).toEqual([1, 2, 3]);
      expect(bench.events()).toEqual([]);
    }));

  test('an event of the application that joins a transaction is missed too', () =>
    withBench(ROWS, async (bench) => {
      bench.outside.exec(DROP);
      const work = bench.transaction(async (run, follow) => {
        await run('UPDATE t SET v = 9 WHERE id = 1');
        follow.join([{ action: 't.seen', category: 'access', resource: { type: 't', id: '2' } }], undefined);
      });
      await expect(work).rejects.toMatchObject(REFUSAL);
      expect(values(bench)).toEqual([1, 2, 3]);
    }));

  test('a policy that lets the write go on reports the loss', async () => {
    const errors: Error[] = [];
    const audit = {
      policy: { data: 'continue' as const },
      onError: (error: Error) => void errors.push(error),
    };
    await withBench(
      ROWS,
      async (bench) => {
        bench.outside.exec(DROP);
        await bench.run('UPDATE t SET v = 9 WHERE id = 2');
        expect(values(bench)).toEqual([1, 9, 3]);
        expect(errors[0]).toMatchObject(REFUSAL);
      },
      { audit },
    );
  });
});

test('an event that is stored from an earlier try is told from one that was dropped', () =>
  withBench(ROWS, async (bench) => {
    const { transactional } = await bench.audit.store();
    if (transactional === undefined) throw new Error('events can join transactions on SQLite');
    const events = await bench.audit.prepare(
      ['1', '3'].map((id) => ({ action: 't.seen', category: 'access', resource: { type: 't', id } })),
      undefined,
    );
    await writeEvents(bench.connection, transactional, events.slice(1), true);
    await writeEvents(bench.connection, transactional, events, false);
    await writeEvents(bench.connection, transactional, [...events, ...events], false);
    expect(bench.events().map(({ resource }) => resource?.id)).toEqual(['1', '3']);

    bench.outside.exec(DROP);
    const dropped = await bench.audit.prepare(
      [{ action: 't.seen', category: 'access', resource: { type: 't', id: '2' } }],
      undefined,
    );
    await expect(
      writeEvents(bench.connection, transactional, [...events, ...dropped], false),
    ).rejects.toThrow('took 2 of 3 events');
  }));
