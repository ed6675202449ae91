import { storeSuite } from '@indelible/core/conformance';
import { afterAll, beforeAll, test } from 'vitest';
import { createPostgresHarness } from './postgres-harness.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

describePostgres('the PostgreSQL store', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.createDatabase();
  });
  afterAll(() => database.drop());

  storeSuite({ test, factory: async () => createPostgresHarness(database.url) });
});
