import { auditErrorCode } from '@indelible/core';
import pg from 'pg';
import { QueryTypes, Sequelize } from 'sequelize';
import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { auditSequelize } from '../../src/index.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';

/** Statements whose answers are compared whole, as the driver gives them. */
const STATEMENTS = [
  `INSERT INTO "Tag" VALUES ('a', 'a'), ('b', 'b') RETURNING *, code AS code, length(label) AS n`,
  `INSERT INTO "User" (email, "createdAt", "updatedAt", settings, avatar) VALUES ('a@a.test', '2024-01-02', '2024-01-02T03:04:05Z', '{"a":1}', 'x') RETURNING *`,
  `UPDATE "Tag" SET label = upper(label)`,
  `WITH x AS (SELECT 'a' AS code) UPDATE "Tag" t SET label = 'c' FROM x WHERE t.code = x.code RETURNING t.*`,
  `INSERT INTO "Tag" SELECT 'n' || n, 'x' FROM generate_series(1, 20) n`,
  `DELETE FROM "Tag" WHERE code LIKE 'n%'`,
  `UPDATE "Tag" SET label = 'none' WHERE false RETURNING label`,
  `INSERT INTO "Tag" VALUES ('a', 'again') ON CONFLICT DO NOTHING`,
  'SELECT 1 AS one; SELECT 2 AS two',
  `UPDATE "Tag" SET label = 'one' WHERE code = 'a'; SELECT code, 7::bigint FROM "Tag" ORDER BY code; DELETE FROM "Tag" WHERE code = 'b' RETURNING code`,
  `WITH gone AS (DELETE FROM "Tag" WHERE code = 'a' RETURNING *) INSERT INTO "Tag" SELECT code, 'moved' FROM gone RETURNING *, 8::bigint`,
  `WITH up AS (UPDATE "Tag" SET label = 'up' RETURNING code, label) SELECT * FROM up`,
  `WITH up AS (UPDATE "Tag" SET label = 'all' RETURNING code) INSERT INTO "Tag" SELECT 'm' || n, 'x' FROM generate_series(1, 9) n`,
  'TRUNCATE "Tag" CASCADE',
];

describePostgres('what the driver answers Sequelize', (server) => {
  const withHarness = async (
    options: Parameters<typeof createPostgresHarness>[1],
    work: (harness: PostgresHarness) => Promise<void>,
  ): Promise<void> => {
    const harness = await createPostgresHarness({ server, pool: 1 }, options);
    try {
      await work(harness);
    } finally {
      await harness.close();
    }
  };

  test('rows, fields, command and count are the same as without auditing, in and out of transactions', async () => {
    const answers = async (audited: boolean, within: boolean, maxRows = 10_000): Promise<unknown[]> => {
      const told: unknown[] = [];
      await withHarness({ audited, ...(audited ? { maxRows } : {}) }, async ({ sequelize }) => {
        const run = async (transaction?: object): Promise<void> => {
          for (const sql of STATEMENTS) told.push(await sequelize.query(sql, { ...transaction }));
        };
        if (within) await sequelize.transaction((transaction) => run({ transaction }));
        else await run();
      });
      return told.map(comparable);
    };
    const plain = await answers(false, false);
    expect(await answers(true, false)).toEqual(plain);
    expect(await answers(true, false, 5)).toEqual(plain);
    expect(await answers(true, true)).toEqual(plain);
  });

  test('a promise, a callback, a config with values and row mode are answered as by the client itself', async () => {
    const answers = async (audited: boolean): Promise<unknown[]> => {
      const told: unknown[] = [];
      await withHarness({ audited }, async ({ sequelize }) => {
        const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client;
        const text = `INSERT INTO "Tag" VALUES ($1, $2) RETURNING label, 7::bigint`;
        told.push(await client.query(text, ['a', 'a']));
        told.push(await client.query({ text, values: ['b', 'b'], rowMode: 'array' }));
        told.push(await client.query({ name: 'named', text }, ['c', 'c']));
        told.push(await client.query({ name: 'named', text }, ['d', 'd']));
        const types = { getTypeParser: () => (value: string) => `<${value}>` };
        told.push(await client.query({ text, values: ['e', 'e'], types } as pg.QueryConfig));
        told.push(
          await new Promise((resolve) => client.query(text, ['f', 'f'], (_, result) => resolve(result))),
        );
        told.push(
          await new Promise((resolve) => client.query(text, ['f', 'f'], (error) => resolve(error.message))),
        );
        told.push(await client.query('').then((result) => result.command));
        sequelize.connectionManager.releaseConnection(client);
      });
      return told.map(comparable);
    };
    expect(await answers(true)).toEqual(await answers(false));
  });

  test('an error points at the same place of the statement as without auditing, or at none', async () => {
    const positions = async (audited: boolean): Promise<unknown[]> => {
      const told: unknown[] = [];
      await withHarness({ audited }, async ({ sequelize }) => {
        for (const sql of [
          `INSERT INTO "Tag" ("code", nothing) VALUES ('a', 'a')`,
          `UPDATE "Tag" SET label = missing WHERE "code" = 'a'`,
          `DELETE FROM "Tag" WHERE code = 'a' RETURNING missing`,
        ]) {
          told.push(await sequelize.query(sql).catch((error) => error.parent.position));
        }
      });
      return told;
    };
    const plain = await positions(false);
    const audited = await positions(true);
    expect(audited).toEqual(plain.map((position, at) => (audited[at] === undefined ? undefined : position)));
    expect(audited[0]).toBe(plain[0]);
  });

  test('transactions that are begun and ended by hand on a connection are followed, chained ones too', async () => {
    await withHarness({}, async ({ sequelize, events }) => {
      const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client;
      const insert = (code: string) => client.query(`INSERT INTO "Tag" VALUES ('${code}', 'x')`);
      await client.query('BEGIN');
      await insert('kept');
      await client.query('COMMIT AND CHAIN');
      await insert('gone');
      await client.query('ROLLBACK AND CHAIN');
      await insert('chained');
      await client.query('END');
      await insert('alone');
      expect(client.getTransactionStatus?.()).toBe('I');
      sequelize.connectionManager.releaseConnection(client);
      const told = await events();
      expect(told.map(({ resource }) => resource?.id)).toEqual(['kept', 'chained', 'alone']);
      expect(new Set(told.map(({ context }) => context.transactionId)).size).toBe(3);
    });
  });

  test('statements that are given at once run in the order in which they are given', async () => {
    await withHarness({}, async ({ sequelize, snapshot, events }) => {
      const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client;
      const [, , seen] = await Promise.all([
        client.query(`INSERT INTO "Tag" VALUES ('a', 'x')`),
        client.query(`UPDATE "Tag" SET label = 'y'`),
        client.query(`SELECT label FROM "Tag"`),
        client.query(`DELETE FROM "Tag"`),
      ]);
      sequelize.connectionManager.releaseConnection(client);
      expect(seen.rows).toEqual([{ label: 'y' }]);
      expect((await snapshot()).get('Tag')?.size).toBe(0);
      expect((await events()).map(({ action }) => action)).toEqual([
        'tag.created',
        'tag.updated',
        'tag.deleted',
      ]);
    });
  });

  test('destroy({ truncate, cascade }) tells each row that goes', async () => {
    await withHarness({}, async ({ models, events }) => {
      await models.Tag.bulkCreate(['a', 'b'].map((code) => ({ code, label: 'x' })));
      await models.Tag.destroy({ truncate: true, cascade: true });
      expect((await events()).slice(2).map(({ action }) => action)).toEqual(['tag.deleted', 'tag.deleted']);
    });
  });

  test('an upsert whose key is equal and looks different is marked, because foreign keys carry that on', async () => {
    await withHarness({}, async ({ sequelize, raw, events }) => {
      await raw.query(`
        CREATE TABLE price (amount numeric PRIMARY KEY, note text);
        CREATE TABLE offer (id int PRIMARY KEY, amount numeric REFERENCES price ON UPDATE CASCADE);
        INSERT INTO price VALUES (1.0, 'before'); INSERT INTO offer VALUES (1, 1.0)`);
      const upsert = (amount: string, note: string) =>
        sequelize.query(
          `INSERT INTO price VALUES (${amount}, '${note}') ON CONFLICT (amount) DO UPDATE SET amount = EXCLUDED.amount, note = EXCLUDED.note`,
        );
      await upsert('1.0', 'same key');
      expect((await events()).map(({ change }) => change?.fidelity)).toEqual(['exact']);
      await upsert('1.00', 'another look');
      const { rows } = await raw.query('SELECT amount::text FROM offer');
      expect(rows).toEqual([{ amount: '1.00' }]);
      expect((await events()).map(({ change }) => change?.fidelity)).toContain('opaque');
    });
  });

  test('a procedure that commits runs as without auditing, and is marked', async () => {
    await withHarness({}, async ({ sequelize, raw, events, snapshot }) => {
      await raw.query(
        `CREATE PROCEDURE grow() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "Tag" VALUES ('a', 'x'); COMMIT; END $$`,
      );
      await sequelize.query('CALL grow()');
      expect((await snapshot()).get('Tag')?.size).toBe(1);
      expect((await events()).map(({ change }) => change?.fidelity)).toContain('opaque');
    });
  });

  test('a write by a query object is marked, and answers as ever', async () => {
    await withHarness({}, async ({ sequelize, events }) => {
      const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client;
      const query = new pg.Query(`INSERT INTO "Tag" VALUES ('a', 'x') RETURNING code`);
      const rows: unknown[] = [];
      await new Promise((resolve, reject) => {
        client.query(query).on('row', (row) => rows.push(row));
        query.on('end', resolve);
        query.on('error', reject);
      });
      sequelize.connectionManager.releaseConnection(client);
      expect(rows).toEqual([{ code: 'a' }]);
      expect((await events()).map(({ change }) => change?.fidelity)).toEqual(['opaque']);
    });
  });

  test('what a parser of the application throws does not undo the write, nor its event', async () => {
    await withHarness({}, async ({ sequelize, snapshot, events }) => {
      const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client;
      const types = {
        getTypeParser: () => () => {
          throw new Error('can not read this');
        },
      };
      const text = `INSERT INTO "Tag" VALUES ('a', 'x') RETURNING code`;
      await expect(client.query({ text, types } as unknown as pg.QueryConfig)).rejects.toThrow(
        'can not read',
      );
      sequelize.connectionManager.releaseConnection(client);
      expect((await snapshot()).get('Tag')?.size).toBe(1);
      expect(await events()).toHaveLength(1);
    });
  });

  test('with strict, what can not be told exactly is refused before it runs, and the connection goes on', async () => {
    await withHarness({ strict: true }, async ({ sequelize, models }) => {
      const write = `WITH w AS (INSERT INTO "Tag" VALUES ('a', 'x') RETURNING 1) SELECT * FROM w`;
      await expect(sequelize.query(write)).rejects.toSatisfy(
        (error) => auditErrorCode(Object(error).parent) === 'AUDIT_NOT_EXACT',
      );
      expect(await models.Tag.count()).toBe(0);
      await models.Tag.create({ code: 'b', label: 'x' });
    });
  });

  test('tables of another schema are named by their models, and those of no model by themselves', async () => {
    await withHarness({}, async ({ sequelize, raw, events }) => {
      await raw.query('CREATE SCHEMA other; CREATE TABLE other."Tag" (id int PRIMARY KEY, "Label" text)');
      await sequelize.query(`INSERT INTO other."Tag" VALUES (1, 'unknown')`);
      expect((await events()).at(-1)?.resource?.type).toBe('other.Tag');
      const { DataTypes } = await import('sequelize');
      const Known = sequelize.define(
        'Labelled',
        {
          id: { type: DataTypes.INTEGER, primaryKey: true },
          label: { type: DataTypes.TEXT, field: 'Label' },
        },
        { schema: 'other', tableName: 'Labels', timestamps: false },
      );
      await Known.sync();
      await Known.create({ id: 2, label: 'known' });
      expect((await events()).at(-1)).toMatchObject({
        action: 'labelled.created',
        change: { after: { id: 2, label: 'known' } },
      });
    });
  });

  test('the store is the database of the instance where nothing else is configured', async () => {
    await withHarness({ audited: false }, async ({ url, raw }) => {
      const { createAudit } = await import('@indelible/core');
      const audit = createAudit({ hmacKey: 'a test secret of more than thirty-two bytes' });
      const sequelize = auditSequelize(new Sequelize(url, { logging: false }), { audit });
      await sequelize.query(`INSERT INTO "Tag" VALUES ('a', 'x')`, { type: QueryTypes.INSERT });
      await audit.flush();
      const { rows } = await raw.query('SELECT count(*)::int AS n FROM audit.audit_entry');
      expect(rows[0].n).toBeGreaterThan(0);
      await sequelize.close();
      await audit.close();
    });
  });

  test('what can not be audited is refused with what to do', async () => {
    await withHarness({ audited: false }, async ({ audit, url }) => {
      const refused = async (options: object): Promise<string | undefined> => {
        const sequelize = new Sequelize(url, { logging: false, ...options });
        try {
          auditSequelize(sequelize, { audit });
          await sequelize.authenticate();
          return undefined;
        } catch (error) {
          return auditErrorCode(error);
        } finally {
          await sequelize.close();
        }
      };
      expect(await refused({ native: true, dialectModule: { ...pg, types: pg.types, native: pg } })).toBe(
        'AUDIT_DATABASE_UNSUPPORTED',
      );
      expect(await refused({ dialectOptions: { binary: true } })).toBe('AUDIT_ORM_UNSUPPORTED');
      expect(await refused({})).toBeUndefined();
    });
  });
});

/** Without what differs from database to database: oids of types, times. */
function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, part: unknown) =>
      /^(?:tableID|_types|_parsers)$/.test(key) ? undefined : part,
    ) ?? 'null',
  );
}
