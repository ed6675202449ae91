import { createPostgresDialect, steerPgClient } from '@indelible/capture';
import type { StoreOffer } from '@indelible/core';
import type { DataSource } from 'typeorm';
import type { DriverProfile } from './driver-profile.js';
import { given, readObject, readText } from './reach.js';
import { watchPools } from './watch-pools.js';

/** TypeORM's driver for PostgreSQL: pools of node-postgres. */
export function createPostgresProfile(): DriverProfile {
  return {
    createDialect: createPostgresDialect,
    foldsNames: false,
    defaultSchema: ({ driver }) => driver.schema ?? 'public',
    schemaOf: ({ schema }, { driver }) => schema ?? driver.schema ?? 'public',
    watch: ({ driver }, engine) => watchPools(driver, (client) => steerPgClient(client, engine)),
    watchRunner: (runner, engine) => {
      const client = readObject(runner, 'databaseConnection');
      if (client !== undefined) steerPgClient(client, engine);
    },
    offerStore: async ({ options }) => offerOf(options),
  };
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
