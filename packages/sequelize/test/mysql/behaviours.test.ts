import { describe, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { transactionBehaviours } from '../transaction-behaviours.js';
import { writeBehaviours } from '../write-behaviours.js';
import { createMysqlHarness, MYSQL_DIALECTS } from './mysql-harness.js';

for (const dialect of MYSQL_DIALECTS) {
  describeMysql(`what Sequelize does by itself with its dialect ${dialect}`, (server) => {
    for (const pool of [1, 10]) {
      describe(`with a pool of ${pool}`, () => {
        for (const [name, run] of [...writeBehaviours, ...transactionBehaviours]) {
          test(name, async () => {
            const harness = await createMysqlHarness({ server, dialect, pool });
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
}
