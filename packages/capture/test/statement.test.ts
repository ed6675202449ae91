import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStatement, StatementReader, textWithoutValues } from '../src/statement.js';

describe('what a statement is', () => {
  test.each([
    ['SELECT 1', 'read'],
    ['  (SELECT 1)', 'read'],
    ["SELECT replace(a, 'x', 'y') FROM t", 'read'],
    ["SELECT ';' || a FROM t WHERE b = 'UPDATE'", 'read'],
    ['WITH x AS (SELECT replace(a, 1, 2) FROM t) SELECT * FROM x', 'read'],
    ['EXPLAIN UPDATE t SET a = 1', 'read'],
    ['EXPLAIN QUERY PLAN DELETE FROM t;', 'read'],
    ['EXPLAIN ANALYZE UPDATE t SET a = 1', 'write'],
    ['EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t', 'write'],
    ['EXPLAIN SELECT 1; DELETE FROM t', 'write'],
    ['PRAGMA foreign_keys = 0', 'other'],
    ['VACUUM', 'other'],
    ['', 'other'],
    ['-- nothing', 'other'],
    ['; -- lead\n /* UPDATE */ ((\n INSERT INTO t VALUES (1)', 'write'],
    ['WITH x AS (SELECT 1) UPDATE t SET a = 1', 'write'],
    ['with x as (select 1) insert into t select * from x', 'write'],
    ['REPLACE INTO t VALUES (1)', 'write'],
    ['TRUNCATE t', 'write'],
    ['SELECT 1; UPDATE t SET a = 2', 'write'],
    ['PRAGMA user_version; delete from t', 'write'],
    ['SELECT $a$ UPDATE t SET x = $a$', 'read'],
    ['WITH q AS (SELECT $a$) UPDATE t SET x = $a$', 'write'],
    ['CREATE TABLE t(a)', 'schema'],
    [
      '/* x */ CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = 1; DELETE FROM u; END',
      'schema',
    ],
    ['ALTER TABLE t DROP COLUMN a; -- done', 'schema'],
    ['BEGIN; -- x', 'begin'],
    ['START TRANSACTION', 'begin'],
    ['COMMIT; SELECT 1', 'commit'],
    ['/* ; */ END TRANSACTION', 'commit'],
    ['ROLLBACK;;', 'rollback'],
    ['ROLLBACK TRANSACTION', 'rollback'],
    ['ROLLBACK TO x', 'rollback-to'],
    ['ROLLBACK TRANSACTION TO SAVEPOINT "a;b"', 'rollback-to'],
    ["SAVEPOINT 'a'", 'savepoint'],
    ['RELEASE x', 'release'],
  ] as const)('%s is a %s', (sql, kind) => {
    expect(readStatement(sql).kind).toBe(kind);
  });

  test('names a savepoint the same way, however it is written', () => {
    for (const sql of [
      'SAVEPOINT Ab',
      'SAVEPOINT "aB"',
      "RELEASE SAVEPOINT 'AB'",
      'ROLLBACK TO [ab]; -- x',
    ]) {
      expect(readStatement(sql).savepoint).toBe('ab');
    }
    expect(readStatement('SAVEPOINT "it""s;"').savepoint).toBe('it"s;');
  });

  test('names every table that could be meant', () => {
    const sql = `UPDATE main."We""ird" SET a = (SELECT max(b) FROM [other one]) FROM 'third' WHERE Ä IN (SELECT c FROM ä)`;
    const { names } = readStatement(sql);
    for (const name of ['we"ird', 'other one', 'third', 'Ä', 'ä']) expect(names.has(name)).toBe(true);
  });

  test('a replace that is a function is no REPLACE', () => {
    expect(readStatement("UPDATE t SET a = replace (a, 'x', 'y')").words.has('REPLACE')).toBe(false);
    expect(readStatement('UPDATE OR REPLACE t SET a = 1').words.has('REPLACE')).toBe(true);
    expect(readStatement('INSERT OR REPLACE INTO t VALUES (1)').words.has('REPLACE')).toBe(true);
  });

  test.each([
    ['UPDATE t SET a = 1, "B" = 2 WHERE c = 3', ['a', 'b']],
    ['UPDATE t SET (a, b) = (SELECT 1, 2 FROM u WHERE x = y), c = 1 FROM v WHERE d = 1', ['a', 'b', 'c']],
    ['UPDATE t SET a = b IS DISTINCT FROM c, id = 5 WHERE x', ['a', 'id']],
    ['UPDATE t SET a = CASE WHEN (SELECT 1 FROM u LIMIT 1) THEN 1 END, id = 5', ['a', 'id']],
    [
      'INSERT INTO t VALUES (1) ON CONFLICT (x) DO UPDATE SET a = 1 WHERE d ON CONFLICT DO UPDATE SET id = 2 RETURNING e',
      ['a', 'id'],
    ],
    ["UPDATE t SET 'it''s' = 1, [b c] = 2, rowid = 3", ["it's", 'b c', 'rowid']],
  ] as const)('%s assigns its columns', (sql, columns) => {
    const { assigned } = readStatement(sql);
    for (const column of columns) expect(assigned.has(column)).toBe(true);
    for (const other of ['d', 'e']) expect(assigned.has(other)).toBe(false);
  });

  test('comments in a row do not take time that explodes', () => {
    const start = performance.now();
    readStatement(`${'/**/'.repeat(50_000)}1`);
    readStatement(`${'/**/--\n;('.repeat(50_000)}/*`);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test('the cache gives the same answer, and stays bounded', () => {
    const reader = new StatementReader(readStatement);
    const first = reader.read('UPDATE t SET a = 1');
    expect(reader.read('UPDATE t SET a = 1')).toBe(first);
    for (let n = 0; n < 1_500; n += 1) reader.read(`SELECT ${n}`);
    expect(reader.read('UPDATE t SET a = 1')).not.toBe(first);
    expect(reader.read('UPDATE t SET a = 1')).toEqual(first);
    const long = `UPDATE t SET a = '${'x'.repeat(30_000)}'`;
    expect(reader.read(long)).not.toBe(reader.read(long));
  });
});

describe('textWithoutValues', () => {
  test('keeps the shape and drops every value and comment', () => {
    const sql = `UPDATE OR IGNORE "User" AS u SET "name" = 'Ada''s', u."age"=42, c = x'FF', d = $$secret$$ -- hidden
      /* hidden */ WHERE b = "hidden" AND id IN (?1, :id, 1e5)`;
    const text = textWithoutValues(sql);
    expect(text).toBe(
      'UPDATE OR IGNORE "User" AS u SET "name" = ?, u."age"=?, c = ?, d = ? WHERE b = ? AND id IN (?1, :id, ?)',
    );
  });

  test('is cut at its limit', () => {
    expect(textWithoutValues(`SELECT ${'a, '.repeat(5_000)}b`).length).toBeLessThanOrEqual(2_001);
  });

  test('never holds a literal', () => {
    const secret = fc
      .string({ minLength: 1, maxLength: 8 })
      .map((text) => `K7${text.replaceAll('\0', '')}Q9`);
    const literal = secret.chain((text) =>
      fc.constantFrom(
        `'${text.replaceAll("'", "''")}'`,
        `x'${Buffer.from(text).toString('hex')}'`,
        `-- ${text.replaceAll('\n', ' ')}\n`,
        `/* ${text.replaceAll('*/', '')} */`,
        ` = "${text.replaceAll('"', '""')}"`,
      ),
    );
    const piece = fc.oneof(fc.constantFrom('a', ' = ', ', ', '(', ')', ' WHERE ', '"b".c', ' '), literal);
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.constantFrom('', "'K7", '/* K7', '$$ K7'),
        (pieces, end) => {
          const text = textWithoutValues(`UPDATE t SET a = 1 ${pieces.join(' ')} ${end}`);
          expect(text).not.toMatch(/K7|Q9/);
          expect(text).not.toContain(Buffer.from('K7').toString('hex'));
        },
      ),
      { numRuns: 500 },
    );
  });
});
