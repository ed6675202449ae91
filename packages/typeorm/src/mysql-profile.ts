import { createMysqlDialect, steerMysql2 } from '@indelible/capture';
import type { StoreOffer } from '@indelible/core';
import type { DataSource } from 'typeorm';
import type { DriverProfile } from './driver-profile.js';
import { given, readObject, readText } from './reach.js';
import { watchPools } from './watch-pools.js';

/** TypeORM's driver for MySQL and MariaDB: pools of mysql2. */
export function createMysqlProfile(): DriverProfile {
  return {
    createDialect: ({ options }) => createMysqlDialect({ countsFound: countsFound(options) }),
    foldsNames: false,
    // Tables of the connection's own database are told without its name.
    defaultSchema: () => null,
    schemaOf: ({ database }, { driver }) => (database === driver.database ? null : (database ?? null)),
    watch: ({ driver }, engine) => watchPools(driver, (connection) => steerMysql2(connection, engine)),
    watchRunner: (runner, engine) => {
      const connection = readObject(runner, 'databaseConnection');
      if (connection !== undefined) steerMysql2(connection, engine);
    },
    offerStore: async ({ options }) => offerOf(options),
  };
}

/** mysql2 counts rows that an update has found and not changed, unless it is told otherwise. */
function countsFound(options: object): boolean {
  const flags: unknown =
    Reflect.get(readObject(options, 'extra') ?? {}, 'flags') ?? Reflect.get(options, 'flags');
  return !(Array.isArray(flags) && flags.some((flag) => /^-FOUND_ROWS$/i.test(String(flag))));
}

function offerOf(options: DataSource['options']): StoreOffer {
  const replication = readObject(options, 'replication');
  const place = (replication === undefined ? options : readObject(replication, 'master')) ?? options;
  const url = readText(place, 'url');
  if (url !== undefined) return { url };
  const config = given({
    host: readText(place, 'host'),
    port: Reflect.get(place, 'port') as unknown,
    user: readText(place, 'username'),
    password: readText(place, 'password'),
    database: readText(place, 'database'),
    ssl: Reflect.get(place, 'ssl') ?? (Reflect.get(options, 'ssl') as unknown),
    socketPath: readText(place, 'socketPath'),
  });
  const named = `mysql://${readText(place, 'host') ?? 'localhost'}/${readText(place, 'database') ?? ''}`;
  return { url: named, options: { config } };
}
