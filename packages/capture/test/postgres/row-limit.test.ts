import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { bytesRead } from './bytes-read.js';
import type { Answer } from './pg-caller.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { readPostgresTables } from './read-postgres-tables.js';
import { summary } from './summary.js';

const ROWS = 300_000;
const MANY = `CREATE TABLE t(id int PRIMARY KEY, v int, note text);
  INSERT INTO t SELECT n, n, repeat('n', 50) FROM generate_series(1, ${ROWS}) n;`;
const FEW = `CREATE TABLE t(id int PRIMARY KEY, v int, note text);
  INSERT INTO t SELECT n, n, 'note' FROM generate_series(1, 20) n;
  CREATE TABLE child(id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE);
  INSERT INTO child SELECT n, n % 20 + 1 FROM generate_series(1, 100) n;`;

describePostgres('a statement of more rows than maxRows', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  test('of 300,000 rows sends none of them and does not fill the memory', async () => {
    await bench.reset(MANY);
    await bench.run('UPDATE t SET v = 0 WHERE id = 1');
    await bench.events();
    const memory = watchMemory();
    const before = bytesRead(bench.caller);
    const { count, rows } = await bench.run("UPDATE t SET v = v + 1, note = 'x' WHERE id > $1", 0);
    const read = bytesRead(bench.caller) - before;
    const grown = memory.stop();
    expect({ count, rows }).toEqual({ count: ROWS, rows: [] });
    expect(read).toBeLessThan(100_000);
    expect(grown).toBeLessThan(40 * 2 ** 20);
    const [event, ...more] = await bench.events();
    expect(more).toEqual([]);
    expect(event?.change?.fidelity).toBe('count-only');
    expect(event?.details?.rows).toBe(ROWS);
  }, 240_000);

  test('sends no image beyond them where the caller asks for the rows', async () => {
    await bench.reset(`CREATE TABLE t(id int PRIMARY KEY, v int, note text);
      INSERT INTO t SELECT n, 0, repeat('n', 100) FROM generate_series(1, 1000) n;`);
    const [few, all] = [await bench.open({ maxRows: 5 }), await bench.open({ maxRows: 1000 })];
    const read: number[] = [];
    for (const caller of [few, all]) {
      const before = bytesRead(caller);
      const { rows, count } = await caller.run('UPDATE t SET v = 1 RETURNING id, v');
      expect([rows.length, count, rows.every((row) => row.length === 2)]).toEqual([1000, 1000, true]);
      read.push(bytesRead(caller) - before);
      await bench.outside.query('UPDATE t SET v = 0');
    }
    const events = await bench.events();
    expect(events.map(summary).slice(0, 2)).toEqual(['count-only t: more than 5 rows at once', 'update 1 v']);
    expect(events).toHaveLength(1001);
    expect(read[0]).toBeLessThan((read[1] ?? 0) / 3);
  });

  test.each([
    'UPDATE t SET v = v + 1',
    'UPDATE t SET v = v + 1 -- all of them;',
    '/* all */ UPDATE t SET v = v + 1 ; ',
    'UPDATE t SET v = v + 1 RETURNING *',
    'UPDATE t SET v = v + 1 RETURNING v, v, id AS indelible_0',
    'WITH x AS (SELECT 3 AS least) UPDATE t SET v = v + 1 FROM x WHERE t.id > x.least',
    'INSERT INTO t SELECT n, n FROM generate_series(21, 40) n',
    'INSERT INTO t SELECT n, n FROM generate_series(15, 30) n ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v + 1',
    'INSERT INTO t SELECT n, n FROM generate_series(15, 30) n ON CONFLICT (id) DO NOTHING RETURNING id',
    'INSERT INTO t VALUES (21, 1), (22, 1), (23, 1), (24, 1), (25, 1), (26, 1)',
    'DELETE FROM child WHERE id > 3',
    'DELETE FROM t',
    'DELETE FROM t WHERE id < 8 RETURNING id',
  ])(
    'gives its caller what it gives without auditing, and strict refuses it before anything lasts: %s',
    async (sql) => {
      await bench.reset(FEW);
      const expected = await bench.plain.run(sql);
      const few = await bench.open({ maxRows: 5 });
      const strict = await bench.open({ maxRows: 5, strict: true });
      const before = await readPostgresTables(bench.outside);
      await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      await strict.run('BEGIN');
      await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      await strict.run('UPDATE t SET v = 100 WHERE id = 1');
      await strict.run('UPDATE t SET v = 101 WHERE id < 3 AND id > 1');
      await strict.run('UPDATE t SET v = 101 WHERE id < 0');
      await strict.run('COMMIT');
      expect((await bench.events()).map(summary)).toEqual(['update 1 v', 'update 2 v']);
      await bench.outside.query('UPDATE t SET v = id WHERE id < 3');
      expect(await readPostgresTables(bench.outside)).toEqual(before);
      expect(sorted(await few.run(sql))).toEqual(sorted(expected));
      const events = await bench.events();
      expect(events.map(({ change }) => change?.fidelity)).toContain('count-only');
      expect(events.find(({ change }) => change?.fidelity === 'count-only')?.details?.rows).toBe(
        expected.count,
      );
      expect(await readPostgresTables(bench.outside)).toEqual(await readPostgresTables(bench.plain.client));
    },
  );

  test('fails as it would without auditing, and leaves its transaction as aborted', async () => {
    await bench.reset(FEW);
    const strict = await bench.open({ maxRows: 5, strict: true });
    for (const caller of [strict, bench.plain]) {
      await caller.run('BEGIN');
      await expect(caller.run('UPDATE t SET v = 1 / (v - 20)')).rejects.toMatchObject({ code: '22012' });
      await expect(caller.run('UPDATE t SET v = 1')).rejects.toMatchObject({ code: '25P02' });
      await caller.run('ROLLBACK');
    }
    expect(await bench.events()).toEqual([]);
  });

  test('of which the cascades reach too many rows reads no more than it images', async () => {
    await bench.reset(`CREATE TABLE p(id int PRIMARY KEY); INSERT INTO p VALUES (1);
      CREATE TABLE c(id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, note text);
      INSERT INTO c SELECT n, 1, repeat('n', 100) FROM generate_series(1, 20000) n;`);
    const few = await bench.open({ maxRows: 100 });
    await few.run('UPDATE p SET id = 1 WHERE id = 1');
    const before = bytesRead(few);
    await few.run('DELETE FROM p WHERE id = 1');
    expect(bytesRead(few) - before).toBeLessThan(60_000);
    expect((await bench.events()).map(summary)).toEqual([
      'delete 1',
      'opaque c: more than 100 rows that foreign keys reach',
    ]);
  });

  test('of which more rows have cascades than are imaged reads no more than that', async () => {
    await bench.reset(`CREATE TABLE p(id int PRIMARY KEY, note text);
      INSERT INTO p SELECT n, repeat('n', 100) FROM generate_series(1, 20000) n;
      CREATE TABLE c(id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE); INSERT INTO c VALUES (1, 1), (2, 2);
      CREATE INDEX ON c(p);`);
    const few = await bench.open({ maxRows: 100 });
    await few.run("UPDATE p SET note = 'known' WHERE id = 1");
    await bench.events();
    const before = bytesRead(few);
    await few.run('DELETE FROM p');
    expect(bytesRead(few) - before).toBeLessThan(60_000);
    expect((await bench.events()).map(summary).sort()).toEqual([
      'count-only p: more than 100 rows at once',
      'opaque c: the foreign keys that point at more than 100 rows of "p"',
    ]);
  });
});

/** The rows that the strict connection has written stand elsewhere in the table. */
function sorted(answer: Answer): Answer {
  return { ...answer, rows: [...answer.rows].sort((a, b) => (a.join() > b.join() ? 1 : -1)) };
}

/** By how much the process is larger at most, in bytes. */
function watchMemory(): { stop(): number } {
  const start = process.memoryUsage().rss;
  let most = start;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(most, process.memoryUsage().rss) - start;
    },
  };
}
