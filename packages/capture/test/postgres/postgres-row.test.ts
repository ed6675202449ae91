import { toJson } from '@indelible/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres, type TestDatabase } from '../../../postgres/test/test-postgres.js';
import type { StoredValue } from '../../src/dialect.js';
import { fieldValue } from '../../src/field-value.js';
import { type FieldType, typeFromDeclaration } from '../../src/model-naming.js';
import {
  PostgresCatalogue,
  type PostgresColumn,
  type PostgresTable,
} from '../../src/postgres/postgres-catalogue.js';
import { PostgresRow } from '../../src/postgres/postgres-row.js';
import { openRawCapture, type RawCapture } from './raw-capture.js';

const TYPES = `CREATE TYPE mood AS ENUM ('sad', 'o''k', 'true', '1.50');
  CREATE TYPE boolean_state AS ENUM ('true', 'no');
  CREATE DOMAIN age AS int CHECK (VALUE > 0); CREATE DOMAIN old_age AS age;
  CREATE DOMAIN ages AS int[]; CREATE DOMAIN price AS numeric(10, 2);
  CREATE TYPE pair AS (a int, b text);`;

/** Type, SQL value, the field type that is guessed for a column that no ORM names, and what an event then says. */
const VALUES: readonly (readonly [type: string, sql: string, guessed: FieldType, told: unknown])[] = [
  ['boolean', 'true', 'boolean', true],
  ['boolean', 'false', 'boolean', false],
  ['boolean', 'NULL', 'boolean', null],
  ['smallint', '-32768', 'int', -32768],
  ['integer', '2147483647', 'int', 2147483647],
  ['bigint', '-9223372036854775808', 'bigint', '-9223372036854775808'],
  ['oid', '4294967295', 'string', '4294967295'],
  ['real', '0.1', 'float', 0.1],
  ['double precision', '1e300', 'float', 1e300],
  ['double precision', '0.1::float8 + 0.2', 'float', 0.30000000000000004],
  ['double precision', "'NaN'", 'float', toJson(Number.NaN)],
  ['double precision', "'Infinity'", 'float', toJson(Number.POSITIVE_INFINITY)],
  ['real', "'-Infinity'", 'float', toJson(Number.NEGATIVE_INFINITY)],
  ['numeric(40,10)', '123456789012345678901234567890.50', 'decimal', '123456789012345678901234567890.5'],
  ['numeric', "'NaN'", 'decimal', 'NaN'],
  ['numeric', "'-Infinity'", 'decimal', '-Infinity'],
  ['money', '12.5', 'string', '$12.50'],
  ['text', "''", 'string', ''],
  ['text', `E'a"b\\\\c,(d)\\n''👩‍⚕️ NULL'`, 'string', `a"b\\c,(d)\n'👩‍⚕️ NULL`],
  ['character varying(20)', "'int'", 'string', 'int'],
  ['character(5)', "'ab'", 'string', 'ab   '],
  ['"char"', "'x'", 'string', 'x'],
  ['name', "'n'", 'string', 'n'],
  ['uuid', "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", 'string', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['bytea', `'\\x00ff5c22'`, 'bytes', toJson(Buffer.from('00ff5c22', 'hex'))],
  ['bytea', `''`, 'bytes', toJson(Buffer.alloc(0))],
  ['json', `'{"b": 1,  "a": [null, "x\\"y"]}'`, 'json', { b: 1, a: [null, 'x"y'] }],
  [
    'jsonb',
    `'{"n": 9007199254740993, "__proto__": 1}'`,
    'json',
    JSON.parse('{"n":"9007199254740993","__proto__":1}'),
  ],
  ['jsonb', `'null'`, 'json', null],
  ['jsonpath', `'$.a'`, 'string', '$."a"'],
  ['timestamp with time zone', "'2026-01-02 03:04:05.123456+00'", 'datetime', '2026-01-02T03:04:05.123456Z'],
  ['timestamp(0) with time zone', "'2026-01-02 03:04:05.9+00'", 'datetime', '2026-01-02T03:04:06.000Z'],
  ['timestamp without time zone', "'2026-01-02 03:04:05'", 'datetime', '2026-01-02T03:04:05.000Z'],
  ['timestamp with time zone', "'1850-01-01 00:00:00.5+00'", 'datetime', '1850-01-01T00:00:00.500Z'],
  ['timestamp with time zone', "'infinity'", 'datetime', 'infinity'],
  ['timestamp without time zone', "'0044-03-15 12:00 BC'", 'datetime', '0044-03-15 12:00:00 BC'],
  ['timestamp without time zone', "'12026-01-02 12:00'", 'datetime', '12026-01-02 12:00:00'],
  ['date', "'2026-01-02'", 'string', '2026-01-02'],
  ['date', "'-infinity'", 'string', '-infinity'],
  ['time without time zone', "'03:04:05.123456'", 'string', '03:04:05.123456'],
  ['time with time zone', "'03:04:05+02'", 'string', '03:04:05+02'],
  ['interval', "'1 year 2 days 03:04:05.6'", 'int', '1 year 2 days 03:04:05.6'],
  ['point', "'(1,2)'", 'int', '(1,2)'],
  ['box', "'(1,1),(0,0)'", 'string', '(1,1),(0,0)'],
  ['inet', "'10.0.0.1/8'", 'string', '10.0.0.1/8'],
  ['bit(3)', "B'101'", 'string', '101'],
  ['bit varying(5)', "B'1'", 'string', '1'],
  ['xml', `'<a b="c">&amp;</a>'`, 'string', '<a b="c">&amp;</a>'],
  ['tsvector', `'a:1 b:2'`, 'string', `'a':1 'b':2`],
  ['int4range', `'[1,5)'`, 'int', '[1,5)'],
  ['int8range', `'[1,5)'`, 'bigint', '[1,5)'],
  ['numrange', `'[1.0,5)'`, 'string', '[1.0,5)'],
  ['tstzmultirange', `'{}'`, 'string', '{}'],
  ['int2vector', `'1 2'`, 'int', '1 2'],
  ['regclass', `'pg_class'`, 'string', 'pg_class'],
  ['mood', `'o''k'`, 'string', "o'k"],
  ['mood', `'1.50'`, 'string', '1.50'],
  ['boolean_state', `'true'`, 'string', 'true'],
  ['age', '5', 'int', 5],
  ['old_age', '5', 'int', 5],
  ['price', '5', 'decimal', '5'],
  ['pair', `ROW(1, 'a "b"')`, 'string', '(1,"a ""b""")'],
  ['integer[]', `'{1,NULL,3}'`, 'int', [1, null, 3]],
  ['integer[]', `'{}'`, 'int', []],
  [
    'integer[][]',
    `'{{1,2},{3,4}}'`,
    'int',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['integer[]', `'[0:1]={1,2}'`, 'int', [1, 2]],
  ['bigint[]', `'{9007199254740993}'`, 'bigint', ['9007199254740993']],
  ['boolean[]', `'{t,f}'`, 'boolean', [true, false]],
  ['double precision[]', `'{NaN,Infinity}'`, 'float', toJson([Number.NaN, Number.POSITIVE_INFINITY])],
  ['numeric(10,2)[]', `'{1.50}'`, 'decimal', ['1.5']],
  [
    'text[]',
    `ARRAY['NULL', NULL, '', 'a"b\\c', '{x}', ' ']`,
    'string',
    ['NULL', null, '', 'a"b\\c', '{x}', ' '],
  ],
  ['bytea[]', `ARRAY['\\x00'::bytea, '']`, 'bytes', toJson([Buffer.from([0]), Buffer.alloc(0)])],
  ['jsonb[]', `ARRAY['{"a":"}"}'::jsonb, 'null']`, 'json', [{ a: '}' }, null]],
  ['timestamp with time zone[]', `'{2026-01-02 03:04:05+00}'`, 'datetime', ['2026-01-02T03:04:05.000Z']],
  ['box[]', `'{(1,1),(0,0);(3,3),(2,2)}'`, 'string', ['(1,1),(0,0)', '(3,3),(2,2)']],
  ['mood[]', `'{sad}'`, 'string', ['sad']],
  ['age[]', `'{1,2}'`, 'int', [1, 2]],
  ['ages', `'{1,2}'`, 'int', [1, 2]],
  ['ages[]', `'{"{1,2}","{3}"}'`, 'int', [[1, 2], [3]]],
  ['pair[]', `ARRAY[ROW(1, 'a,"b')::pair]`, 'string', ['(1,"a,""b")']],
];

describePostgres('the image of a row', (server) => {
  let database: TestDatabase;
  let connection: RawCapture;
  let table: PostgresTable;
  const name = (index: number): string => `c${index} "q"`;
  const quoted = (index: number): string => `"c${index} ""q"""`;

  async function readImage(settings = ''): Promise<PostgresRow> {
    if (settings !== '') await connection.all(`BEGIN; ${settings}`);
    const [row] = await connection.all('SELECT ROW(t.*)::text AS image FROM t');
    if (settings !== '') await connection.all('ROLLBACK');
    return new PostgresRow(String(row?.image), table.columns);
  }

  function tell(row: PostgresRow, { name: column, declaredType }: PostgresColumn): unknown {
    const position = table.columns.findIndex((other) => other.name === column);
    return toJson(fieldValue(row.value(position), typeFromDeclaration(declaredType)));
  }

  beforeAll(async () => {
    database = await server.createDatabase();
    connection = await openRawCapture(database.url);
    const columns = VALUES.map(([type], index) => `${quoted(index)} ${type}`).join(', ');
    await connection.all(`SET lc_monetary = 'C'; ${TYPES} CREATE TABLE t(${columns})`);
    await connection.all(
      `SET TimeZone = 'UTC'; INSERT INTO t VALUES (${VALUES.map(([, sql]) => sql.replace(/^12\.5$/, "'$12.50'")).join(', ')})`,
    );
    const found = await new PostgresCatalogue().find(connection, 'public', 't');
    if (found === undefined) throw new Error('there is a table');
    table = found;
  });

  afterAll(async () => {
    await connection.close();
    await database.drop();
  });

  test('tells every type, in the type that is guessed for a column that no ORM names', async () => {
    const row = await readImage();
    expect(table.columns.map((column) => column.name)).toEqual(VALUES.map((_, index) => name(index)));
    const told = table.columns.map((column, index) => [
      VALUES[index]?.[0],
      VALUES[index]?.[1],
      typeFromDeclaration(column.declaredType),
      tell(row, column),
    ]);
    expect(told).toEqual(VALUES);
  });

  test('tells bytes whatever the form in which the server writes them', async () => {
    const hex = await readImage();
    const escaped = await readImage('SET LOCAL bytea_output = escape');
    for (const [index, [type]] of VALUES.entries())
      if (type.startsWith('bytea')) expect(escaped.value(index)).toEqual(hex.value(index));
  });

  test('an instant is the same in every time zone, one with seconds too', async () => {
    const utc = await readImage();
    for (const zone of ['Asia/Kolkata', 'America/New_York', 'Europe/Amsterdam']) {
      const there = await readImage(`SET LOCAL TimeZone = '${zone}'`);
      for (const column of table.columns) {
        if (column.declaredType !== 'timestamp with time zone') continue;
        expect(tell(there, column)).toEqual(tell(utc, column));
      }
    }
  });

  test('rows are compared by what is stored', async () => {
    const one = await readImage();
    await connection.all(`BEGIN; UPDATE t SET ${quoted(3)} = 1`);
    const two = await readImage();
    await connection.all('ROLLBACK');
    expect(one.equals(await readImage(), 3)).toBe(true);
    expect(table.columns.flatMap((_, at) => (one.equals(two, at) ? [] : [at]))).toEqual([3]);
  });

  test('an image of another number of columns is an error', () => {
    const row = new PostgresRow('(1,2,3)', table.columns);
    expect(() => row.value(0)).toThrow('3 values for');
    expect(() => row.equals(new PostgresRow('(1,2,4)', table.columns), 0)).toThrow('3 values for');
  });

  test('bytes, reals and integers of every value are read back exactly', async () => {
    const columns = (['bytes', 'real', 'integer'] as const).map(
      (kind): PostgresColumn => ({
        name: kind,
        declaredType: '',
        castType: '',
        typeOid: 0,
        format: { kind },
        isGenerated: false,
        isReadable: true,
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 20 }),
        fc.double(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.constantFrom('hex', 'escape'),
        async (bytes, real, integer, output) => {
          await connection.all(`SET bytea_output = ${output}`);
          const [row] = await connection.all('SELECT ROW($1::bytea, $2::float8, $3::int8)::text AS image', [
            Buffer.from(bytes),
            Object.is(real, -0) ? '-0' : real,
            integer,
          ]);
          const image = new PostgresRow(String(row?.image), columns);
          const read = (value: StoredValue): unknown =>
            value.type === 'bytes' ? Uint8Array.from(value.bytes) : fieldValue(value, 'float');
          expect(read(image.value(0))).toEqual(bytes);
          expect(read(image.value(1))).toBe(real);
          expect(image.value(2)).toEqual({ type: 'integer', text: String(integer) });
        },
      ),
      { numRuns: 200 },
    );
    await connection.all('RESET bytea_output');
  });
});
