import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMysqlStore } from '@indelible/mysql';
import { createPostgresStore } from '@indelible/postgres';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import pg from 'pg';
import { describe } from 'vitest';
import { withRaw } from '../../../packages/mysql/test/raw-connection.js';
import { describeMysql } from '../../../packages/mysql/test/test-mysql.js';
import { describePostgres } from '../../../packages/postgres/test/test-postgres.js';
import { type RawEvent, tenantSuite } from './tenant-suite.js';

const ROWS = 'SELECT log, body FROM audit_event ORDER BY id';

describe('tenants on SQLite', () => {
  tenantSuite(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'indelible-tenants-'));
    const file = join(directory, 'audit.db');
    const store = createSqliteStore({ file });
    await store.migrate();
    return {
      store,
      rows: async () => {
        const raw = new Database(file);
        const rows = raw.prepare(ROWS).all() as RawEvent[];
        raw.close();
        return rows;
      },
      dispose: async () => {
        await store.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  });
});

describePostgres('tenants', (server) => {
  tenantSuite(async () => {
    const database = await server.createDatabase();
    const store = createPostgresStore({ url: database.url });
    await store.migrate();
    return {
      store,
      rows: async () => {
        const client = new pg.Client({ connectionString: database.url });
        await client.connect();
        const { rows } = await client.query<RawEvent>(ROWS.replace('audit_event', 'audit.audit_event'));
        await client.end();
        return rows;
      },
      dispose: async () => {
        await store.close();
        await database.drop();
      },
    };
  });
});

describeMysql('tenants', (server) => {
  tenantSuite(async () => {
    const database = await server.createDatabase();
    const store = createMysqlStore({ url: database.url });
    await store.migrate();
    return {
      store,
      rows: () =>
        withRaw(database.url, async (raw) =>
          (await raw.all(ROWS)).map(({ log, body }) => ({ log: String(log), body: body as Buffer })),
        ),
      dispose: async () => {
        await store.close();
        await database.drop();
      },
    };
  });
});
