import { createPostgresDialect, readProperty as read, steerPgClient } from '@indelible/capture';
import { AuditError } from '@indelible/core';
import type { DialectProfile } from './dialect-profile.js';
import { answerCreate } from './pg-create.js';
import { primary } from './reach-sequelize.js';

/** PostgreSQL by node-postgres. */
export function createPostgresProfile(): DialectProfile {
  return {
    createDialect: ({ native }) => {
      if (native !== true) return createPostgresDialect();
      throw new AuditError(
        'AUDIT_DATABASE_UNSUPPORTED',
        'sequelize',
        'the native bindings of node-postgres can not be audited',
        { next: 'Leave out `native: true`.' },
      );
    },
    defaultSchema: 'public',
    offerStore: (config) => {
      const { host, port, username, password, database, dialectOptions } = primary(config);
      return {
        url: `postgres://${String(host ?? 'localhost')}:${String(port)}/${String(database)}`,
        options: {
          config: { host, port, user: username, password, database, ssl: read(dialectOptions, 'ssl') },
        },
      };
    },
    steer: (connection, engine) => steerPgClient(connection, engine, answerCreate),
  };
}
