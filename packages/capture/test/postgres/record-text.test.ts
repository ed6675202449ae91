import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openRaw } from '../../../postgres/test/raw-connection.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { type ArrayItems, parseArray, parseRecord } from '../../src/postgres/record-text.js';

const hard = fc.constantFrom(
  '',
  ' ',
  'NULL',
  'null',
  'Null',
  '"',
  '""',
  '\\',
  '\\"',
  "'",
  ',',
  ';',
  '()',
  '(,)',
  '{}',
  '{a,b}',
  '[0:1]={a,b}',
  '\n\t\v',
  '👩‍⚕️',
  '\u2028',
  '\u00a0',
);
const text = fc.oneof(
  hard,
  fc.string({ maxLength: 12 }),
  fc
    .string({ unit: 'binary', maxLength: 8 })
    // Neither is text of PostgreSQL.
    .map((value) => Buffer.from(value.replaceAll('\0', '')).toString()),
);
const field = fc.oneof(fc.constant(null), text);
/** Three rows of two, and so on: PostgreSQL knows no ragged arrays. */
const matrix = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(field, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

test.each<[string, readonly (string | null)[]]>([
  ['(1,t,)', ['1', 't', null]],
  ['("",,"")', ['', null, '']],
  ['(,)', [null, null]],
  ['("a ""b"" c","\\\\x00","a,b","(1,""2"")")', ['a "b" c', '\\x00', 'a,b', '(1,"2")']],
  ['("a\\"b")', ['a"b']],
  ['("{""a"": [1, 2]}")', ['{"a": [1, 2]}']],
])('the record %s is read', (record, fields) => {
  expect(parseRecord(record)).toEqual(fields);
});

test.each<[string, string, ArrayItems]>([
  ['{}', ',', []],
  ['{1,NULL,"NULL",""}', ',', ['1', null, 'NULL', '']],
  [
    '{{1,2},{3,4}}',
    ',',
    [
      ['1', '2'],
      ['3', '4'],
    ],
  ],
  ['[0:2]={a,b,c}', ',', ['a', 'b', 'c']],
  [
    '[-1:0][2:3]={{a,b},{c,d}}',
    ',',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['{(1,1),(0,0);(3,3),(2,2)}', ';', ['(1,1),(0,0)', '(3,3),(2,2)']],
  ['{"a\\"b","c\\\\d","{x}"}', ',', ['a"b', 'c\\d', '{x}']],
])('the array %s is read', (array, delimiter, items) => {
  expect(parseArray(array, delimiter)).toEqual(items);
});

test('text that is no record or no array is an error that tells nothing of it', () => {
  for (const broken of ['', 'secret', '(secret', '("secret', '(a)secret', '("secret"x)', '("secret\\'])
    expect(() => parseRecord(broken)).toThrow(/^(?:this is no record|a quoted value does not end)$/);
  for (const broken of ['', 'secret', '{secret', '{"secret', '{a}secret', '{{secret}', '{"a"secret}', '[0:1'])
    expect(() => parseArray(broken)).toThrow(/^(?:this is no array|a quoted value does not end)$/);
});

test('a long text is read in linear time', () => {
  const start = performance.now();
  const long = '\\"'.repeat(500_000);
  expect(parseRecord(`("${long}",${'a'.repeat(1_000_000)})`)[0]).toBe('"'.repeat(500_000));
  expect(parseArray(`{"${long}",${'a'.repeat(1_000_000)}}`)[0]).toBe('"'.repeat(500_000));
  expect(performance.now() - start).toBeLessThan(2_000);
});

describePostgres('what record and array output write', (server) => {
  test('is read as it was stored, whatever it holds', async () => {
    const database = await server.createDatabase();
    const raw = await openRaw(database.url);
    await fc.assert(
      fc.asyncProperty(fc.array(field, { minLength: 1, maxLength: 6 }), matrix, async (fields, items) => {
        const list = fields.map((_, index) => `$${index + 1}::text`).join(', ');
        const [record] = await raw.all(`SELECT ROW(${list})::text AS text`, fields);
        expect(parseRecord(String(record?.text))).toEqual(fields);
        const [row] = await raw.all('SELECT $1::text[]::text AS text, ROW($1::text[])::text AS record', [
          items,
        ]);
        expect(parseArray(String(row?.text))).toEqual(items);
        const [within] = parseRecord(String(row?.record));
        expect(within).toBe(row?.text);
      }),
      { numRuns: 300 },
    );
    await raw.close();
    await database.drop();
  });
});
