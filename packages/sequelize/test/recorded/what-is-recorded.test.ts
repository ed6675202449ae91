import { fileURLToPath } from 'node:url';
import { observeCalls } from '../../../capture/test/recorded/observe-calls.js';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import type { SequelizeHarness } from '../behaviour-cases.js';
import {
  createMysqlHarness,
  MYSQL_DIALECTS,
  type MysqlHarness,
  readMysqlSnapshot,
} from '../mysql/mysql-harness.js';
import {
  createPostgresHarness,
  type PostgresHarness,
  readPostgresSnapshot,
} from '../postgres/postgres-harness.js';
import { noteOf, RECORDED_TABLES, SEQUELIZE_CALLS, type SequelizeCall } from './sequelize-calls.js';

const fileOf = (database: string) => fileURLToPath(new URL(`observed/${database}.json`, import.meta.url));

async function withNotes<H extends SequelizeHarness>(made: Promise<H>): Promise<H> {
  const harness = await made;
  await noteOf(harness.sequelize).sync();
  return harness;
}

describePostgres('what is recorded through Sequelize', (server) => {
  observeCalls<PostgresHarness, SequelizeCall>(
    SEQUELIZE_CALLS,
    'postgres',
    fileOf(`postgres-${server.version}`),
    () => ({
      create: (_call, options) => withNotes(createPostgresHarness({ server, pool: 1 }, options)),
      read: ({ raw }) => readPostgresSnapshot(raw, RECORDED_TABLES),
    }),
  );
});

for (const dialect of MYSQL_DIALECTS) {
  describeMysql(`what is recorded through Sequelize with its dialect ${dialect}`, (server) => {
    const file = fileOf(`${server.kind.toLowerCase()}-${dialect}`);
    observeCalls<MysqlHarness, SequelizeCall>(SEQUELIZE_CALLS, 'mysql', file, () => ({
      create: (_call, options) => withNotes(createMysqlHarness({ server, dialect, pool: 1 }, options)),
      read: ({ raw }) => readMysqlSnapshot(raw, RECORDED_TABLES),
    }));
  });
}
