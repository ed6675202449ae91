import { createConnection } from 'mysql2/promise';
import { accountSeeds, accountTable, type HammerTarget } from './hammer-target.js';
import { createMysqlServer, hasMysqlServer } from './mysql-server.js';
import { openServerTarget } from './server-target.js';
import { SHARED_ACCOUNTS } from './workload.js';

/** A MariaDB of its own on a small disk, behind a proxy that loses commits; undefined where there is none. */
export async function tryOpenMysqlTarget(): Promise<HammerTarget | undefined> {
  if (!hasMysqlServer()) return undefined;
  return openServerTarget({
    kind: 'mysql',
    megabytes: 400,
    create: createMysqlServer,
    tables: { event: 'audit_event', entry: 'audit_entry', pending: 'audit_pending' },
    setUp: [
      `${accountTable('`Account`')} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
      accountSeeds('`Account`', SHARED_ACCOUNTS),
    ],
    version: 'SELECT version() AS version',
    name: 'MariaDB',
    async run(url, sql) {
      const connection = await createConnection(url);
      try {
        const [rows] = await connection.query(sql);
        return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
      } finally {
        await connection.end();
      }
    },
  });
}
