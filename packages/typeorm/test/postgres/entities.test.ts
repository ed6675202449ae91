import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { DECORATED } from '../decorated-entities.js';
import { entityCases } from '../entity-cases.js';
import { createPostgresHarness } from './postgres-harness.js';

describePostgres("TypeORM's entities", (server) => {
  entityCases(() =>
    createPostgresHarness({ server, pool: 1, options: { entities: DECORATED, synchronize: true } }),
  );
});
