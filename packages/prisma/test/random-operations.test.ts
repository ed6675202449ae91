import { createPrismaHarness } from './prisma-harness.js';
import { testRandomOperations } from './random-search.js';
import { SQLITE_STATEMENTS } from './sqlite-statements.js';

const TABLES = [
  '_Friends',
  '_PostToTag',
  'Comment',
  'posts',
  'Profile',
  'Tag',
  'Membership',
  'order',
  'User',
];

testRandomOperations(
  {
    statements: SQLITE_STATEMENTS,
    marksRaces: false,
    open: () => createPrismaHarness('libsql'),
    clear: async ({ raw }) => {
      raw.exec(`PRAGMA foreign_keys = 0; PRAGMA busy_timeout = 5000;
        ${TABLES.map((table) => `DELETE FROM "${table}";`).join(' ')} DELETE FROM sqlite_sequence;`);
    },
  },
  [1, 2],
);
