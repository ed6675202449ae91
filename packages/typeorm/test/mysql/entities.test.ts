import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { DECORATED } from '../decorated-entities.js';
import { entityCases } from '../entity-cases.js';
import { createMysqlHarness } from './mysql-harness.js';

describeMysql("TypeORM's entities", (server) => {
  entityCases(() =>
    createMysqlHarness({ server, pool: 1, options: { entities: DECORATED, synchronize: true } }),
  );
});
