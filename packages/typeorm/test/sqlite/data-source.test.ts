import { fileURLToPath } from 'node:url';
import { AuditError, configureAudit, createAudit, getAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { DataSource, EntitySchema, type QueryFailedError, TableColumn } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../prisma/test/prisma-harness.js';
import { getLibrary } from '../../../prisma/test/sqlite-libraries.js';
import { AuditSubscriber, auditDataSource } from '../../src/index.js';
import { createSqliteHarness, HMAC_KEY, type SqliteHarness, type SqliteWay } from './sqlite-harness.js';
import { sqliteKinds } from './sqlite-kinds.js';

describe.each(sqliteKinds())('an audited data source on SQLite through %s', (kind) => {
  async function withHarness(
    work: (harness: SqliteHarness) => Promise<void>,
    way: Partial<SqliteWay> = {},
    audited = true,
  ): Promise<void> {
    const harness = await createSqliteHarness({ kind, ...way }, { audited });
    try {
      await work(harness);
    } finally {
      await harness.close();
    }
  }

  it('records the very first statement where it is switched on by a subscriber, and gives its answer', async () => {
    const subscribed = { options: { subscribers: [AuditSubscriber] }, switchOn: () => {} };
    await withHarness(async ({ dataSource, file, raw, domain }) => {
      const { driver } = getLibrary(kind);
      configureAudit({
        store: createSqliteStore({ file, driver }),
        hmacKey: HMAC_KEY,
        lifecycleEvents: false,
      });
      try {
        const first = await dataSource.getRepository(domain.User).insert({ email: 'ada@a.test' });
        expect(first.identifiers).toEqual([{ id: 1 }]);
        await dataSource.getRepository(domain.User).update({ id: 1 }, { name: 'Ada' });
        expect(readEvents(raw).map(({ action }) => action)).toEqual(['user.created', 'user.updated']);
      } finally {
        await getAudit().close();
      }
    }, subscribed);
  });

  it('gives the first statement its error where it is switched on by a subscriber', async () => {
    const subscribed = { options: { subscribers: [AuditSubscriber] }, switchOn: () => {} };
    await withHarness(async ({ dataSource, file }) => {
      const { driver } = getLibrary(kind);
      configureAudit({
        store: createSqliteStore({ file, driver }),
        hmacKey: HMAC_KEY,
        lifecycleEvents: false,
      });
      try {
        const failed = dataSource.query(`INSERT INTO "Tag" VALUES (NULL, NULL)`);
        await expect(failed).rejects.toMatchObject({
          query: `INSERT INTO "Tag" VALUES (NULL, NULL)`,
          driverError: { code: expect.stringMatching(/^SQLITE_CONSTRAINT/) },
        });
      } finally {
        await getAudit().close();
      }
    }, subscribed);
  });

  it('gives answers and errors as without auditing', async () => {
    const seen: unknown[] = [];
    for (const audited of [true, false]) {
      await withHarness(
        async ({ dataSource }) => {
          const runner = dataSource.createQueryRunner();
          const answers: unknown[] = [];
          const statements: [string, unknown[]?][] = [
            [`INSERT INTO "User" ("email") VALUES ('a@a.test'), ('b@a.test')`],
            [`INSERT INTO "Tag" VALUES (?, ?) RETURNING *`, ['c', 'x']],
            [`UPDATE "User" SET "active" = ? WHERE "id" > 0`, [false]],
            [`DELETE FROM "Tag" WHERE "code" = 'absent'`],
            [`INSERT INTO "Tag" VALUES (NULL, 'x')`],
            ['SELEKT 1'],
            ['SELECT last_insert_rowid() AS id, changes() AS n'],
          ];
          for (const [sql, parameters] of statements) {
            await runner.query(sql, parameters, true).then(
              (result: unknown) => answers.push(JSON.parse(JSON.stringify(result))),
              (error: QueryFailedError & { code?: string }) =>
                answers.push([
                  error.constructor.name,
                  error.message,
                  error.query,
                  error.parameters,
                  error.code,
                ]),
            );
          }
          seen.push(answers);
        },
        {},
        audited,
      );
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  it('tells transactions that are begun at once as what TypeORM makes of them: one within the other', async () => {
    await withHarness(async ({ dataSource, domain, events, snapshot }) => {
      const insert = (code: string) =>
        dataSource
          .transaction(async (manager) => {
            await manager.getRepository(domain.Tag).insert({ code, label: 'x' });
            await new Promise((resolve) => setTimeout(resolve, 5));
          })
          .catch(() => undefined);
      await Promise.all(['a', 'b', 'c'].map(insert));
      const told = (await events()).map(({ resource }) => resource?.id).sort();
      expect(told).toEqual([...((await snapshot()).get('Tag') ?? new Map()).keys()].sort());
    });
  });

  it('takes no copy that TypeORM makes of a table for rows of it', async () => {
    await withHarness(async ({ dataSource, domain, events, raw }) => {
      await dataSource.getRepository(domain.Tag).insert({ code: 'a', label: 'x' });
      const runner = dataSource.createQueryRunner();
      await runner.addColumn('Tag', new TableColumn({ name: 'more', type: 'text', isNullable: true }));
      await runner.dropColumn('Tag', 'more');
      await runner.release();
      await dataSource.getRepository(domain.Tag).update({ code: 'a' }, { label: 'y' });
      expect((await events()).map(({ action }) => action)).toEqual(['tag.created', 'tag.updated']);
      expect(raw.prepare('SELECT "label" FROM "Tag"').raw().all()).toEqual([['y']]);
    });
  });

  it('offers its own file as the store, also before it is open', async () => {
    const harness = await createSqliteHarness({ kind }, { audited: false });
    const audit = createAudit({ hmacKey: HMAC_KEY, lifecycleEvents: false });
    const { Database } = getLibrary(kind);
    const Note = new EntitySchema<{ id: number; text: string }>({
      name: 'Note',
      columns: { id: { type: 'int', primary: true, generated: true }, text: { type: 'text' } },
    });
    const dataSource = new DataSource({
      type: 'better-sqlite3',
      database: harness.file,
      driver: Database,
      entities: [Note],
      synchronize: true,
    });
    const before = process.cwd();
    try {
      // The store takes better-sqlite3 from where the application stands.
      process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
      auditDataSource(dataSource, { audit });
      await audit.migrate();
      await dataSource.initialize();
      await dataSource.getRepository(Note).save({ text: 'x' });
      expect(readEvents(harness.raw).map(({ action }) => action)).toEqual(['note.created']);
    } finally {
      process.chdir(before);
      if (dataSource.isInitialized) await dataSource.destroy();
      await audit.close();
      await harness.close();
    }
  });

  it('refuses a database in memory', () => {
    const { Database } = getLibrary(kind);
    const dataSource = new DataSource({ type: 'better-sqlite3', database: ':memory:', driver: Database });
    expect(() => auditDataSource(dataSource)).toThrow(AuditError);
  });
});
