import { HeldStatementFailed, PreparedNames, type SqlValue } from '@indelible/capture';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import type { SqlAdapter, SqlQuery, SqlResultSet } from '../../src/driver-adapter.js';
import { type HeldTransaction, startHolding, startLate } from '../../src/reach-client.js';
import { withPostgres } from './postgres-work.js';

const query = (sql: string, ...args: (string | number)[]): SqlQuery => ({
  sql,
  args,
  argTypes: args.map((value) => ({
    scalarType: typeof value === 'string' ? 'string' : 'int',
    arity: 'scalar',
  })),
});
const INSERT = query('INSERT INTO t VALUES ($1, $2)', 1, 'one');
const COMMIT = query('COMMIT');
const ROLLBACK = query('ROLLBACK');
const isValue = (value: unknown): value is SqlValue => ['string', 'number'].includes(typeof value);
const ABORTED = { cause: { originalCode: '25P02' } };
const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describePostgres('statements that share a round trip', (server) => {
  const names = new PreparedNames();

  interface Ground {
    readonly adapter: SqlAdapter;
    readonly raw: pg.Client;
    readonly values: () => Promise<readonly string[]>;
    /** What the connections of the adapter do, and the statement that each ran last. */
    readonly sessions: () => Promise<readonly string[]>;
  }

  async function withTable(
    work: (ground: Ground) => Promise<void>,
    config: pg.PoolConfig = {},
    options: ConstructorParameters<typeof PrismaPg>[1] = {},
  ): Promise<void> {
    const database = await server.createDatabase();
    const raw = new pg.Client({ connectionString: database.url });
    await raw.connect();
    await raw.query('CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, v text)');
    const factory = new PrismaPg(
      { connectionString: database.url, max: 1, application_name: 'held', ...config },
      options,
    );
    const adapter: SqlAdapter = await factory.connect();
    try {
      await work({
        adapter,
        raw,
        values: async () =>
          (await raw.query<{ v: string }>('SELECT v FROM t ORDER BY id')).rows.map(({ v }) => v),
        sessions: async () => {
          const { rows } = await raw.query<{ told: string }>(
            "SELECT state || ': ' || query AS told FROM pg_stat_activity WHERE application_name = 'held' AND datname = current_database()",
          );
          return rows.map(({ told }) => told);
        },
      });
    } finally {
      await adapter.dispose();
      await raw.end();
      await database.drop();
    }
  }

  const hold = ({ holding }: HeldTransaction, held: SqlQuery): Promise<number> => {
    if (holding === undefined) throw new Error('nothing can be held on this client');
    return holding.hold(held.sql, held.args.filter(isValue));
  };

  test('a transaction begins with its first statement, and a last one goes with COMMIT', () =>
    withTable(async ({ adapter, values, sessions }) => {
      const open = await startLate(adapter, names, false);
      expect(await sessions()).toEqual(['idle: ']);
      expect(await open.transaction.executeRaw(INSERT)).toBe(1);
      expect(await sessions()).toEqual([`idle in transaction: ${INSERT.sql}`]);
      const written = hold(open, query('UPDATE t SET v = $1', 'two'));
      expect(await open.transaction.queryRaw(query('SELECT v FROM t'))).toMatchObject({ rows: [['one']] });
      await open.transaction.executeRaw(COMMIT);
      await open.transaction.commit();
      expect(await written).toBe(1);
      expect(await values()).toEqual(['two']);
    }));

  const ahead = ({ holding, transaction }: HeldTransaction, sent: SqlQuery): Promise<SqlResultSet> => {
    if (holding === undefined) throw new Error('nothing can be held on this client');
    return holding.ahead(sent.sql, () => transaction.queryRaw(sent));
  };

  test('what is sent ahead runs before the statement that follows, whichever that is, and is answered with it', () =>
    withTable(async ({ adapter, values, sessions }) => {
      for (const [at, next] of [INSERT, query('DELETE FROM t'), INSERT].entries()) {
        const open = at === 0 ? await startLate(adapter, names, false) : await startHolding(adapter, names);
        const first = ahead(open, query('SELECT count(*)::int AS n FROM t'));
        const second = ahead(open, query('SELECT $1::int + 1 AS m', 7));
        expect(await sessions()).not.toContain('idle in transaction: SELECT $1::int + 1 AS m');
        await open.transaction.executeRaw(next);
        expect((await first).rows).toEqual([[at === 1 ? 1 : 0]]);
        expect((await second).rows).toEqual([[8]]);
        await open.transaction.executeRaw(COMMIT);
        await open.transaction.commit();
      }
      expect(await values()).toEqual(['one']);
    }));

  test('a statement does not run where what was sent ahead of it fails, and meets the same error', () =>
    withTable(async ({ adapter, values }) => {
      for (const next of [INSERT, query("INSERT INTO t VALUES (9, 'nine')")]) {
        const open = await startLate(adapter, names, false);
        const told = expect(ahead(open, query('SELECT 1 / $1::int', 0))).rejects.toMatchObject({
          cause: { originalCode: '22012' },
        });
        await expect(open.transaction.executeRaw(next)).rejects.toMatchObject({
          cause: { originalCode: '22012' },
        });
        await told;
        await open.transaction.executeRaw(ROLLBACK);
        await open.transaction.rollback();
      }
      expect(await values()).toEqual([]);
    }));

  test('what was sent ahead of nothing never runs, and says so', () =>
    withTable(async ({ adapter, values }) => {
      const open = await startLate(adapter, names, false);
      const told = expect(ahead(open, query('SELECT 1 AS x'))).rejects.toThrow(
        'rolled back before this was sent',
      );
      await open.transaction.executeRaw(ROLLBACK);
      await open.transaction.rollback();
      await told;
      expect(await values()).toEqual([]);
    }));

  test('COMMIT does not run where what goes with it fails', () =>
    withTable(async ({ adapter, values }) => {
      const open = await startHolding(adapter, names);
      await open.transaction.executeRaw(INSERT);
      const written = hold(open, query('INSERT INTO t VALUES ($1, $2)', 1, 'again'));
      const told = expect(written).rejects.toMatchObject({ code: '23505' });
      await expect(open.transaction.executeRaw(COMMIT)).rejects.toBeInstanceOf(HeldStatementFailed);
      await told;
      const next = await outcome(open.transaction.queryRaw(query('SELECT 1')));
      await open.transaction.executeRaw(ROLLBACK);
      await open.transaction.rollback();
      expect(next).toMatchObject(ABORTED);
      expect(await values()).toEqual([]);
    }));

  test('what COMMIT itself refuses is told as its own error', () =>
    withTable(async ({ adapter, values }) => {
      const open = await startLate(adapter, names, false);
      await open.transaction.executeRaw(INSERT);
      await open.transaction.executeRaw(query('SET CONSTRAINTS ALL DEFERRED'));
      const written = hold(open, query('INSERT INTO t VALUES ($1, $2)', 1, 'again'));
      await expect(open.transaction.executeRaw(COMMIT)).rejects.toMatchObject({
        cause: { kind: 'UniqueConstraintViolation' },
      });
      expect(await written).toBe(1);
      await open.transaction.rollback();
      expect(await values()).toEqual([]);
    }));

  test('what is held is not sent where the transaction is rolled back or given up', () =>
    withTable(async ({ adapter, values, sessions }) => {
      const never = await startLate(adapter, names, false);
      await never.transaction.executeRaw(ROLLBACK);
      await never.transaction.rollback();
      expect(await sessions()).toEqual(['idle: ']);
      for (const end of ['rolled back', 'ended']) {
        const open = await startHolding(adapter, names);
        const told = expect(hold(open, INSERT)).rejects.toThrow(`${end} before this was sent`);
        if (end === 'rolled back') await open.transaction.executeRaw(ROLLBACK);
        await open.transaction.rollback();
        await told;
      }
      expect((await sessions())[0]).toBe('idle in transaction: BEGIN');
      expect(await values()).toEqual([]);
    }));

  test('the first statement fails as it would by itself, and takes the transaction with it', () =>
    withTable(async ({ adapter }) => {
      const open = await startLate(adapter, names, false);
      await expect(
        open.transaction.executeRaw(query('INSERT INTO nowhere VALUES ($1)', 1)),
      ).rejects.toMatchObject({
        cause: { kind: 'TableDoesNotExist', table: 'nowhere' },
      });
      const next = await outcome(open.transaction.queryRaw(query('SELECT 1')));
      await open.transaction.executeRaw(ROLLBACK);
      await open.transaction.rollback();
      expect(next).toMatchObject(ABORTED);
    }));

  test('a string of several statements begins a transaction too', () =>
    withTable(async ({ adapter, values }) => {
      const open = await startLate(adapter, names, false);
      await open.transaction.executeRaw(
        query("INSERT INTO t VALUES (1, 'one'); INSERT INTO t VALUES (2, 'two')"),
      );
      await open.transaction.executeRaw(ROLLBACK);
      await open.transaction.rollback();
      expect(await values()).toEqual([]);
    }));

  // The server takes names of 63 bytes.
  const nameOf = (sql: string): string => `s_${sql}`.slice(0, 60);
  const NAMED = { statementNameGenerator: ({ sql }: { sql: string }) => nameOf(sql) };

  test('statements that the application has prepared by their names share round trips too', () =>
    withTable(
      async ({ adapter, values }) => {
        const update = query('UPDATE t SET v = $1', 'two');
        for (const id of [1, 2, 3]) {
          const open = await startLate(adapter, names, false);
          expect(await open.transaction.executeRaw(query(INSERT.sql, id, 'one'))).toBe(1);
          const written = hold(open, update);
          await open.transaction.executeRaw(COMMIT);
          await open.transaction.commit();
          expect(await written).toBe(id);
        }
        const prepared = await adapter.queryRaw(
          query('SELECT name, (generic_plans + custom_plans)::int FROM pg_prepared_statements ORDER BY name'),
        );
        expect(prepared.rows).toContainEqual([nameOf(INSERT.sql), 3]);
        // The engine's own has a name of the engine, from the second time on.
        expect(prepared.rows).toContainEqual(['indelible_1', 2]);
        expect(await values()).toEqual(['two', 'two', 'two']);
      },
      {},
      NAMED,
    ));

  test('a prepared statement that the server passed over is prepared when it comes again', () =>
    withTable(
      async ({ adapter, values }) => {
        const second = query('INSERT INTO t VALUES ($1, $2), ($3, $4)', 2, 'two', 3, 'three');
        const commit = query('COMMIT');
        const failing = await startHolding(adapter, names);
        await failing.transaction.executeRaw(INSERT);
        const written = outcome(hold(failing, query('INSERT INTO t (id, v) VALUES ($1, $2)', 1, 'again')));
        expect(await outcome(failing.transaction.executeRaw(commit))).toBeInstanceOf(HeldStatementFailed);
        expect(await written).toMatchObject({ code: '23505' });
        await failing.transaction.executeRaw(ROLLBACK);
        await failing.transaction.rollback();
        for (const work of [second, INSERT]) {
          const open = await startHolding(adapter, names);
          const held = hold(open, work);
          await open.transaction.executeRaw(commit);
          await open.transaction.commit();
          await held;
        }
        expect(await values()).toEqual(['one', 'two', 'three']);
      },
      {},
      NAMED,
    ));

  test('what the driver does not send for its name is told, and nothing of its transaction stays', () =>
    withTable(
      async ({ adapter, values }) => {
        const open = await startHolding(adapter, names);
        await open.transaction.executeRaw(INSERT);
        const written = hold(open, query('UPDATE t SET v = $1', 'two'));
        expect(String(await outcome(open.transaction.executeRaw(COMMIT)))).toContain(
          'Prepared statements must be unique',
        );
        expect(await written).toBe(1);
        await open.transaction.executeRaw(ROLLBACK);
        await open.transaction.rollback();
        expect(await values()).toEqual([]);
        const late = await startLate(adapter, names, false);
        expect(
          String(await outcome(late.transaction.executeRaw(query('DELETE FROM t WHERE v = $1', 'x')))),
        ).toContain('Prepared statements must be unique');
        await late.transaction.executeRaw(ROLLBACK);
        await late.transaction.rollback();
        expect(await values()).toEqual([]);
      },
      {},
      {
        statementNameGenerator: ({ sql }) => (['BEGIN', 'ROLLBACK'].includes(sql) ? sql : 'the same'),
      },
    ));

  test('a client that sends statements in its own way keeps it', () =>
    withTable(
      async ({ adapter, values }) => {
        const open = await startLate(adapter, names, false);
        expect(open.holding).toBeUndefined();
        await open.transaction.executeRaw(INSERT);
        await open.transaction.executeRaw(COMMIT);
        await open.transaction.commit();
        expect(await values()).toEqual(['one']);
      },
      // An option of node-postgres that its types do not tell yet.
      { pipeline: true } as pg.PoolConfig,
    ));

  test('a connection that ends between the statement and COMMIT leaves neither row nor event', () =>
    withPostgres(server, async (harness) => {
      const { prisma, raw } = harness;
      await raw.query(`CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'`);
      await raw.query(
        'CREATE TRIGGER cut BEFORE INSERT ON audit.audit_event FOR EACH ROW EXECUTE FUNCTION cut()',
      );
      await expect(prisma.tag.create({ data: { code: 'a', label: 'x' } })).rejects.toThrow();
      await raw.query('DROP TRIGGER cut ON audit.audit_event');
      expect(await prisma.tag.count()).toBe(0);
      await prisma.tag.create({ data: { code: 'b', label: 'x' } });
      expect((await harness.events()).map(({ resource }) => resource?.id)).toEqual(['b']);
    }));
});
