import { describe, expect, test } from 'vitest';
import type { StoredValue } from '../src/dialect.js';
import { fieldValue } from '../src/field-value.js';
import { type FieldType, typeFromDeclaration } from '../src/model-naming.js';

const integer = (text: string): StoredValue => ({ type: 'integer', text });
const real = (text: string): StoredValue => ({ type: 'real', text });
const text = (value: string): StoredValue => ({ type: 'text', text: value });
const NULL: StoredValue = { type: 'null' };

describe('the value of a field', () => {
  test.each<[FieldType, StoredValue, unknown]>([
    ['int', integer('5'), 5],
    ['int', real('5.0'), 5],
    ['int', integer('9223372036854775807'), '9223372036854775807'],
    ['int', text('five'), 'five'],
    ['float', integer('1'), 1],
    ['float', real('1.0'), 1],
    ['float', real('Inf'), Infinity],
    ['float', real('-9.0e+999'), -Infinity],
    ['bigint', integer('9007199254740993'), '9007199254740993'],
    ['bigint', real('1.0e+20'), '100000000000000000000'],
    ['bigint', text('007'), '007'],
    ['boolean', integer('1'), true],
    ['boolean', real('0.0'), false],
    ['boolean', text('true'), true],
    ['boolean', integer('2'), 2],
    ['decimal', text('001.500'), '1.5'],
    ['decimal', real('1.0e-07'), '0.0000001'],
    ['decimal', real('-0.0'), '0'],
    ['decimal', integer('10'), '10'],
    ['decimal', text('1.2.3'), '1.2.3'],
    ['decimal', text('.'), '.'],
    ['decimal', text('-'), '-'],
    ['json', text('{"a":[1,{"b":null}]}'), { a: [1, { b: null }] }],
    ['json', text('{broken'), '{broken'],
    ['json', integer('1'), 1],
    ['string', integer('5'), '5'],
    ['string', NULL, null],
    ['string', text(''), ''],
    ['datetime', text('2024-01-01 10:00:00'), '2024-01-01T10:00:00.000Z'],
    ['datetime', text('2024-01-01T10:00:00.123456+02:00'), '2024-01-01T08:00:00.123456Z'],
    ['datetime', text('2024-01-01T10:00:00.500000Z'), '2024-01-01T10:00:00.500Z'],
    ['datetime', text('2024-01-01T10:00-0530'), '2024-01-01T15:30:00.000Z'],
    ['datetime', text('2024-01-01T00:30:00+01'), '2023-12-31T23:30:00.000Z'],
    ['datetime', text('2026-01-02 03:04:05.123456+00'), '2026-01-02T03:04:05.123456Z'],
    ['datetime', text('1937-06-30 00:00:00+00:19:32'), '1937-06-29T23:40:28.000Z'],
    ['datetime', text('1900-01-01 00:00:00.000001-04:56:02'), '1900-01-01T04:56:02.000001Z'],
    ['datetime', text('2024-01-01 10:00:00+25'), '2024-01-01 10:00:00+25'],
    ['datetime', text('2024-01-01 10:00:00+01:60'), '2024-01-01 10:00:00+01:60'],
    ['datetime', text('0044-03-15 10:00:00+00 BC'), '0044-03-15 10:00:00+00 BC'],
    ['datetime', text('12026-01-02 03:04:05+00'), '12026-01-02 03:04:05+00'],
    ['datetime', text('9999-12-31 23:59:59-02'), '+010000-01-01T01:59:59.000Z'],
    ['datetime', text('-infinity'), '-infinity'],
    ['float', real('Infinity'), Infinity],
    ['float', real('-Infinity'), -Infinity],
    ['float', real('NaN'), Number.NaN],
    ['float', real('1e+20'), 1e20],
    ['decimal', text('NaN'), 'NaN'],
    ['decimal', text('-Infinity'), '-Infinity'],
    [
      'int',
      { type: 'list', items: [integer('1'), NULL, { type: 'list', items: [integer('2')] }] },
      [1, null, [2]],
    ],
    ['json', { type: 'list', items: [text('{"a":1}'), text('"b"')] }, [{ a: 1 }, 'b']],
    ['datetime', { type: 'list', items: [text('2024-01-01 10:00:00')] }, ['2024-01-01T10:00:00.000Z']],
    ['datetime', integer('1704067200000'), '2024-01-01T00:00:00.000Z'],
    ['datetime', integer('99999999999999999'), '99999999999999999'],
    ['datetime', text('2024-02-30T10:00:00Z'), '2024-02-30T10:00:00Z'],
    ['datetime', text('yesterday'), 'yesterday'],
  ])('of type %s, stored as %o, is %o', (type, stored, expected) => {
    expect(fieldValue(stored, type)).toEqual(expected);
  });

  test('a decimal of many digits or of a huge exponent stays a decimal, and takes no time', () => {
    const digits = '9'.repeat(10_000);
    expect(fieldValue(text(`${digits}.50`), 'decimal')).toBe(`${digits}.5`);
    const start = performance.now();
    expect(fieldValue(text('1e999999999'), 'decimal')).toBe('1e999999999');
    expect(fieldValue(text(`${'0'.repeat(200_000)}x`), 'decimal')).toBe(`${'0'.repeat(200_000)}x`);
    expect(performance.now() - start).toBeLessThan(500);
  });

  test('a number in JSON that JavaScript would round is told as text, and the others as numbers', () => {
    const json =
      '{"n":9007199254740993,"m":9007199254740992,"d":0.1,"long":0.10000000000000000001,"e":1e400,"s":"1e400 \\" 9007199254740993","x":1.50,"y":1E2}';
    expect(fieldValue(text(json), 'json')).toEqual({
      n: '9007199254740993',
      m: 9007199254740992,
      d: 0.1,
      long: '0.10000000000000000001',
      e: '1e400',
      s: '1e400 " 9007199254740993',
      x: 1.5,
      y: 100,
    });
  });

  test('bytes are bytes in every type', () => {
    const bytes = new Uint8Array([0, 255]);
    for (const type of ['string', 'int', 'json', 'datetime', 'bytes'] as const) {
      expect(fieldValue({ type: 'bytes', bytes }, type)).toBe(bytes);
    }
  });

  test('equal values in different forms are one value, different ones are not', () => {
    const same = (type: FieldType, ...stored: StoredValue[]): unknown =>
      new Set(stored.map((one) => JSON.stringify(fieldValue(one, type)))).size;
    expect(
      same('decimal', text('1.0'), integer('1'), real('1.0'), text('+1'), text('1.000'), text('1e0')),
    ).toBe(1);
    expect(same('float', integer('1'), real('1.0'))).toBe(1);
    expect(
      same(
        'datetime',
        text('2024-05-01T12:00:00+02:00'),
        text('2024-05-01 10:00:00.000'),
        integer('1714557600000'),
      ),
    ).toBe(1);
    expect(same('boolean', integer('1'), text('true'), real('1.0'))).toBe(1);
    expect(same('boolean', integer('0'), NULL)).toBe(2);
    expect(same('string', text(''), NULL)).toBe(2);
    expect(same('json', text('[1,2]'), text('[2,1]'), text('[1]'))).toBe(3);
  });

  test.each([
    ['BOOLEAN', 'boolean'],
    ['DATETIME', 'datetime'],
    ['TIMESTAMP WITH TIME ZONE', 'datetime'],
    ['JSONB', 'json'],
    ['DECIMAL(10,2)', 'decimal'],
    ['BIGINT', 'bigint'],
    ['UNSIGNED BIG INT', 'int'],
    ['INTEGER', 'int'],
    ['DOUBLE PRECISION', 'float'],
    ['BLOB', 'bytes'],
    ['VARCHAR(20)', 'string'],
    ['', 'string'],
  ] as const)('a column declared as %s holds a %s', (declared, type) => {
    expect(typeFromDeclaration(declared)).toBe(type);
  });
});
