import type { CaptureConnection, CaptureDialect, CaptureEngine } from '@indelible/capture';
import { AuditError, type StoreOffer } from '@indelible/core';
import type { SqlAdapter, SqlAdapterFactory } from './driver-adapter.js';
import { createMysqlProfile } from './mysql-profile.js';
import { createPostgresProfile } from './postgres-profile.js';
import { createSqliteProfile } from './sqlite-profile.js';

/** What auditing must know of a driver adapter, because its interface does not say it. */
export interface AdapterProfile {
  readonly adapterName: string;
  createDialect(): CaptureDialect;
  /** True where the names of tables and columns are the same in any case. */
  readonly foldsNames: boolean;
  /**
   * The schema of the tables that Prisma looks for without naming one; null: the database has no schemas.
   * @param connectionInfo what the connected adapter's `getConnectionInfo` gives, unchecked
   */
  defaultSchema(connectionInfo: unknown): string | null;
  /** Names the database as its store does, where the store has no query for that. */
  readonly nameDatabase?: (connection: CaptureConnection) => Promise<string>;
  /** Puts the engine between a connected adapter and Prisma. */
  audit(adapter: SqlAdapter, engine: CaptureEngine): Promise<SqlAdapter>;
  /**
   * The database of the adapter as a store.
   * @param connect as the factory's own, which must not be audited
   */
  offerStore(factory: SqlAdapterFactory, connect: () => Promise<SqlAdapter>): Promise<StoreOffer>;
}

const PROFILES: readonly AdapterProfile[] = [
  createSqliteProfile({
    adapterName: '@prisma/adapter-libsql',
    library: 'libsql',
    sharesConnection: false,
  }),
  createSqliteProfile({
    adapterName: '@prisma/adapter-better-sqlite3',
    library: 'better-sqlite3',
    sharesConnection: true,
  }),
  createPostgresProfile('@prisma/adapter-pg'),
  createMysqlProfile('@prisma/adapter-mariadb'),
];

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for an adapter that was not tried */
export function getAdapterProfile(adapterName: string): AdapterProfile {
  const profile = PROFILES.find((candidate) => candidate.adapterName === adapterName);
  if (profile !== undefined) return profile;
  const known = PROFILES.map((candidate) => candidate.adapterName).join(', ');
  throw new AuditError(
    'AUDIT_DATABASE_UNSUPPORTED',
    'prisma',
    `the driver adapter ${adapterName} can not be audited; these can: ${known}`,
  );
}
