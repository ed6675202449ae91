import { storeSuite } from '@indelible/core/conformance';
import { afterAll, beforeAll, test } from 'vitest';
import { createMysqlHarness } from './mysql-harness.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

describeMysql('the MySQL store', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.createDatabase();
  });
  afterAll(() => database.drop());

  storeSuite({
    test,
    factory: async () => createMysqlHarness(database.url),
    // Only foreign keys stand in its way, and a session may switch those off.
    supports: { truncateGuard: false },
  });
});
