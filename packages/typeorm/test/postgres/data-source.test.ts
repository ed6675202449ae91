import { runWithContext } from '@indelible/context';
import { AuditError, configureAudit, createAudit, getAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { DataSource, type QueryFailedError } from 'typeorm';
import { expect, it } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { AuditSubscriber, auditDataSource } from '../../src/index.js';
import {
  createPostgresHarness,
  HMAC_KEY,
  type PostgresHarness,
  type PostgresWay,
  readEvents,
} from './postgres-harness.js';

describePostgres('an audited data source', (server) => {
  async function withHarness(
    work: (harness: PostgresHarness) => Promise<void>,
    way: Partial<PostgresWay> = {},
    audited = true,
  ): Promise<void> {
    const harness = await createPostgresHarness({ server, pool: 1, ...way }, { audited });
    try {
      await work(harness);
      const { rows } = await harness.raw.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'
          AND application_name <> 'indelible'`,
      );
      expect(rows).toEqual([]);
    } finally {
      await harness.close();
    }
  }

  /** What the same work gives with auditing and without. */
  async function both(work: (harness: PostgresHarness) => Promise<unknown>): Promise<[unknown, unknown]> {
    const seen: unknown[] = [];
    for (const audited of [true, false]) {
      await withHarness(async (harness) => void seen.push(await work(harness)), {}, audited);
    }
    return [seen[0], seen[1]];
  }

  const actionsOf = async (harness: PostgresHarness): Promise<string[]> =>
    (await harness.events()).map(({ action }) => action);

  it('records the very first statement where it is switched on by a subscriber', async () => {
    const subscribed = { options: { subscribers: [AuditSubscriber] }, switchOn: () => {} };
    await withHarness(async (harness) => {
      configureAudit({
        store: createPostgresStore({ url: harness.url, roles: false, connections: 2 }),
        hmacKey: HMAC_KEY,
        lifecycleEvents: false,
      });
      try {
        await harness.dataSource.query(`INSERT INTO "Tag" VALUES ('a', 'x')`);
        await harness.dataSource.transaction((manager) =>
          manager.getRepository(harness.domain.Tag).update({ code: 'a' }, { label: 'y' }),
        );
        expect((await readEvents(harness.raw)).map(({ action }) => action)).toEqual([
          'tag.created',
          'tag.updated',
        ]);
      } finally {
        await getAudit().close();
      }
    }, subscribed);
  });

  it('refuses to be audited twice, an option that it does not know, and a database that was not tried', () => {
    const create = () => new DataSource({ type: 'postgres', database: 'app' });
    const dataSource = auditDataSource(create());
    expect(() => auditDataSource(dataSource)).toThrow(TypeError);
    expect(() => auditDataSource(create(), { onlyy: ['User'] } as object)).toThrow('unknown option "onlyy"');
    const other = { options: { type: 'oracle' } } as unknown as DataSource;
    expect(() => auditDataSource(other)).toThrow(AuditError);
  });

  it('records what query builders write, whether their listeners are called or not', async () => {
    await withHarness(async (harness) => {
      const { Tag } = harness.domain;
      const build = () => harness.dataSource.createQueryBuilder().callListeners(false);
      await build().insert().into(Tag).values({ code: 'a', label: 'x' }).execute();
      await build()
        .update(Tag)
        .set({ label: () => `upper("label")` })
        .where({ code: 'a' })
        .execute();
      await build().delete().from(Tag).where('code = :code', { code: 'a' }).execute();
      const events = await harness.events();
      expect(events.map(({ action }) => action)).toEqual(['tag.created', 'tag.updated', 'tag.deleted']);
      expect(events[1]?.change).toMatchObject({ before: { label: 'x' }, after: { label: 'X' } });
    });
  });

  it('records clear() row by row, and upsert() by the branch that ran', async () => {
    await withHarness(async (harness) => {
      const memberships = harness.dataSource.getRepository(harness.domain.Membership);
      const seat = { org: 'a', seat: 1 };
      await memberships.upsert([{ ...seat, level: 'basic' }], ['org', 'seat']);
      await memberships.upsert(
        [
          { ...seat, level: 'gold' },
          { org: 'a', seat: 2, level: 'gold' },
        ],
        ['org', 'seat'],
      );
      await memberships.upsert([{ ...seat, level: 'gold' }], ['org', 'seat']);
      await memberships.clear();
      expect(await actionsOf(harness)).toEqual([
        'membership.created',
        'membership.updated',
        'membership.created',
        'membership.deleted',
        'membership.deleted',
      ]);
    });
  });

  it('tells an upsert exactly although TypeORM assigns the key again, and marks one that changes it', async () => {
    await withHarness(async (harness) => {
      const tags = harness.dataSource.getRepository(harness.domain.Tag);
      await tags.upsert([{ code: 'a', label: 'x' }], ['code']);
      await tags.upsert([{ code: 'a', label: 'y' }], ['code']);
      expect(await actionsOf(harness)).toEqual(['tag.created', 'tag.updated']);
      await harness.dataSource.query(
        `INSERT INTO "Tag" VALUES ('a', 'z') ON CONFLICT ("code") DO UPDATE SET "code" = 'b'`,
      );
      const [moved, mark] = (await harness.events()).slice(2);
      expect(moved?.details?.newResourceId).toBe('b');
      expect([mark?.action, mark?.change?.fidelity]).toEqual(['tag.executed', 'opaque']);
      expect(mark?.details?.reason).toContain('foreign keys');
    });
  });

  it('follows a transaction that a query runner steers, with its savepoints', async () => {
    await withHarness(async (harness) => {
      const runner = harness.dataSource.createQueryRunner();
      await runner.startTransaction('SERIALIZABLE');
      await runner.query(`INSERT INTO "Tag" VALUES ('kept', 'x')`);
      await runner.startTransaction();
      await runner.query(`INSERT INTO "Tag" VALUES ('gone', 'x')`);
      await runner.rollbackTransaction();
      expect((await harness.events()).length).toBe(0);
      await runner.commitTransaction();
      await runner.release();
      expect((await harness.events()).map(({ resource }) => resource?.id)).toEqual(['kept']);
    });
  });

  it('follows a transaction that raw SQL steers', async () => {
    await withHarness(async (harness) => {
      const runner = harness.dataSource.createQueryRunner();
      for (const code of ['a', 'b']) {
        await runner.query('BEGIN');
        await runner.query(`INSERT INTO "Tag" VALUES ('${code}', 'x')`);
        await runner.query(code === 'a' ? 'ROLLBACK' : 'COMMIT AND CHAIN');
      }
      await runner.query(`INSERT INTO "Tag" VALUES ('chained', 'x')`);
      await runner.query('END');
      await runner.release();
      expect((await harness.events()).map(({ resource }) => resource?.id)).toEqual(['b', 'chained']);
    });
  });

  it('keeps statements that one runner is given at once apart, each with its actor', async () => {
    await withHarness(async (harness) => {
      const runner = harness.dataSource.createQueryRunner();
      const insert = (code: string) =>
        runWithContext({ actor: { type: 'user', id: code } }, () =>
          runner.query(`INSERT INTO "Tag" VALUES ($1, 'x')`, [code]).then(
            () => 'done',
            () => 'failed',
          ),
        );
      const outcomes = await Promise.all([
        insert('a'),
        insert('a'),
        insert('b'),
        runner.query('SELECT 1'),
        insert('c'),
      ]);
      await runner.release();
      expect(outcomes).toEqual(['done', 'failed', 'done', [{ '?column?': 1 }], 'done']);
      const events = await harness.events();
      expect(events.map(({ actor, resource }) => [actor.id, resource?.id])).toEqual([
        ['a', 'a'],
        ['b', 'b'],
        ['c', 'c'],
      ]);
    });
  });

  it('gives what query runners answer as without auditing, in every shape', async () => {
    const [audited, plain] = await both(async ({ dataSource }) => {
      const runner = dataSource.createQueryRunner();
      const answers: unknown[] = [];
      const statements: [string, unknown[]?][] = [
        [`INSERT INTO "Tag" VALUES ('a', 'x'), ('b', 'x')`],
        [`INSERT INTO "Tag" VALUES ($1, $2) RETURNING *, 1 AS n, 2 AS n`, ['c', 'x']],
        [`UPDATE "Tag" SET "label" = $1`, ['y']],
        [`UPDATE "Tag" SET "label" = 'z' WHERE "code" = 'a' RETURNING "code"`],
        [
          `WITH old AS (SELECT 'b' AS code) UPDATE "Tag" SET "label" = 'w' FROM old WHERE "Tag".code = old.code`,
        ],
        [`DELETE FROM "Tag" WHERE "code" = 'absent'`],
        [`DELETE FROM "Tag" RETURNING "code"`],
        ['SELECT 1 AS one; SELECT 2 AS two'],
      ];
      for (const [sql, parameters] of statements) {
        const result: unknown = await runner.query(sql, parameters, true);
        answers.push(JSON.parse(JSON.stringify(result)));
      }
      await runner.release();
      return answers;
    });
    expect(audited).toEqual(plain);
  });

  it('gives the errors of the driver as without auditing, and points at no character that is not meant', async () => {
    const [audited, plain] = await both(async ({ dataSource }) => {
      const errors: unknown[] = [];
      for (const sql of [
        `INSERT INTO "Tag" VALUES (NULL, 'x')`,
        `INSERT INTO "Tag" (nothing) VALUES (1)`,
        'SELEKT 1',
        'UPDATE nowhere SET x = 1',
      ]) {
        await dataSource.query(sql).catch((error: QueryFailedError & { code: string; position?: string }) => {
          errors.push([error.constructor.name, error.message, error.query, error.code, error.position]);
        });
      }
      return errors;
    });
    expect(audited).toEqual(plain);
  });

  it('records what is written on either kind of connection of a replicated data source', async () => {
    await withHarness(
      async (harness) => {
        const { Tag } = harness.domain;
        await harness.dataSource.getRepository(Tag).save({ code: 'a', label: 'x' });
        await harness.dataSource.transaction((manager) =>
          manager.getRepository(Tag).update({ code: 'a' }, { label: 'y' }),
        );
        const copy = harness.dataSource.createQueryRunner('slave');
        await copy.query(`UPDATE "Tag" SET "label" = 'z'`);
        await copy.release();
        expect(await actionsOf(harness)).toEqual(['tag.created', 'tag.updated', 'tag.updated']);
      },
      { replicated: true },
    );
  });

  it('refuses binary values, of which no images are made, and keeps no connection', async () => {
    const dataSource = new DataSource({ type: 'postgres', url: server.url, extra: { binary: true, max: 1 } });
    auditDataSource(dataSource);
    for (let turn = 0; turn < 3; turn += 1) {
      await expect(dataSource.initialize()).rejects.toMatchObject({ code: 'AUDIT_ORM_UNSUPPORTED' });
    }
  });

  it('marks what a query object of the driver writes, and lets it read', async () => {
    await withHarness(async (harness) => {
      const runner = harness.dataSource.createQueryRunner();
      const client = (await runner.connect()) as pg.Client;
      const send = (text: string) =>
        new Promise((resolve, reject) => {
          const query = client.query(new pg.Query(text));
          query.on('end', resolve).on('error', reject);
        });
      await send('SELECT 1');
      await send(`INSERT INTO "Tag" VALUES ('a', 'x')`);
      await runner.release();
      expect((await harness.events()).map(({ change }) => change?.fidelity)).toEqual(['opaque']);
    });
  });

  it('sees what is given to the connection of the driver itself, with a callback too', async () => {
    await withHarness(async (harness) => {
      const runner = harness.dataSource.createQueryRunner();
      const client = (await runner.connect()) as {
        query(text: string, values: unknown[], done: (error: unknown, result: unknown) => void): void;
      };
      const result = await new Promise((resolve, reject) =>
        client.query(`INSERT INTO "Tag" VALUES ($1, 'x') RETURNING code`, ['a'], (error, answer) =>
          error === null ? resolve(answer) : reject(error),
        ),
      );
      expect(result).toMatchObject({ command: 'INSERT', rowCount: 1, rows: [{ code: 'a' }] });
      await runner.release();
      expect(await actionsOf(harness)).toEqual(['tag.created']);
    });
  });

  it('leaves no transaction open where the events can not be stored at COMMIT', async () => {
    await withHarness(async (harness) => {
      await harness.swallowEvents();
      const runner = harness.dataSource.createQueryRunner();
      await runner.query('BEGIN');
      await runner.query(`INSERT INTO "Tag" VALUES ('a', 'x')`);
      await expect(runner.query('COMMIT')).rejects.toMatchObject({ code: 'AUDIT_CAPTURE_FAILED' });
      await runner.release();
      expect((await harness.snapshot()).get('Tag')?.size).toBe(0);
    });
  });

  it('offers its own database as the store, and leaves what TypeORM keeps for itself alone', async () => {
    const harness = await createPostgresHarness({ server, pool: 2 }, { audited: false });
    class AddTag1700000000000 {
      readonly name = 'AddTag1700000000000';
      async up(runner: { query(sql: string): Promise<unknown> }): Promise<void> {
        await runner.query('CREATE TABLE extra (id int PRIMARY KEY)');
        await runner.query(`INSERT INTO "Tag" VALUES ('migrated', 'x')`);
      }
      async down(): Promise<void> {}
    }
    const audit = createAudit({ hmacKey: HMAC_KEY, lifecycleEvents: false });
    const dataSource = new DataSource({
      type: 'postgres',
      url: harness.url,
      entities: Object.values(harness.domain),
      migrations: [AddTag1700000000000],
      installExtensions: false,
    });
    try {
      auditDataSource(dataSource, { audit });
      await dataSource.initialize();
      await dataSource.runMigrations();
      expect((await readEvents(harness.raw)).map(({ action }) => action)).toEqual(['tag.created']);
    } finally {
      await dataSource.destroy();
      await audit.close();
      await harness.close();
    }
  });
});
