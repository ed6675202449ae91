import { ormSuite } from '@indelible/capture/conformance';
import { describe, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, POSTGRES_SQL } from './postgres-harness.js';

describePostgres('Sequelize', (server) => {
  for (const pool of [1, 10]) {
    describe(`with a pool of ${pool}`, () => {
      ormSuite({
        test: (name, run) => test(name, run),
        factory: (options) => createPostgresHarness({ server, pool }, options),
        supports: {
          batch: false,
          nested: true,
          survivesFailure: false,
          parallel: pool > 1,
          readsNarrow: false,
        },
        sql: POSTGRES_SQL,
      });
    });
  }
});
