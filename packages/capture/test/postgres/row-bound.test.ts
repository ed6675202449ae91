import { describe, expect, test } from 'vitest';
import { readWriteShape } from '../../src/postgres/read-write-shape.js';
import { rowBound } from '../../src/postgres/row-bound.js';

function bound(sql: string, ...key: readonly string[]): number {
  const write = readWriteShape(sql);
  if (write.verb !== 'update' && write.verb !== 'insert' && write.verb !== 'delete' && write.verb !== 'merge')
    throw new Error(`${write.verb} is no write of rows`);
  return rowBound(sql, write, { key: key.length === 0 ? ['id'] : key });
}

describe('how many rows a write can touch by its text', () => {
  test.each([
    ['UPDATE t SET v = 1 WHERE id = 1', 1],
    ['UPDATE "public"."t" SET "v" = $1 WHERE ("public"."t"."id" = $2 AND 1=1) RETURNING "id"', 1],
    ["DELETE FROM t x WHERE v > 3 AND (x.id = $1::text) AND n <> 'OR'", 1],
    ['UPDATE t SET v = u.v FROM u WHERE t.id = $1 AND u.id = t.u', 1],
    ['UPDATE t SET v = u.v FROM u WHERE id = $1', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = u.v FROM u WHERE u.id = $1', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1 WHERE id = 1 OR v = 2', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1 WHERE (id = 1 OR v = 2) AND v = 3', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1 WHERE NOT t.id = 1', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1 WHERE id >= 1 AND id <> 7', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1 WHERE id = other', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1 WHERE id = 1 + v', Number.POSITIVE_INFINITY],
    ['UPDATE t SET v = 1', Number.POSITIVE_INFINITY],
    ['INSERT INTO t VALUES (1, (2)), (3, f(4)) ON CONFLICT (id) DO UPDATE SET v = (9) RETURNING (id)', 2],
    ['INSERT INTO t (id, v) VALUES ($1, $2)', 1],
    ['INSERT INTO t DEFAULT VALUES', 1],
    ['INSERT INTO t (id) SELECT 1', Number.POSITIVE_INFINITY],
    ['INSERT INTO t VALUES (1) UNION ALL SELECT n FROM u', Number.POSITIVE_INFINITY],
    ['INSERT INTO t (SELECT n FROM u)', Number.POSITIVE_INFINITY],
  ])('%s: %d', (sql, expected) => {
    expect(bound(sql)).toBe(expected);
  });

  test('a composite key is held by all of its columns', () => {
    expect(bound('DELETE FROM t WHERE a = $1 AND b = $2', 'a', 'b')).toBe(1);
    expect(bound('DELETE FROM t WHERE a = $1', 'a', 'b')).toBe(Number.POSITIVE_INFINITY);
  });
});
