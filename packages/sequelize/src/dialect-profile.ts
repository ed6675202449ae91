import type { CaptureDialect, CaptureEngine } from '@indelible/capture';
import { AuditError, type StoreOffer } from '@indelible/core';
import { mariadbProfile, mysql2Profile } from './mysql-profile.js';
import { createPostgresProfile } from './postgres-profile.js';
import type { ConnectionConfig, SequelizeLike } from './reach-sequelize.js';

/** What auditing must know of one of Sequelize's dialects. */
export interface DialectProfile {
  createDialect(config: ConnectionConfig): CaptureDialect;
  /** The schema of models that name none; null: tables of the connection's own database are told without it. */
  readonly defaultSchema: string | null;
  /** The same database as a store. */
  offerStore(config: ConnectionConfig): StoreOffer;
  /** Puts the engine between Sequelize and a connection of the driver. */
  steer(connection: object, engine: CaptureEngine): void;
}

const PROFILES: ReadonlyMap<string, () => DialectProfile> = new Map([
  ['postgres', createPostgresProfile],
  ['mysql', mysql2Profile],
  ['mariadb', mariadbProfile],
]);

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for a dialect that was not tried */
export function getDialectProfile(sequelize: SequelizeLike): DialectProfile {
  const dialect = sequelize.getDialect();
  const create = PROFILES.get(dialect);
  if (create !== undefined) return create();
  throw new AuditError(
    'AUDIT_DATABASE_UNSUPPORTED',
    'sequelize',
    `the dialect ${dialect} can not be audited; these can: ${[...PROFILES.keys()].join(', ')}`,
  );
}
