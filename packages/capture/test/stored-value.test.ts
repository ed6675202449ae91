import fc from 'fast-check';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import type { StoredValue } from '../src/dialect.js';
import { imageExpression, quoteName, SqliteImage } from '../src/sqlite/stored-value.js';

const COLUMNS = ['TEXT', 'INTEGER', 'REAL', 'BLOB', 'DECIMAL', 'DATETIME', 'JSONB', ''].map(
  (declaredType, n) => ({
    name: `c${n} "q"`,
    declaredType,
  }),
);

/** A value as an SQL expression, so that no driver stands between it and the table, and what it must read as. */
interface Written {
  readonly sql: string;
  readonly is: StoredValue;
}

const bytes = fc.uint8Array({ maxLength: 12 });
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const written: fc.Arbitrary<Written> = fc.oneof(
  fc.constant<Written>({ sql: 'NULL', is: { type: 'null' } }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(
    (value): Written => ({
      sql: value === -(2n ** 63n) ? '-9223372036854775807 - 1' : String(value),
      is: { type: 'integer', text: String(value) },
    }),
  ),
  bytes.map((value): Written => ({ sql: `x'${hex(value)}'`, is: { type: 'bytes', bytes: value } })),
  fc
    .string({ unit: 'binary', maxLength: 8 })
    .map((value) => Buffer.from(value).toString())
    .map(
      (value): Written => ({
        sql: `CAST(x'${hex(Buffer.from(value))}' AS TEXT)`,
        is: { type: 'text', text: value },
      }),
    ),
  fc
    .constantFrom(
      "it's",
      '{"a":',
      'NULL',
      "X'00'",
      '12',
      "t't",
      '\u0000',
      'a\u0000b',
      '\\u0041',
      '👩‍⚕️',
      '\u2028',
      '"',
      "''",
    )
    .map(
      (value): Written => ({
        sql: `CAST(x'${hex(Buffer.from(value))}' AS TEXT)`,
        is: { type: 'text', text: value },
      }),
    ),
);

describe('the image of a row', () => {
  test('tells every value of every storage class as it was stored', () => {
    const database = new Database(':memory:');
    // BLOB affinity changes nothing; the declared type decides only how the image is made.
    database.exec(`CREATE TABLE t(${COLUMNS.map(({ name }) => quoteName(name)).join(', ')})`);
    const read = database.prepare(`SELECT hex(${imageExpression('t', COLUMNS)}) FROM t`).raw();
    const textual = new Set(['TEXT', 'BLOB', 'JSONB', '']);
    fc.assert(
      fc.property(fc.array(written, { minLength: COLUMNS.length, maxLength: COLUMNS.length }), (values) => {
        database.exec(`DELETE FROM t; INSERT INTO t VALUES (${values.map(({ sql }) => sql).join(', ')})`);
        const [image] = read.get() as [string];
        const row = new SqliteImage(image);
        for (const [position, { is }] of values.entries()) {
          // Elsewhere quote() cuts at a NUL, which no number, date or boolean holds.
          const mayBeCut =
            is.type === 'text' &&
            is.text.includes('\0') &&
            !textual.has(COLUMNS[position]?.declaredType ?? '');
          if (mayBeCut) continue;
          const told = row.value(position);
          expect(told.type === 'bytes' ? { ...told, bytes: Uint8Array.from(told.bytes) } : told).toEqual(is);
        }
        expect(new SqliteImage(image).equals(row, 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
    database.close();
  });

  test('tells reals so that they read back the same, infinities too', () => {
    const database = new Database(':memory:');
    database.exec('CREATE TABLE t(v)');
    const insert = database.prepare('INSERT INTO t VALUES (?)');
    const column = [{ name: 'v', declaredType: '' }];
    const read = database.prepare(`SELECT hex(${imageExpression('t', column)}) FROM t`).raw();
    const told = (): StoredValue => new SqliteImage((read.get() as [string])[0]).value(0);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        database.exec('DELETE FROM t');
        insert.run(Number.isInteger(value) ? value + 0.5 : value);
        const stored = told();
        expect(stored.type === 'real' || stored.type === 'integer').toBe(true);
        expect(Number('text' in stored ? stored.text : 'none')).toBe(
          Number.isInteger(value) ? value + 0.5 : value,
        );
      }),
      { numRuns: 300 },
    );
    for (const [sql, text] of [
      ['1e999', 'Inf'],
      ['-1e999', '-Inf'],
      ['-0.0', '0.0'],
    ]) {
      database.exec(`DELETE FROM t; INSERT INTO t VALUES (${sql})`);
      expect(told()).toEqual({ type: 'real', text });
    }
    database.close();
  });

  test('text that is no UTF-8 is told by its bytes, and two such texts differ', () => {
    const one = new SqliteImage(Buffer.from('["ta\xff"]', 'latin1').toString('hex'));
    const two = new SqliteImage(Buffer.from('["ta\xfe"]', 'latin1').toString('hex'));
    expect(one.value(0)).toEqual({ type: 'bytes', bytes: Buffer.from([0x61, 0xff]) });
    expect(one.equals(two, 0)).toBe(false);
  });

  test('quotes names', () => {
    expect(quoteName('a"b')).toBe('"a""b"');
  });
});
