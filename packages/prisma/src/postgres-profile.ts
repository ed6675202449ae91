import { createPostgresDialect } from '@indelible/capture';
import type { AdapterProfile } from './adapter-profile.js';
import { AuditedPool } from './audited-pool.js';
import { reachPoolConfig } from './private-reach.js';

/** An adapter of PostgreSQL: a pool of node-postgres. */
export function createPostgresProfile(adapterName: string): AdapterProfile {
  return {
    adapterName,
    createDialect: createPostgresDialect,
    foldsNames: false,
    defaultSchema: schemaOf,
    audit: async (adapter, engine) => new AuditedPool(adapter, engine),
    // A pool of its own: a connection of the application's may be held by what waits for the store.
    offerStore: async (factory) => {
      const config = reachPoolConfig(factory);
      return { url: addressOf(config), options: { config } };
    },
  };
}

/** Prisma puts it before the name of each table. */
function schemaOf(connectionInfo: unknown): string {
  const isNamed =
    typeof connectionInfo === 'object' && connectionInfo !== null && 'schemaName' in connectionInfo;
  return isNamed && typeof connectionInfo.schemaName === 'string' ? connectionInfo.schemaName : 'public';
}

/** What the store is called where it is named; the configuration has what it is reached by. */
function addressOf(config: object): string {
  const { connectionString, host = 'localhost', database = '' } = config as Readonly<Record<string, unknown>>;
  if (typeof connectionString === 'string' && /^postgres(?:ql)?:/.test(connectionString))
    return connectionString;
  return `postgres://${String(host)}/${String(database)}`;
}
