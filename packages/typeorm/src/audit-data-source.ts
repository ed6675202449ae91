import {
  type CaptureConnection,
  type CaptureEngine,
  type CaptureOptions,
  createCaptureEngine,
} from '@indelible/capture';
import { type Audit, getAudit } from '@indelible/core';
import type { DataSource, QueryRunner } from 'typeorm';
import { auditReads } from './audit-reads.js';
import { type DriverProfile, getDriverProfile } from './driver-profile.js';
import { createNameModel } from './entity-names.js';
import type { SentStatement } from './sqlite-runner.js';
import { registerTypeormTransactions } from './transaction-carrier.js';

export interface AuditDataSourceOptions extends CaptureOptions {
  /** @default the process's default audit, as it is when a statement runs */
  readonly audit?: Audit;
}

interface AuditedDataSource {
  readonly engine: CaptureEngine;
  readonly profile: DriverProfile;
}

const audited = new WeakMap<object, AuditedDataSource>();

/**
 * Audits a data source, and returns that same one: every row that it writes is recorded with its before and after, in the
 * transaction that writes it, whichever way it is written. Call it right after `new DataSource()`.
 *
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_ORM_UNSUPPORTED`
 * @throws TypeError for an option that is unknown or of the wrong form, or a data source that is audited already
 * @example
 * const dataSource = auditDataSource(new DataSource({ type: 'postgres', url, entities: [Patient] }));
 */
export function auditDataSource<D extends DataSource>(
  dataSource: D,
  options: AuditDataSourceOptions = {},
): D {
  if (audited.has(dataSource)) {
    throw new TypeError(
      '[indelible/typeorm] this data source is audited already: give its options in one place',
    );
  }
  switchOn(dataSource, options);
  return dataSource;
}

export function isAudited(dataSource: DataSource): boolean {
  return audited.has(dataSource);
}

/** Audits the data source of a query runner that is about to send a statement, if it is not audited yet. */
export function auditRunner(dataSource: DataSource, runner: QueryRunner, sent?: SentStatement): void {
  if (audited.has(dataSource)) return;
  const { engine, profile } = switchOn(dataSource, {});
  profile.watchRunner(runner, engine, sent);
}

function switchOn(dataSource: DataSource, options: AuditDataSourceOptions): AuditedDataSource {
  const profile = getDriverProfile(dataSource);
  const { audit, reads = [], ...capture } = options;
  const offer = () => profile.offerStore(dataSource);
  const engine = createCaptureEngine({
    ...capture,
    reads,
    offer,
    audit: audit === undefined ? getAudit : () => audit,
    dialect: profile.createDialect(dataSource),
    nameModel: createNameModel(dataSource, profile),
    ...nameDatabaseOf(dataSource, profile),
    where: 'typeorm',
  });
  (audit ?? getAudit()).offerStore(offer);
  profile.watch(dataSource, engine);
  registerTypeormTransactions();
  if (reads.length > 0) {
    auditReads(
      dataSource,
      reads,
      audit === undefined ? getAudit : () => audit,
      profile.createDialect(dataSource),
    );
  }
  const state = { engine, profile };
  audited.set(dataSource, state);
  return state;
}

function nameDatabaseOf(
  dataSource: DataSource,
  { nameDatabase }: DriverProfile,
): { nameDatabase?: (connection: CaptureConnection) => Promise<string> } {
  if (nameDatabase === undefined) return {};
  return { nameDatabase: (connection) => nameDatabase(connection, dataSource) };
}
