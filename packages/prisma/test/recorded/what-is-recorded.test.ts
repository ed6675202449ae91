import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { observeCalls } from '../../../capture/test/recorded/observe-calls.js';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createMysqlHarness, type MysqlHarness } from '../mysql/mysql-harness.js';
import { createPostgresHarness, type PostgresHarness } from '../postgres/postgres-harness.js';
import { createPrismaHarness, type PrismaHarness } from '../prisma-harness.js';
import { PRISMA_CALLS, type PrismaCall } from './prisma-calls.js';

const fileOf = (database: string) => fileURLToPath(new URL(`observed/${database}.json`, import.meta.url));

describe('what is recorded through Prisma on SQLite', () => {
  observeCalls<PrismaHarness, PrismaCall>(PRISMA_CALLS, 'sqlite', fileOf('sqlite'), () => ({
    create: (_call, options) => createPrismaHarness('libsql', options),
    read: (harness) => harness.snapshot(),
  }));
});

describePostgres('what is recorded through Prisma', (server) => {
  const file = fileOf(`postgres-${server.version}`);
  observeCalls<PostgresHarness, PrismaCall>(PRISMA_CALLS, 'postgres', file, () => ({
    create: (_call, options) => createPostgresHarness({ server, pool: 1 }, options),
    read: (harness) => harness.snapshot(),
  }));
});

describeMysql('what is recorded through Prisma', (server) => {
  const file = fileOf(server.kind.toLowerCase());
  observeCalls<MysqlHarness, PrismaCall>(PRISMA_CALLS, 'mysql', file, () => ({
    create: (_call, options) => createMysqlHarness({ server, pool: 1 }, options),
    read: (harness) => harness.snapshot(),
  }));
});
