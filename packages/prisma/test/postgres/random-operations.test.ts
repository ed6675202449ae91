import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { testRandomOperations } from '../random-search.js';
import { createPostgresHarness } from './postgres-harness.js';
import { POSTGRES_STATEMENTS } from './postgres-statements.js';

describePostgres('Prisma, with a pool of 4,', (server) => {
  testRandomOperations(
    {
      statements: POSTGRES_STATEMENTS,
      marksRaces: true,
      open: () => createPostgresHarness({ server, pool: 4 }),
      clear: async ({ raw }) => {
        await raw.query(
          `TRUNCATE "_Friends", "_PostToTag", "Comment", "posts", "Profile", "Tag", "Membership", "order", "User" RESTART IDENTITY`,
        );
      },
    },
    [1718564842],
  );
});
