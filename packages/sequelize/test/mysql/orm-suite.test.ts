import { ormSuite } from '@indelible/capture/conformance';
import { describe, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { createMysqlHarness, MYSQL_DIALECTS, MYSQL_SQL } from './mysql-harness.js';

for (const dialect of MYSQL_DIALECTS) {
  describeMysql(`Sequelize with its dialect ${dialect}`, (server) => {
    for (const pool of [1, 10]) {
      describe(`with a pool of ${pool}`, () => {
        ormSuite({
          test: (name, run) => test(name, run),
          factory: (options) => createMysqlHarness({ server, dialect, pool }, options),
          supports: {
            batch: false,
            nested: true,
            survivesFailure: true,
            parallel: pool > 1,
            dropsRows: false,
            readsNarrow: false,
          },
          sql: MYSQL_SQL,
        });
      });
    }
  });
}
