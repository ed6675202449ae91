import { PreparedNames } from '@indelible/capture';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import type { SqlAdapter, SqlQuery } from '../../src/driver-adapter.js';
import { type HeldTransaction, startHolding, startLate } from '../../src/reach-client.js';

const query = (sql: string, ...args: unknown[]): SqlQuery => ({
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

describePostgres('COMMIT that goes along with a statement', (server) => {
  async function withTable(
    work: (ground: {
      readonly adapter: SqlAdapter;
      readonly names: PreparedNames;
      readonly values: () => Promise<readonly string[]>;
    }) => Promise<void>,
  ): Promise<void> {
    const database = await server.createDatabase();
    const raw = new pg.Client({ connectionString: database.url });
    await raw.connect();
    await raw.query('CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text)');
    const adapter: SqlAdapter = await new PrismaPg({ connectionString: database.url, max: 1 }).connect();
    const values = async () =>
      (await raw.query<{ v: string }>('SELECT v FROM t ORDER BY id, v')).rows.map(({ v }) => v);
    try {
      await work({ adapter, names: new PreparedNames(), values });
    } finally {
      await adapter.dispose();
      await raw.end();
      await database.drop();
    }
  }

  const committing = ({ holding }: HeldTransaction, sql: string, ...params: string[]): Promise<number> => {
    if (holding === undefined) throw new Error('nothing can go along on this client');
    const sent = holding.committing(sql, params);
    sent.catch(() => undefined);
    return sent;
  };

  async function undone({ transaction }: HeldTransaction): Promise<void> {
    await transaction.executeRaw(ROLLBACK);
    await transaction.rollback();
  }

  test('has run when the statement is answered, and is answered when it is asked for', () =>
    withTable(async ({ adapter, names, values }) => {
      for (const start of [startLate(adapter, names, true), undefined]) {
        const open = await (start ?? startHolding(adapter, names));
        const checked = committing(open, 'SELECT $1::text', 'x');
        expect(await open.transaction.executeRaw(start ? INSERT : query('UPDATE t SET v = $1', 'two'))).toBe(
          1,
        );
        expect(await checked).toBe(1);
        expect(await values()).toEqual([start ? 'one' : 'two']);
        await open.transaction.executeRaw(COMMIT);
        await open.transaction.commit();
      }
    }));

  test('goes behind a statement without values too', () =>
    withTable(async ({ adapter, names, values }) => {
      const open = await startLate(adapter, names, true);
      const checked = committing(open, 'SELECT 1');
      expect(await open.transaction.executeRaw(query("INSERT INTO t VALUES (1, 'plain')"))).toBe(1);
      await open.transaction.executeRaw(COMMIT);
      expect(await checked).toBe(1);
      await open.transaction.commit();
      expect(await values()).toEqual(['plain']);
    }));

  test('does not run where what goes before it fails', () =>
    withTable(async ({ adapter, names, values }) => {
      const open = await startLate(adapter, names, true);
      const checked = committing(open, 'SELECT 1 / $1::int', '0');
      expect(await open.transaction.executeRaw(INSERT)).toBe(1);
      await expect(checked).rejects.toMatchObject({ code: '22012' });
      await undone(open);
      expect(await values()).toEqual([]);
      const next = await startLate(adapter, names, true);
      const skipped = committing(next, 'SELECT 1');
      await expect(
        next.transaction.executeRaw(query('INSERT INTO nowhere VALUES ($1)', 1)),
      ).rejects.toThrow();
      await expect(skipped).rejects.toMatchObject({ code: '42P01' });
      await undone(next);
      const after = await startLate(adapter, names, true);
      await after.transaction.executeRaw(INSERT);
      await after.transaction.executeRaw(COMMIT);
      await after.transaction.commit();
      expect(await values()).toEqual(['one']);
    }));

  test('is told what it refuses itself', () =>
    withTable(async ({ adapter, names, values }) => {
      const open = await startLate(adapter, names, true);
      const checked = committing(open, 'SELECT 1');
      await open.transaction.executeRaw(
        query('INSERT INTO t VALUES ($1, $2), ($3, $4)', 1, 'one', 1, 'again'),
      );
      expect(await checked).toBe(1);
      await expect(open.transaction.executeRaw(COMMIT)).rejects.toMatchObject({
        cause: { kind: 'UniqueConstraintViolation' },
      });
      await open.transaction.rollback();
      expect(await values()).toEqual([]);
    }));

  test('does not run behind a statement of which a value could not be sent', () =>
    withTable(async ({ adapter, names, values }) => {
      const open = await startLate(adapter, names, true);
      const checked = committing(open, "INSERT INTO t VALUES (2, 'behind')");
      const unsendable = {
        toPostgres: () => {
          throw new TypeError('this value can not be sent');
        },
      };
      await expect(
        open.transaction.executeRaw({ ...query('INSERT INTO t VALUES (3, $1)', ''), args: [unsendable] }),
      ).rejects.toThrow('can not be sent');
      await expect(checked).rejects.toThrow('could not be sent');
      await undone(open);
      expect(await values()).toEqual([]);
    }));

  test('is not sent where the transaction ends before the statement', () =>
    withTable(async ({ adapter, names, values }) => {
      const open = await startLate(adapter, names, true);
      const checked = committing(open, 'SELECT 1');
      await undone(open);
      await expect(checked).rejects.toThrow('rolled back before this was sent');
      expect(await values()).toEqual([]);
    }));
});
