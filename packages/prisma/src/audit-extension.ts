import { AuditError } from '@indelible/core';
import { getAdapterProfile } from './adapter-profile.js';
import { type AuditAdapterOptions, auditFactory, tryGetAuditedFactory } from './audit-adapter.js';
import { auditReads } from './audit-reads.js';
import { beforeFirstOperation, reachAdapterFactory, reachDataModel } from './private-reach.js';
import { registerPrismaTransactions } from './transaction-carrier.js';

export type AuditExtensionOptions = AuditAdapterOptions;

/** A Prisma extension that adds nothing to the client's types: what it does happens beneath. */
export type AuditExtension = <C extends object>(client: C) => C;

/**
 * Audits a Prisma client with options. Every row that the client writes is recorded with its before and after, in the
 * transaction that writes it.
 *
 * @throws TypeError for an option that is unknown or of the wrong form
 * @example
 * const prisma = new PrismaClient({ adapter }).$extends(createAuditExtension({ exclude: ['Session'] }));
 */
export function createAuditExtension(options: AuditExtensionOptions = {}): AuditExtension {
  return (client) => {
    auditClient(client, options);
    return client;
  };
}

/**
 * Audits a Prisma client: `prisma.$extends(auditExtension)`.
 *
 * The client must not have connected before. The client that `$extends` was called on is audited as well: both run on
 * one connection.
 *
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_ORM_UNSUPPORTED`
 */
export const auditExtension: AuditExtension = createAuditExtension();

function auditClient(client: object, options: AuditExtensionOptions): void {
  const factory = reachAdapterFactory(client);
  const dataModel = reachDataModel(client);
  const known = tryGetAuditedFactory(factory);
  if (known !== undefined && Object.keys(options).length > 0) {
    throw new TypeError('[indelible/prisma] this client is audited already: give its options in one place');
  }
  const { reads = [], ...capture } = options;
  const audited = known ?? auditFactory(factory, options);
  if (reads.length > 0) {
    const dialect = getAdapterProfile(factory.adapterName).createDialect();
    auditReads(client, reads, capture.audit, dialect);
  }
  audited.useModels(dataModel);
  registerPrismaTransactions();
  if (known !== undefined) return;
  beforeFirstOperation(client, () => {
    if (audited.isConnected()) return;
    throw new AuditError(
      'AUDIT_ORM_UNSUPPORTED',
      'prisma',
      'the client had connected before it was audited, so its writes would not be recorded',
      {
        next: 'Call $extends(auditExtension) right after new PrismaClient(), before $connect() and the first query.',
      },
    );
  });
}
