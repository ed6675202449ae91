import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { testRandomOperations } from '../random-search.js';
import { createMysqlHarness } from './mysql-harness.js';
import { MYSQL_STATEMENTS } from './mysql-statements.js';

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

describeMysql('Prisma, with a pool of 4,', (server) => {
  testRandomOperations(
    {
      statements: MYSQL_STATEMENTS,
      marksRaces: true,
      open: () => createMysqlHarness({ server, pool: 4 }),
      clear: async ({ raw }) => {
        const emptied = TABLES.map((table) => `DELETE FROM \`${table}\`;`);
        const begun = ['User', 'posts', 'Comment'].map(
          (table) => `ALTER TABLE \`${table}\` AUTO_INCREMENT = 1;`,
        );
        await raw.query(
          `SET foreign_key_checks = 0; ${[...emptied, ...begun].join(' ')} SET foreign_key_checks = 1`,
        );
      },
    },
    [],
  );
});
