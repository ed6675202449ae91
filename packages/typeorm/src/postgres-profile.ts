import { type CaptureEngine, createPostgresDialect } from '@indelible/capture';
import type { StoreOffer } from '@indelible/core';
import type { DataSource } from 'typeorm';
import type { DriverProfile } from './driver-profile.js';
import { auditPostgresClient } from './postgres-client.js';
import { given, reachMethod, readObject, readText } from './reach.js';

/** Where TypeORM takes a connection from its pool. */
const OBTAIN = ['obtainMasterConnection', 'obtainSlaveConnection'] as const;

/** TypeORM's driver for PostgreSQL: pools of node-postgres. */
export function createPostgresProfile(): DriverProfile {
  return {
    createDialect: createPostgresDialect,
    foldsNames: false,
    defaultSchema: ({ driver }) => driver.schema ?? 'public',
    schemaOf: ({ schema }, { driver }) => schema ?? driver.schema ?? 'public',
    watch: ({ driver }, engine) => {
      for (const name of OBTAIN) {
        const obtain = reachMethod(driver, name);
        Reflect.set(driver, name, async (): Promise<unknown> => {
          const obtained = await obtain();
          const client: unknown = Array.isArray(obtained) ? obtained[0] : undefined;
          watchClient(client, engine);
          return obtained;
        });
      }
    },
    watchRunner: (runner, engine) => watchClient(readObject(runner, 'databaseConnection'), engine),
    offerStore: async ({ options }) => offerOf(options),
  };
}

function watchClient(client: unknown, engine: CaptureEngine): void {
  if (typeof client === 'object' && client !== null) auditPostgresClient(client, engine);
}

/** A pool of the store's own: a connection of the application's may be held by what waits for the store. */
function offerOf(options: DataSource['options']): StoreOffer {
  const replication = readObject(options, 'replication');
  const place = (replication === undefined ? options : readObject(replication, 'master')) ?? options;
  const url = readText(place, 'url');
  const config = {
    ...(url === undefined ? {} : { connectionString: url }),
    ...given({
      host: readText(place, 'host'),
      user: readText(place, 'username'),
      password: Reflect.get(place, 'password') as unknown,
      database: readText(place, 'database'),
      port: Reflect.get(place, 'port') as unknown,
      ssl: Reflect.get(place, 'ssl') as unknown,
    }),
  };
  const named = `postgres://${readText(place, 'host') ?? 'localhost'}/${readText(place, 'database') ?? ''}`;
  return { url: url ?? named, options: { config } };
}
