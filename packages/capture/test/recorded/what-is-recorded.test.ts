import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createMysqlBench, type MysqlBench } from '../mysql/mysql-bench.js';
import { createPostgresBench, type PostgresBench } from '../postgres/postgres-bench.js';
import { effectOperations } from './effect-operations.js';
import { type Observation, observe, type StartTrial } from './observe.js';
import type { RecordedOperation, Way } from './recorded-operation.js';
import { startMysqlTrial } from './start-mysql-trial.js';
import { startPostgresTrial } from './start-postgres-trial.js';
import { startSqliteTrial } from './start-sqlite-trial.js';
import { statementOperations } from './statement-operations.js';
import { tableOperations } from './table-operations.js';

const GROUPS: readonly (readonly [string, readonly RecordedOperation[]])[] = [
  ['statements', statementOperations],
  ['effects', effectOperations],
  ['tables', tableOperations],
];

describe('what is recorded on SQLite', () => {
  observeAll(
    'sqlite',
    ({ sqlite }) => sqlite,
    () => startSqliteTrial,
  );
});

describePostgres('what is recorded', (server) => {
  const role = `indelible_recorded_${randomBytes(6).toString('hex')}`;
  let bench: PostgresBench;
  let start: StartTrial;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
    await bench.outside.query(`CREATE ROLE ${role}; GRANT indelible_writer TO ${role}`);
    start = startPostgresTrial(bench, role);
  });
  afterAll(async () => {
    await bench.reset('');
    await bench.outside.query(`DROP ROLE ${role}`);
    await bench.close();
  });
  observeAll(
    `postgres-${server.version}`,
    ({ postgres }) =>
      postgres !== undefined && (postgres.since ?? 0) <= server.version ? postgres : undefined,
    () => start,
  );
});

describeMysql('what is recorded', (server) => {
  let bench: MysqlBench;
  let start: StartTrial;
  beforeAll(async () => {
    bench = await createMysqlBench(server);
    start = startMysqlTrial(bench);
  });
  afterAll(() => bench.close());
  observeAll(
    server.kind.toLowerCase(),
    ({ mariadb }) => mariadb,
    () => start,
  );
});

/**
 * A test for each operation, and one that holds all observations to the file which the README's table is made from. Run
 * vitest with `-u` to write it anew, then scripts/generate-docs.mjs.
 */
function observeAll(
  database: string,
  wayOf: (operation: RecordedOperation) => Way | undefined,
  start: () => StartTrial,
): void {
  const observed = new Map<RecordedOperation, Observation>();
  for (const operation of GROUPS.flatMap(([, operations]) => operations)) {
    const way = wayOf(operation);
    if (way === undefined) {
      observed.set(operation, { outcome: 'no such thing' });
      continue;
    }
    test(`${operation.name}: nothing is lost in silence, and strict refuses what is not exact`, async () => {
      observed.set(operation, await observe(way, start()));
    });
  }

  test('what was observed is what the README says', async () => {
    const groups = GROUPS.map(([group, operations]) => [
      group,
      Object.fromEntries(operations.map((operation) => [operation.name, observed.get(operation)])),
    ]);
    const text = `${JSON.stringify(Object.fromEntries(groups), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`./observed/${database}.json`);
  });
}
