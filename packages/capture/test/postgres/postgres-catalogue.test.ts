import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres, type TestDatabase } from '../../../postgres/test/test-postgres.js';
import {
  PostgresCatalogue,
  type PostgresTable,
  quoteIdentifier,
  SCOPE_EXPRESSION,
} from '../../src/postgres/postgres-catalogue.js';
import { openRawCapture, type RawCapture } from './raw-capture.js';

describePostgres('the catalogue', (server) => {
  let database: TestDatabase;
  let connection: RawCapture;

  beforeAll(async () => {
    database = await server.createDatabase();
    connection = await openRawCapture(database.url);
  });

  afterAll(async () => {
    await connection.close();
    await database.drop();
  });

  async function find(name: string, schema: string | null = 'public'): Promise<PostgresTable> {
    const table = await new PostgresCatalogue().find(connection, schema, name);
    if (table === undefined) throw new Error(`there is no ${name}`);
    return table;
  }

  /** What is done is undone afterwards. */
  async function trying(sql: string, work: () => Promise<void>): Promise<void> {
    await connection.all(`BEGIN; ${sql}`);
    try {
      await work();
    } finally {
      await connection.all('ROLLBACK');
    }
  }

  test('tells columns with their types, in the order in which a row has them', async () => {
    await trying(
      `CREATE SCHEMA "My S"; CREATE TYPE "My S"."Role" AS ENUM ('a'); CREATE DOMAIN "My S".age AS int;
      CREATE TABLE "My S"."T ""x"""(gone int, id int PRIMARY KEY, "Na.me" varchar(3), roles "My S"."Role"[],
        age "My S".age, twice int GENERATED ALWAYS AS (id * 2) STORED); ALTER TABLE "My S"."T ""x""" DROP gone`,
      async () => {
        const table = await find('T "x"', 'My S');
        expect(table.name).toEqual({ schema: 'My S', name: 'T "x"' });
        expect(table).toMatchObject({ relation: table.name, root: table.oid, kind: 'table', key: ['id'] });
        expect(table.columns.map((column) => [column.name, column.declaredType, column.castType])).toEqual([
          ['id', 'integer', '"pg_catalog"."int4"'],
          ['Na.me', 'character varying(3)', '"pg_catalog"."varchar"'],
          ['roles', '"My S"."Role"[]', '"My S"."Role"[]'],
          ['age', 'integer', '"My S"."age"'],
          ['twice', 'integer', '"pg_catalog"."int4"'],
        ]);
        expect(table.columns.map((column) => column.isGenerated)).toEqual([false, false, false, false, true]);
        for (const { castType } of table.columns) await connection.all(`SELECT NULL::${castType}`);
      },
    );
  });

  test('a type of somebody else that is named like a built-in one is not taken for it', async () => {
    await trying(
      `CREATE TYPE public.json AS ENUM ('a'); CREATE TYPE public.decimal_kind AS ENUM ('1.0');
      CREATE TABLE t(a public.json, b decimal_kind, c json); SET LOCAL search_path = public, pg_catalog`,
      async () => {
        const { columns } = await find('t');
        expect(columns.map((column) => column.declaredType)).toEqual([
          '"public"."json"',
          '"public"."decimal_kind"',
          'json',
        ]);
      },
    );
  });

  test.each([
    ['PRIMARY KEY (b, a)', ['b', 'a']],
    ['PRIMARY KEY (b) INCLUDE (a)', ['b']],
    ['UNIQUE (a, b)', ['a', 'b']],
    ['UNIQUE (b), UNIQUE (a)', ['b']],
    ['UNIQUE (a) INCLUDE (n)', ['a']],
    ['PRIMARY KEY (b) DEFERRABLE', ['b']],
    ['UNIQUE (a) DEFERRABLE', []],
    ['UNIQUE (a, n)', []],
    ['CHECK (a > 0)', []],
  ])('with %s the key is %j', async (constraint, key) => {
    await trying(`CREATE TABLE t(n int, a int NOT NULL, b int NOT NULL, ${constraint})`, async () => {
      expect((await find('t')).key).toEqual(key);
    });
  });

  test.each(['ON t(a) WHERE a > 0', 'ON t((a + 1))', 'ON t(a, lower(n))'])(
    'a unique index %s is no key',
    async (index) => {
      await trying(
        `CREATE TABLE t(n text NOT NULL, a int NOT NULL); CREATE UNIQUE INDEX ${index}`,
        async () => {
          expect((await find('t')).key).toEqual([]);
        },
      );
    },
  );

  test('a column that may still hold NULL is in no key', async () => {
    await trying('CREATE TABLE t(a int UNIQUE); INSERT INTO t VALUES (NULL)', async () => {
      if (server.version >= 18) await connection.all('ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID');
      expect((await find('t')).key).toEqual([]);
    });
  });

  test('finds a name by the search path of the connection, whatever it found on another one', async () => {
    await connection.all(
      'CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t(a int); CREATE TABLE two.t(b int)',
    );
    const catalogue = new PostgresCatalogue();
    const columns = async (): Promise<unknown> =>
      (await catalogue.find(connection, null, 't'))?.columns.map((column) => column.name);
    expect(await columns()).toBeUndefined();
    for (const [path, name] of [
      ['one', 'a'],
      ['two', 'b'],
      ['none, two, one', 'b'],
      ['one', 'a'],
    ] as const) {
      await connection.all(`SET search_path = ${path}`);
      expect(await columns()).toEqual([name]);
    }
    const one = await catalogue.readScope(connection);
    catalogue.forget();
    await connection.all('SET search_path = two');
    expect((await catalogue.find(connection, null, 't', one))?.columns[0]?.name).toBe('b');
    await connection.all('SET search_path = one');
    expect((await catalogue.find(connection, null, 't', one))?.columns[0]?.name).toBe('a');
    await connection.all('RESET search_path; DROP SCHEMA one CASCADE; DROP SCHEMA two CASCADE');
  });

  test('a temporary table hides another one of its name from the moment it is there until it goes', async () => {
    await connection.all('CREATE TABLE t(a int); CREATE TABLE u(a int)');
    const catalogue = new PostgresCatalogue();
    const seen = async (name: string, schema: string | null = null): Promise<unknown> => {
      const table = await catalogue.find(connection, schema, name);
      return table && [table.isTemporary, ...table.columns.map((column) => column.name)];
    };
    expect(await seen('t')).toEqual([false, 'a']);
    expect(await seen('t', 'pg_temp')).toBeUndefined();
    await connection.all('CREATE TEMP TABLE t(b int)');
    expect(await seen('t')).toEqual([true, 'b']);
    expect(await seen('t', 'pg_temp')).toEqual([true, 'b']);
    expect(await seen('t', 'public')).toEqual([false, 'a']);
    expect(await seen('u')).toEqual([false, 'a']);
    await connection.all('CREATE TEMP TABLE u(c int)');
    expect(await seen('u')).toEqual([true, 'c']);
    const scope = await catalogue.readScope(connection);
    const other = await openRawCapture(database.url);
    await other.all('CREATE TEMP TABLE v(a int)');
    expect(await catalogue.readScope(other)).toBe(scope);
    const queries = connection.count();
    await catalogue.find(connection, null, 'u', scope);
    expect(connection.count() - queries).toBe(1);
    await other.close();
    await connection.all('DROP TABLE pg_temp.t, pg_temp.u');
    expect(await seen('t')).toEqual([false, 'a']);
    expect(await seen('t', 'pg_temp')).toBeUndefined();
    await connection.all('DROP TABLE t, u');
    // The schema of temporary tables stays for as long as the session does.
    await connection.close();
    connection = await openRawCapture(database.url);
  });

  test('a name that is cut to 63 bytes is found, and an empty or unknown one is not', async () => {
    const long = `${'ä'.repeat(31)}xy`;
    await trying(`CREATE TABLE "${long}"(a int)`, async () => {
      expect((await find(long)).columns).toHaveLength(1);
      expect((await find(long, null)).columns).toHaveLength(1);
      const catalogue = new PostgresCatalogue();
      for (const name of ['', 'nothing', '"', "'", 'a.b.c.d', 'public.t'])
        for (const schema of [null, 'public', '', 'no such schema'])
          expect(await catalogue.find(connection, schema, name)).toBeUndefined();
      expect(await catalogue.byOid(connection, '4294967295')).toBeUndefined();
    });
  });

  test('asks once a table and scope, and again when told to forget', async () => {
    await connection.all('CREATE TABLE t(a int); CREATE TABLE u(a int)');
    const catalogue = new PostgresCatalogue();
    const scope = await catalogue.readScope(connection);
    expect((await connection.all(`SELECT ${SCOPE_EXPRESSION} AS s`))[0]?.s).toBe(scope);
    expect(scope).toMatch(/^f\{public\}\w+$/);
    const queries = async (work: () => Promise<unknown>): Promise<number> => {
      const from = connection.count();
      await work();
      return connection.count() - from;
    };
    const t = await catalogue.find(connection, null, 't', scope);
    await catalogue.find(connection, 'public', 'u', scope);
    const oid = t?.oid ?? '';
    expect(await queries(() => catalogue.find(connection, null, 't', scope))).toBe(0);
    expect(await queries(() => catalogue.find(connection, null, 't'))).toBe(1);
    expect(await queries(() => catalogue.byOid(connection, oid, scope))).toBe(0);
    expect(await catalogue.find(connection, 'public', 't', scope)).toBe(t);
    expect(await queries(() => catalogue.find(connection, 'public', 't', scope))).toBe(0);
    catalogue.forget(oid);
    expect(await queries(() => catalogue.find(connection, 'public', 'u', scope))).toBe(0);
    expect(await queries(() => catalogue.find(connection, null, 't', scope))).toBe(1);
    catalogue.forget();
    expect(await queries(() => catalogue.find(connection, 'public', 'u', scope))).toBe(1);
    await connection.all('DROP TABLE t, u');
  });

  test('what a role may not do or see is told and makes no query fail', async () => {
    const role = quoteIdentifier(`Role of ${database.url.slice(-8)}`);
    await connection.all(`CREATE ROLE ${role}; CREATE SCHEMA closed; CREATE TABLE closed.t(a int);
      CREATE TABLE t(a int, b int, c int); GRANT SELECT (a, c), UPDATE ON t TO ${role};
      CREATE TABLE mine(a int); ALTER TABLE mine ENABLE ROW LEVEL SECURITY; GRANT ALL ON mine TO ${role}`);
    const catalogue = new PostgresCatalogue();
    const owner = await catalogue.find(connection, 'public', 't');
    await trying(`SET LOCAL ROLE ${role}; SET LOCAL search_path = closed, public`, async () => {
      const table = await catalogue.find(connection, null, 't');
      expect(table?.columns.map((column) => column.isReadable)).toEqual([true, false, true]);
      expect(table?.hasRowSecurity).toBe(false);
      expect((await catalogue.find(connection, 'public', 'mine'))?.hasRowSecurity).toBe(true);
      const hidden = await catalogue.find(connection, 'closed', 't');
      expect(hidden?.columns.map((column) => column.isReadable)).toEqual([false]);
      await connection.all('SELECT 1');
    });
    expect(owner?.columns.map((column) => column.isReadable)).toEqual([true, true, true]);
    expect((await catalogue.find(connection, 'public', 'mine'))?.hasRowSecurity).toBe(false);
    await connection.all(`DROP SCHEMA closed CASCADE; DROP TABLE t, mine; DROP ROLE ${role}`);
  });

  test('a table is kept by the role that read it, and not by the one that the caller took it for', async () => {
    const role = quoteIdentifier(`Other}"{ ${database.url.slice(-8)}`);
    await connection.all(`CREATE ROLE ${role}; CREATE TABLE t(a int)`);
    const catalogue = new PostgresCatalogue();
    const scope = await catalogue.readScope(connection);
    const table = await catalogue.find(connection, 'public', 't', scope);
    await trying(`CREATE SCHEMA "a}\\""{"; SET LOCAL search_path = "a}\\""{", public`, async () => {
      // What the role may do is the same on another path.
      const there = await catalogue.readScope(connection);
      const queries = connection.count();
      expect(await catalogue.byOid(connection, table?.oid ?? '', there)).toBe(table);
      expect(connection.count()).toBe(queries);
    });
    await trying(`SET LOCAL ROLE ${role}`, async () => {
      catalogue.forget();
      const read = await catalogue.find(connection, 'public', 't', scope);
      expect(read?.columns.map((column) => column.isReadable)).toEqual([false]);
    });
    const again = await catalogue.find(connection, 'public', 't', scope);
    expect(again?.columns.map((column) => column.isReadable)).toEqual([true]);
    await connection.all(`DROP TABLE t; DROP ROLE ${role}`);
  });
});
