import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createCaptureEngine } from '../../src/capture-engine.js';
import type { CaptureTransaction } from '../../src/capture-transaction.js';
import { createPostgresDialect } from '../../src/postgres/postgres-dialect.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const TABLE = 'CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t VALUES (1,1),(2,2),(3,3);';

/** A transaction of an ORM that goes on, for all that the ORM knows, whatever SQL the application sends. */
describePostgres('a transaction that SQL of the application ends', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  async function told(...statements: readonly string[]) {
    await bench.reset(TABLE);
    const { client } = bench.caller;
    const connection = {
      query: async (sql: string, params: readonly unknown[] = []) =>
        (await client.query({ text: sql, values: [...params], rowMode: 'array' })).rows,
      execute: async (sql: string, params: readonly unknown[] = []) =>
        (await client.query(sql, [...params])).rowCount ?? 0,
    };
    const engine = createCaptureEngine({
      audit: () => bench.audit,
      dialect: createPostgresDialect(),
      nameModel: () => undefined,
      where: 'test',
    });
    await engine.prepare(connection);
    await client.query('BEGIN');
    const follow: CaptureTransaction = engine.transaction(connection);
    for (const sql of statements) {
      await follow.run(
        sql,
        () => client.query(sql),
        async (rewritten) => {
          const { rows } = await client.query({ text: rewritten.sql, rowMode: 'array' });
          const result = await client.query('SELECT 1');
          return { result, rows: rows.map((row) => row.slice(row.length - rewritten.columns)) };
        },
      );
    }
    const { rows } = await bench.outside.query<{ v: number }>('SELECT v FROM t ORDER BY id');
    return { events: await bench.events(), values: rows.map(({ v }) => v) };
  }

  const FIRST = 'UPDATE t SET v = 11 WHERE id = 1';
  const SECOND = 'UPDATE t SET v = 12 WHERE id = 2';

  test('and goes on in another one with AND CHAIN, is told in two', async () => {
    const kept = await told(FIRST, 'COMMIT AND CHAIN', SECOND, 'COMMIT');
    expect(kept.values).toEqual([11, 12, 3]);
    expect(kept.events.map(summary)).toEqual(['update 1 v', 'update 2 v']);
    expect(new Set(kept.events.map(({ context }) => context?.transactionId)).size).toBe(2);
    const undone = await told(FIRST, 'COMMIT AND CHAIN', SECOND, 'ROLLBACK');
    expect(undone.values).toEqual([11, 2, 3]);
    expect(undone.events.map(summary)).toEqual(['update 1 v']);
    const first = await told(FIRST, 'ROLLBACK AND CHAIN', SECOND, 'COMMIT');
    expect(first.values).toEqual([1, 12, 3]);
    expect(first.events.map(summary)).toEqual(['update 2 v']);
  });

  test('leaves no later write without its event, whatever the ORM does in the end', async () => {
    const kept = await told(FIRST, 'COMMIT', SECOND, 'ROLLBACK');
    expect(kept.values).toEqual([11, 12, 3]);
    expect(kept.events.map(summary)).toEqual(['update 1 v', 'update 2 v']);
    expect(new Set(kept.events.map(({ context }) => context?.transactionId)).size).toBe(2);
    const again = await told('ROLLBACK', FIRST, 'BEGIN', SECOND, 'ROLLBACK');
    expect(again.values).toEqual([11, 2, 3]);
    expect(again.events.map(summary)).toEqual(['update 1 v']);
  });
});
