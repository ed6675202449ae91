import { type CaptureOptions, createCaptureEngine } from '@indelible/capture';
import { type Audit, getAudit } from '@indelible/core';
import { auditReads } from './audit-reads.js';
import { getDialectProfile } from './dialect-profile.js';
import { createNameModel } from './model-names.js';
import { reachConnections, type SequelizeLike } from './reach-sequelize.js';
import { registerSequelizeTransactions } from './transaction-carrier.js';

export interface AuditSequelizeOptions extends CaptureOptions {
  /** @default the process's default audit, as it is when a statement runs */
  readonly audit?: Audit;
}

const audited = new WeakSet<object>();

export function isAudited(sequelize: object): boolean {
  return audited.has(sequelize);
}

/**
 * Audits a Sequelize instance, and returns that same instance: every row that its statements change is recorded with its
 * before and after, in the transaction that changes it. Models may be defined before or after.
 *
 * It must not have connected before.
 *
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for a dialect that was not tried, `AUDIT_ORM_UNSUPPORTED`
 * @throws TypeError for an option that is unknown or of the wrong form, or an instance that is audited already
 * @example
 * const sequelize = auditSequelize(new Sequelize('postgres://app@localhost/app'));
 */
export function auditSequelize<S extends SequelizeLike>(
  sequelize: S,
  options: AuditSequelizeOptions = {},
): S {
  if (audited.has(sequelize)) {
    throw new TypeError(
      '[indelible/sequelize] this instance is audited already: give its options in one place',
    );
  }
  const { audit, reads = [], ...capture } = options;
  const profile = getDialectProfile(sequelize);
  const connections = reachConnections(sequelize);
  const offer = async () => profile.offerStore(connections.config);
  const engine = createCaptureEngine({
    ...capture,
    reads,
    offer,
    audit: audit === undefined ? getAudit : () => audit,
    dialect: profile.createDialect(connections.config),
    nameModel: createNameModel(sequelize, profile),
    where: 'sequelize',
  });
  (audit ?? getAudit()).offerStore(offer);
  connections.onConnect((connection) => profile.steer(connection, engine));
  registerSequelizeTransactions();
  if (reads.length > 0) {
    const dialect = profile.createDialect(connections.config);
    auditReads(sequelize, reads, audit === undefined ? getAudit : () => audit, dialect);
  }
  audited.add(sequelize);
  return sequelize;
}
