import { announceLibrary, createSqliteDialect, getSqliteFile, type SqliteLibrary } from '@indelible/capture';
import { createAdapterConnection } from './adapter-connection.js';
import type { AdapterProfile } from './adapter-profile.js';
import { AuditedAdapter } from './audited-adapter.js';

export interface SqliteAdapter {
  readonly adapterName: string;
  readonly library: SqliteLibrary;
  /** True if statements outside of an open transaction run on the connection of that transaction. */
  readonly sharesConnection: boolean;
}

/** An adapter of SQLite: one connection on a file. */
export function createSqliteProfile({
  adapterName,
  library,
  sharesConnection,
}: SqliteAdapter): AdapterProfile {
  return {
    adapterName,
    createDialect: createSqliteDialect,
    foldsNames: true,
    defaultSchema: () => null,
    nameDatabase: async (connection) => `sqlite:${await getSqliteFile(connection, 'prisma')}`,
    audit: async (adapter, engine) => {
      try {
        announceLibrary(await getSqliteFile(createAdapterConnection(adapter), 'prisma'), library);
      } catch (error) {
        await adapter.dispose();
        throw error;
      }
      return new AuditedAdapter(adapter, engine, sharesConnection);
    },
    // Drivers keep the address of their file to themselves, so a connection is asked.
    offerStore: async (_, connect) => {
      const adapter = await connect();
      try {
        const file = await getSqliteFile(createAdapterConnection(adapter), 'prisma');
        announceLibrary(file, library);
        return { url: `file:${file}`, options: { driver: library } };
      } finally {
        await adapter.dispose();
      }
    },
  };
}
