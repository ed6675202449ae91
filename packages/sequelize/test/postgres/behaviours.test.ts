import { describe, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { transactionBehaviours } from '../transaction-behaviours.js';
import { writeBehaviours } from '../write-behaviours.js';
import { createPostgresHarness } from './postgres-harness.js';

describePostgres('what Sequelize does by itself', (server) => {
  for (const pool of [1, 10]) {
    describe(`with a pool of ${pool}`, () => {
      for (const [name, run] of [...writeBehaviours, ...transactionBehaviours]) {
        test(name, async () => {
          const harness = await createPostgresHarness({ server, pool });
          try {
            await run(harness);
          } finally {
            await harness.close();
          }
        });
      }
    });
  }
});
