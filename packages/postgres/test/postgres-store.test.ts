import { storeSuite } from '@indelible/core/conformance';
import { test } from 'vitest';
import { createPostgresHarness } from './postgres-harness.js';
import { describePostgres } from './test-postgres.js';

describePostgres('the PostgreSQL store', (server) => {
  storeSuite({ test, factory: () => createPostgresHarness(server) });
});
