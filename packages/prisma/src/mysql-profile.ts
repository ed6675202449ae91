import { createMysqlDialect } from '@indelible/capture';
import { AuditError } from '@indelible/core';
import type { AdapterProfile } from './adapter-profile.js';
import { AuditedMysqlPool } from './audited-mysql-pool.js';

/** An adapter of MySQL and MariaDB: a pool of the mariadb driver. */
export function createMysqlProfile(adapterName: string): AdapterProfile {
  return {
    adapterName,
    createDialect: () => createMysqlDialect(),
    foldsNames: false,
    // Tables of the connection's own database are told without its name.
    defaultSchema: () => null,
    audit: async (adapter, engine) => new AuditedMysqlPool(adapter, engine),
    // The adapter keeps its settings to itself.
    offerStore: async () => {
      throw new AuditError(
        'AUDIT_CONFIG_INVALID',
        'prisma',
        `${adapterName} does not tell how its database is reached, so it has to be told`,
        {
          next: "Use createAuditExtension({ databaseUrl: 'mysql://…' }); or, where the log is in the same database, set AUDIT_DATABASE_URL.",
        },
      );
    },
  };
}
