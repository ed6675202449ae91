import type { CaptureConnection, CaptureDialect, CaptureEngine } from '@indelible/capture';
import { AuditError, type StoreOffer } from '@indelible/core';
import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm';
import { createMysqlProfile } from './mysql-profile.js';
import { createPostgresProfile } from './postgres-profile.js';
import { createSqliteProfile } from './sqlite-profile.js';
import type { SentStatement } from './sqlite-runner.js';

/** What auditing must know of one of TypeORM's drivers. */
export interface DriverProfile {
  createDialect(dataSource: DataSource): CaptureDialect;
  /** True where the names of tables and columns are the same in any case. */
  readonly foldsNames: boolean;
  /** The schema of entities that name none; null: the database has no schemas. Known once the data source is connected. */
  defaultSchema(dataSource: DataSource): string | null;
  /** Where the table of an entity stands, as the engine names it; null as in `defaultSchema`, or in no other place. */
  schemaOf(entity: EntityMetadata, dataSource: DataSource): string | null;
  /** Puts the engine between the driver and the connections that it takes from now on. */
  watch(dataSource: DataSource, engine: CaptureEngine): void;
  /** Names the database as its store does, where the store has no query for that. */
  nameDatabase?(connection: CaptureConnection, dataSource: DataSource): Promise<string>;
  /**
   * The same for the connection that a query runner has already.
   * @param sent the statement that it is about to send
   */
  watchRunner(runner: QueryRunner, engine: CaptureEngine, sent?: SentStatement): void;
  /** The database of the data source as a store. */
  offerStore(dataSource: DataSource): Promise<StoreOffer>;
}

const PROFILES: Readonly<Record<string, () => DriverProfile>> = {
  postgres: createPostgresProfile,
  mysql: createMysqlProfile,
  mariadb: createMysqlProfile,
  'better-sqlite3': createSqliteProfile,
};

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for a driver that was not tried */
export function getDriverProfile({ options }: DataSource): DriverProfile {
  const create = Object.hasOwn(PROFILES, options.type) ? PROFILES[options.type] : undefined;
  if (create !== undefined) return create();
  throw new AuditError(
    'AUDIT_DATABASE_UNSUPPORTED',
    'typeorm',
    `the driver "${options.type}" is not supported: known are ${Object.keys(PROFILES).join(', ')}`,
  );
}
