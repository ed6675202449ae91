import { fileURLToPath } from 'node:url';
import type { DataSourceOptions } from 'typeorm';
import { describe } from 'vitest';
import { observeCalls } from '../../../capture/test/recorded/observe-calls.js';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { readMysqlSnapshot } from '../../../prisma/test/mysql/mysql-rows.js';
import { readPostgresSnapshot } from '../../../prisma/test/postgres/postgres-rows.js';
import { readSqliteSnapshot } from '../../../prisma/test/sqlite-rows.js';
import { DECORATED } from '../decorated-entities.js';
import { TYPEORM_LINKS } from '../domain-links.js';
import { createMysqlHarness, type MysqlHarness } from '../mysql/mysql-harness.js';
import { createPostgresHarness, type PostgresHarness } from '../postgres/postgres-harness.js';
import { createSqliteHarness, type SqliteHarness } from '../sqlite/sqlite-harness.js';
import { DECORATED_TABLES } from './decorated-calls.js';
import { TYPEORM_CALLS, type TypeormCall } from './typeorm-calls.js';

const fileOf = (database: string) => fileURLToPath(new URL(`observed/${database}.json`, import.meta.url));
const optionsOf = ({ entities }: TypeormCall): Partial<DataSourceOptions> =>
  entities === 'decorated' ? { entities: DECORATED, synchronize: true } : {};
const tablesOf = ({ entities }: TypeormCall) =>
  entities === 'decorated' ? { ...TYPEORM_LINKS, ...DECORATED_TABLES } : TYPEORM_LINKS;

describe('what is recorded through TypeORM on SQLite', () => {
  observeCalls<SqliteHarness, TypeormCall>(TYPEORM_CALLS, 'sqlite', fileOf('sqlite'), () => ({
    create: (call, options) => createSqliteHarness({ kind: 'libsql', options: optionsOf(call) }, options),
    read: ({ raw }, call) =>
      readSqliteSnapshot(raw, tablesOf(call), {
        instant: (value) => new Date(`${String(value)}Z`).toISOString(),
      }),
  }));
});

describePostgres('what is recorded through TypeORM', (server) => {
  observeCalls<PostgresHarness, TypeormCall>(
    TYPEORM_CALLS,
    'postgres',
    fileOf(`postgres-${server.version}`),
    () => ({
      create: (call, options) =>
        createPostgresHarness({ server, pool: 1, options: optionsOf(call) }, options),
      read: ({ raw }, call) => readPostgresSnapshot(raw, tablesOf(call)),
    }),
  );
});

describeMysql('what is recorded through TypeORM', (server) => {
  observeCalls<MysqlHarness, TypeormCall>(TYPEORM_CALLS, 'mysql', fileOf(server.kind.toLowerCase()), () => ({
    create: (call, options) => createMysqlHarness({ server, pool: 1, options: optionsOf(call) }, options),
    read: ({ raw }, call) => readMysqlSnapshot(raw, tablesOf(call)),
  }));
});
