import type { AuditEvent } from '@indelible/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresBench, type PostgresBench } from '../../capture/test/postgres/postgres-bench.js';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import { createTriggerBench, type TriggerBench } from './trigger-bench.js';

/** A column's type, and values of it as SQL. Each becomes the next one by an UPDATE. */
const TYPES: readonly (readonly [type: string, ...values: string[]])[] = [
  ['boolean', 'true', 'false', 'NULL'],
  ['smallint', '0', '-32768', '32767'],
  ['integer', '-2147483648', '2147483647'],
  ['bigint', '9007199254740993', '-9223372036854775808', '9223372036854775807'],
  ['numeric', '1.50', '1.5', '0.00', "'NaN'", '12345678901234567890.12345678901234567890', '-0.1', '1e-10'],
  ['numeric(12,2)', '10', '10.50', '-0.01'],
  ['real', '0.1', '1e30', "'Infinity'", "'NaN'", '-0.0'],
  ['double precision', '0.1', '0.30000000000000004', '1e300', '1e-300', "'-Infinity'", "'NaN'", '-0.0', '0'],
  [
    'text',
    "''",
    "'a'",
    'NULL',
    "E'line\\nbreak \\t \\\\ \" \\x01 \\x7f'",
    "'Ünïcödé 😀'",
    "'%s $1 ''quoted'''",
  ],
  ['varchar(10)', "'abc'", "'null'", "'true'"],
  ['char(5)', "'ab'", "'abcde'"],
  ['"char"', "'x'", "'y'"],
  ['name', "'some'", "'other'"],
  ['uuid', "'0198c7a0-1234-7abc-8def-000000000000'", "'0198C7A0-1234-7ABC-8DEF-000000000001'"],
  ['date', "'2024-02-29'", "'0044-03-15 BC'", "'infinity'", "'12024-01-01'"],
  ['time', "'12:34:56'", "'12:34:56.789012'", "'24:00'"],
  ['timetz', "'12:34:56+02'", "'12:34:56.5-03:30'"],
  [
    'timestamp',
    "'2024-01-01'",
    "'2024-01-01 12:34:56.789012'",
    "'infinity'",
    "'12024-01-01'",
    "'0044-03-15 BC'",
  ],
  ['timestamp(3)', "'2024-01-01 12:34:56.700'", "'2024-01-01 12:34:56.78'"],
  [
    'timestamptz',
    "'2024-01-01 00:00+02'",
    "'2024-07-01 12:34:56.789012-03:30'",
    "'-infinity'",
    "'1890-01-01 00:00'",
  ],
  ['interval', "'1 year 2 months'", "'3 days 04:05:06.789'", "'-1 day'"],
  ['bytea', "'\\x00ff10'", "''", "decode(repeat('00ff', 512), 'hex')", "decode(repeat('00ff', 600), 'hex')"],
  [
    'json',
    `'{"a": 1,  "b":[1,2]}'`,
    `'{"b":[1,2],"a":1.0}'`,
    `'"text"'`,
    "'null'",
    `'{"a":2}'`,
    "'12345678901234567890'",
  ],
  [
    'jsonb',
    `'{"a":1,"b":{"c":[true,null,"x"]}}'`,
    `'[12345678901234567890, 0.1, 1.0, 1e400]'`,
    `'{"indelible":"masked","__proto__":{"7":1}}'`,
    `'{"deep":{"password":"hush","tokens":3,"secret":null}}'`,
    "'null'",
    `'"12345678901234567890"'`,
    `'"a \\"$indelible\\": b"'`,
  ],
  ['integer[]', "'{1,2,3}'", "'{3,2,1}'", "'{}'", "'{{1,2},{3,NULL}}'", "'[5:6]={1,2}'"],
  ['bigint[]', "'{9007199254740993,1}'", "'{NULL}'"],
  ['numeric[]', "'{1.50,NaN}'", "'{{1.0},{2.00}}'"],
  ['text[]', `'{a,"b c","quo\\"te",NULL,"NULL"}'`, `'{a,"",","}'`],
  ['timestamptz[]', "'{2024-01-01 00:00+02}'", "ARRAY[timestamptz '2024-01-01 00:00:00.123456Z', NULL]"],
  ['bytea[]', "ARRAY['\\x00'::bytea, NULL]", "ARRAY['\\xff'::bytea]"],
  ['jsonb[]', `ARRAY['{"a":1}'::jsonb, 'null']`, `ARRAY['[1,2]'::jsonb]`],
  ['boolean[]', "'{t,f,NULL}'", "'{f}'"],
  ['double precision[]', "'{1.5,Infinity,NaN}'", "'{-0,1e300}'"],
  ['mood', "'sad'", "'happy'"],
  ['mood[]', "'{sad,happy}'", "'{happy}'"],
  ['positive', '1', '2'],
  ['moment', "'2024-01-01 00:00+02'", "'2024-01-01 00:00+03'"],
  ['pair', 'ROW(1, \'a "b" \\ c\')', "ROW(NULL, '')", 'ROW(2, NULL)'],
  ['pair[]', "ARRAY[ROW(1, 'a,b')::pair, NULL]", "ARRAY[ROW(2, 'c')::pair]"],
  ['inet', "'10.0.0.1'", "'10.0.0.0/8'", "'::1'"],
  ['cidr', "'10.0.0.0/8'", "'192.168.0.0/16'"],
  ['macaddr', "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"],
  ['money', "'12.34'", "'1,000.00'"],
  ['bit(4)', "B'1010'", "B'0000'"],
  ['varbit', "B'101'", "B''"],
  ['point', "'(1,2)'", "'(1.5,-2)'"],
  ['box', "'((1,1),(0,0))'", "'((2,2),(0,0))'"],
  ['box[]', "ARRAY[box '((1,1),(0,0))', box '((2,2),(0,0))']", "'{}'"],
  ['int4range', "'[1,5)'", "'empty'"],
  ['int8range', "'[1,9007199254740993)'", "'(,)'"],
  ['tstzrange', "'[2024-01-01 00:00Z,)'", "'empty'"],
  ['int4multirange', "'{[1,2),[5,7)}'", "'{}'"],
  ['tsvector', "'a fat cat'", "'dog'"],
  ['xml', "'<a>1</a>'", "'<b/>'"],
  ['oid', '1', '4294967295'],
  ['regclass', "'pg_class'", "'pg_proc'"],
];

const OWN_TYPES = `
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TYPE pair AS (a int, b text);
  CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
  CREATE DOMAIN moment AS timestamptz;
`;

/** What the two ways must agree on. */
function essence({ action, category, outcome, resource, change, details, tags }: AuditEvent): unknown {
  const id = tags?.includes('no-primary-key') === true ? 'row' : resource?.id;
  return {
    action,
    category,
    outcome,
    resource: { type: resource?.type, id },
    change:
      change === undefined ? undefined : { ...change, fields: change.fields && [...change.fields].sort() },
    newResourceId: details?.newResourceId,
    tags,
  };
}

describePostgres('triggers and the engine', (server) => {
  let engine: PostgresBench;
  let triggers: TriggerBench;
  beforeAll(async () => {
    engine = await createPostgresBench(server);
    triggers = await createTriggerBench(server);
  });
  afterAll(async () => {
    await engine.close();
    await triggers.close();
  });

  async function agree(schema: string, statements: readonly string[]): Promise<readonly AuditEvent[]> {
    await engine.reset(schema);
    await triggers.reset(schema);
    for (const settings of ["SET TimeZone = 'UTC'"]) {
      await engine.caller.client.query(settings);
      await triggers.raw.query(settings);
    }
    const all: AuditEvent[] = [];
    for (const sql of statements) {
      await engine.run(sql);
      await triggers.sql(sql);
      const expected = await engine.events();
      const told = await triggers.events();
      expect(told.map(essence), sql).toEqual(expected.map(essence));
      all.push(...told);
    }
    return all;
  }

  test.each(TYPES.map((entry) => [entry[0], entry] as const))(
    'tell the same of %s',
    async (type, [, ...values]) => {
      const told = await agree(
        `${OWN_TYPES} CREATE TABLE item (id int PRIMARY KEY, value ${type}, note text)`,
        [
          ...values.map((value, at) => `INSERT INTO item VALUES (${at + 1}, ${value}, 'n')`),
          ...values.map((value) => `UPDATE item SET note = note, value = ${value} WHERE id = 1`),
          'DELETE FROM item',
        ],
      );
      expect(told.length).toBeGreaterThanOrEqual(2 * values.length);
      await triggers.verifies();
    },
  );

  test('tell the same of keys of any form', async () => {
    await agree(
      `CREATE TABLE composite (b text, "A" bigint, c numeric, note text, PRIMARY KEY (b, "A", c));
       CREATE TABLE moments (at timestamptz PRIMARY KEY, note text);
       CREATE TABLE amounts (amount numeric PRIMARY KEY, note text);
       CREATE TABLE long (id text PRIMARY KEY, note text);
       CREATE TABLE keyless (id int, note text);
       CREATE TABLE "Mixed Case" ("Id" uuid PRIMARY KEY, "select" text);
       CREATE TABLE uniques (id int UNIQUE, code text NOT NULL UNIQUE, note text)`,
      [
        `INSERT INTO composite VALUES ('x "y"', 9007199254740993, 1.50, 'n'), ('', 1, 0, NULL)`,
        `UPDATE composite SET note = 'm' WHERE "A" = 1`,
        `UPDATE composite SET "A" = 2 WHERE "A" = 1`,
        `INSERT INTO moments VALUES ('2024-01-01 00:00+02', 'n'), ('infinity', NULL)`,
        `UPDATE moments SET at = '2024-01-02 00:00+02' WHERE note = 'n'`,
        `INSERT INTO amounts VALUES (1.50, 'n'), (20, NULL)`,
        'UPDATE amounts SET amount = amount + 1.00',
        `INSERT INTO long VALUES (repeat('a', 1024), 'n'), (repeat('b', 1025), 'n'), (repeat('é', 600), 'n'), (repeat('😀', 513), 'n')`,
        `UPDATE long SET note = 'm' WHERE id LIKE 'b%'`,
        `INSERT INTO keyless VALUES (1, 'n'), (1, 'n')`,
        `INSERT INTO "Mixed Case" VALUES ('0198c7a0-1234-7abc-8def-000000000000', 'n')`,
        `UPDATE "Mixed Case" SET "select" = 'm'`,
        `INSERT INTO uniques VALUES (1, 'a', 'n')`,
        `UPDATE uniques SET note = 'm'`,
      ],
    );
  });

  test('tell the same of a value that is too large', async () => {
    await agree('CREATE TABLE item (id int PRIMARY KEY, a text, b text, c jsonb, d text[])', [
      `INSERT INTO item VALUES (1, repeat('a', 70000), repeat('b', 9000), NULL, NULL)`,
      `UPDATE item SET a = repeat('c', 40000)`,
      `UPDATE item SET b = 'short'`,
      `INSERT INTO item SELECT 2, 'x', 'y', jsonb_agg(n), array_agg(n::text) FROM generate_series(1, 9000) AS n`,
      `INSERT INTO item VALUES (3, repeat('😀', 20000), '', NULL, NULL)`,
    ]);
    await triggers.verifies();
  });

  test('tell the same of soft deletes, of upserts by branch, and of what did not change', async () => {
    await agree(
      `CREATE TABLE item (id int PRIMARY KEY, note text, price numeric, "deletedAt" timestamptz);
       INSERT INTO item VALUES (1, 'a', 1.0, NULL), (2, 'b', 2, NULL)`,
      [
        `UPDATE item SET "deletedAt" = '2024-01-01Z' WHERE id = 1`,
        `UPDATE item SET "deletedAt" = NULL, note = 'c' WHERE id = 1`,
        'UPDATE item SET note = note',
        'UPDATE item SET price = 1.00 WHERE id = 1',
        `INSERT INTO item VALUES (2, 'B', 2), (3, 'C', 3) ON CONFLICT (id) DO UPDATE SET note = excluded.note`,
        `INSERT INTO item VALUES (2, 'B', 2) ON CONFLICT (id) DO UPDATE SET note = excluded.note`,
        `INSERT INTO item VALUES (2, 'B', 2) ON CONFLICT DO NOTHING`,
        'DELETE FROM item WHERE id = 99',
        'TRUNCATE item',
      ],
    );
  });
});
