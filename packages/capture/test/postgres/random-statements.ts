import fc from 'fast-check';
import {
  namesOf,
  type RandomColumn,
  type RandomSchema,
  type RandomTable,
  randomSchema,
  viewOf,
} from './random-schema.js';

export interface RandomRun {
  readonly schema: RandomSchema;
  /** One list of statements for each connection. */
  readonly steps: readonly (readonly string[])[];
}

const VALUES: Readonly<Record<RandomColumn['kind'], fc.Arbitrary<string>>> = {
  number: fc.integer({ min: 1, max: 6 }).map(String),
  text: fc.constantFrom("'a'", "'b'", "'c'", "E'd\\\\'", "'\"'", "'ä,('"),
  decimal: fc.constantFrom('1.5', '2', '0.10', '-3.25', "'NaN'"),
  instant: fc.constantFrom(
    "'2020-01-01 00:00+00'",
    "'2020-06-01 12:30:00.123456+02'",
    "'1900-01-01 00:00 BC'",
  ),
  json: fc.constantFrom(
    `'{"a": [1, 2.50, null]}'`,
    `'"x"'`,
    "'null'",
    `'{"__proto__": 1, "b": 123456789012}'`,
  ),
  list: fc.constantFrom("'{1,2}'", "'{}'", "'{NULL,3}'"),
  boolean: fc.constantFrom('true', 'false'),
};

function valueFor({ kind }: RandomColumn): fc.Arbitrary<string> {
  return fc.oneof({ weight: 6, arbitrary: VALUES[kind] }, fc.constant('NULL'));
}

function setting(table: RandomTable, columns: readonly RandomColumn[]): fc.Arbitrary<string> {
  const assigned = fc.constantFrom(...columns).chain((column) => {
    const own = `${table.name}.${column.name}`;
    const expressions =
      column.kind === 'number'
        ? [`${own} + 1`, `${own} - 1`, `7 - ${own}`, '2.4']
        : column.kind === 'text'
          ? [`upper(${own})`, `${own} || 'x'`, `length(${own})`]
          : [own];
    return fc
      .oneof(valueFor(column), fc.constantFrom(...expressions))
      .map((text) => `${column.name} = ${text}`);
  });
  return fc
    .uniqueArray(assigned, { minLength: 1, maxLength: 3, selector: (one) => one.split(' ')[0] })
    .map((all) => all.join(', '));
}

function condition(table: RandomTable, tables: readonly RandomTable[]): fc.Arbitrary<string> {
  const compared = fc
    .constantFrom(...table.columns.filter(({ kind }) => kind === 'number' || kind === 'text'))
    .chain((column) =>
      fc
        .tuple(fc.constantFrom('=', '<', '>', 'IS DISTINCT FROM'), VALUES[column.kind])
        .map(([operator, value]) => `${table.name}.${column.name} ${operator} ${value}`),
    );
  const nested = fc
    .constantFrom(...tables.filter(({ name }) => name !== 'link'))
    .map((other) => `${table.name}.${table.key[0]?.name}::text IN (SELECT v::text FROM ${other.name} AS n)`);
  return fc.oneof({ weight: 5, arbitrary: compared }, nested, fc.constant('true'));
}

/** Queries of WITH that write, with a write or a query behind them that may read them. */
function withWrites(tables: readonly RandomTable[]): fc.Arbitrary<string> {
  const query = fc.tuple(
    single(tables, false),
    fc.constantFrom('', ' RETURNING *', ' RETURNING 1 AS id, 2 AS v'),
  );
  const queries = fc.array(query, { minLength: 1, maxLength: 3 });
  return fc
    .tuple(queries, fc.boolean(), single(tables, true), fc.constantFrom(...tables), fc.nat())
    .map(([writes, isRead, main, table, choice]) => {
      const parts = writes.map(([sql, returning], at) => `w${at} AS (${sql}${returning})`);
      const readable = writes.flatMap(([, returning], at) => (returning === '' ? [] : [`w${at}`]));
      const read = readable[choice % Math.max(readable.length, 1)];
      const key = table.key[0]?.name;
      const behind =
        read === undefined
          ? 'SELECT 1 AS one'
          : choice % 3 === 0
            ? `DELETE FROM ${table.name} WHERE ${table.name}.${key}::text IN (SELECT v::text FROM ${read})`
            : choice % 3 === 1
              ? `SELECT * FROM ${read}`
              : `UPDATE ${table.name} SET ${key} = ${table.name}.${key} FROM ${read} WHERE ${table.name}.${key}::text = ${read}.v::text`;
      return `WITH ${parts.join(', ')} ${isRead ? behind : main}`;
    });
}

function throughView(tables: readonly RandomTable[]): fc.Arbitrary<string> {
  const views = tables
    .filter(({ name }) => name !== 'link')
    .map((table) => ({ ...table, name: viewOf(table.name) }));
  return single(views, false).filter((sql) => !sql.includes('DO UPDATE'));
}

function statement(tables: readonly RandomTable[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 20, arbitrary: single(tables, true) },
    { weight: 3, arbitrary: withWrites(tables) },
    { weight: 2, arbitrary: throughView(tables) },
    {
      weight: 1,
      arbitrary: fc
        .array(single(tables, true), { minLength: 2, maxLength: 3 })
        .map((several) => several.join('; ')),
    },
  );
}

/** @param isAlone it may have queries of WITH and a RETURNING of its own */
function single(tables: readonly RandomTable[], isAlone: boolean): fc.Arbitrary<string> {
  return fc.constantFrom(...tables).chain((table) => {
    const row = fc.tuple(...table.columns.map(valueFor)).map((values) => `(${values.join(', ')})`);
    const rows = fc.array(row, { minLength: 1, maxLength: 4 }).map((all) => all.join(', '));
    const into = `INSERT INTO ${table.name} (${namesOf(table.columns)}) VALUES`;
    const insert = rows.map((all) => `${into} ${all}`);
    const ignoring = rows.map((all) => `${into} ${all} ON CONFLICT DO NOTHING`);
    const free = table.columns.filter(({ name }) => name === 'v' || name === 'u');
    const upsert = fc
      .tuple(
        rows,
        setting(table, free.length === 0 ? table.key : free),
        fc.constantFrom('', ` WHERE ${table.name}.v <> 4`),
      )
      .map(
        ([all, set, where]) =>
          `${into} ${all} ON CONFLICT (${namesOf(table.key)}) DO ${free.length === 0 ? 'NOTHING' : `UPDATE SET ${set}${where}`}`,
      );
    const update = fc
      .tuple(setting(table, table.columns), condition(table, tables))
      .map(([set, where]) => `UPDATE ${table.name} SET ${set} WHERE ${where}`);
    const joined = fc
      .tuple(setting(table, table.columns), fc.constantFrom(...tables))
      .map(
        ([set, other]) =>
          `UPDATE ${table.name} SET ${set} FROM ${other.name} AS o WHERE o.${other.key[0]?.name}::text = ${table.name}.${table.key[0]?.name}::text`,
      );
    const remove = condition(table, tables).map((where) => `DELETE FROM ${table.name} WHERE ${where}`);
    const using = fc
      .constantFrom(...tables)
      .map(
        (other) =>
          `DELETE FROM ${table.name} USING ${other.name} AS o WHERE o.${other.key[0]?.name}::text = ${table.name}.${table.key[0]?.name}::text`,
      );
    const returning = fc.oneof(update, upsert, remove).map((sql) => `${sql} RETURNING *`);
    const common = fc
      .tuple(setting(table, table.columns), VALUES.number)
      .map(
        ([set, value]) =>
          `WITH q(x) AS (VALUES (${value}::text)) UPDATE ${table.name} SET ${set} FROM q WHERE ${table.name}.${table.key[0]?.name}::text = q.x`,
      );
    const bare = fc.oneof(insert, ignoring, upsert, update, remove);
    if (!isAlone) return bare;
    return fc.oneof(
      { weight: 5, arbitrary: insert },
      { weight: 1, arbitrary: ignoring },
      { weight: 3, arbitrary: upsert },
      { weight: 6, arbitrary: update },
      { weight: 1, arbitrary: joined },
      { weight: 3, arbitrary: remove },
      { weight: 1, arbitrary: using },
      { weight: 2, arbitrary: returning },
      { weight: 1, arbitrary: common },
    );
  });
}

const steer = fc.constantFrom(
  'BEGIN',
  'BEGIN',
  'BEGIN ISOLATION LEVEL REPEATABLE READ',
  'COMMIT',
  'COMMIT',
  '/* off */ ROLLBACK;',
  'SAVEPOINT one',
  'SAVEPOINT "Two"',
  'RELEASE ONE',
  'ROLLBACK TO SAVEPOINT one',
  'ROLLBACK TO "Two"',
  'SET CONSTRAINTS ALL IMMEDIATE',
  'SELECT 1 / 0',
);

/** Rows to begin with: as many as the tables take. */
function filling(tables: readonly RandomTable[]): readonly string[] {
  return tables.flatMap((table) =>
    [1, 2, 3, 4].map((number) => {
      const values = table.columns.map(({ name, kind }) => {
        if (kind === 'number') return name === 'v' ? String(number + 1) : String(number);
        if (kind === 'text') return `'${'abcd'.charAt(number - 1)}'`;
        return 'NULL';
      });
      return `INSERT INTO ${table.name} (${namesOf(table.columns)}) VALUES (${values.join(', ')}) ON CONFLICT DO NOTHING`;
    }),
  );
}

/** @param connections how many send statements */
export function randomRun(connections: number): fc.Arbitrary<RandomRun> {
  return randomSchema.chain((schema) => {
    const step = fc.oneof(
      { weight: 6, arbitrary: statement(schema.tables) },
      { weight: 1, arbitrary: steer },
    );
    const steps = fc.array(fc.array(step, { minLength: 1, maxLength: 20 }), {
      minLength: connections,
      maxLength: connections,
    });
    return fc.record({
      schema: fc.constant({
        ...schema,
        script: `${schema.script}\n${filling(schema.tables).map(asTry).join('\n')}`,
      }),
      steps,
    });
  });
}

/** What a constraint refuses is left out. */
function asTry(sql: string): string {
  return `DO $try$ BEGIN ${sql}; SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN OTHERS THEN NULL; END $try$;`;
}
