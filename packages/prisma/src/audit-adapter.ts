import {
  type CaptureEngine,
  type CaptureOptions,
  createCaptureEngine,
  createSqliteDialect,
  type NameModel,
} from '@indelible/capture';
import { type Audit, getAudit, type StoreOffer } from '@indelible/core';
import { createAdapterConnection } from './adapter-connection.js';
import { type AdapterProfile, getAdapterProfile } from './adapter-profile.js';
import { AuditedAdapter } from './audited-adapter.js';
import type { SqlAdapter, SqlAdapterFactory } from './driver-adapter.js';
import { announceLibrary, getSqliteFile } from './sqlite-file.js';

export interface AuditAdapterOptions extends CaptureOptions {
  /** @default the process's default audit, as it is when a statement runs */
  readonly audit?: Audit;
}

/** What this package knows of a driver-adapter factory that it audits. */
export interface AuditedFactory {
  /** Names tables in the words of a schema; until it is called they keep their own names. */
  useModels(nameModel: NameModel): void;
  /** True once Prisma has connected through the audited factory. */
  isConnected(): boolean;
}

const audited = new WeakMap<object, AuditedFactory>();

/**
 * Audits a driver-adapter factory, and returns that same factory: pass it to `new PrismaClient({ adapter })`.
 * `prisma.$extends(auditExtension)` does this by itself and names rows by their models too; use this function where a
 * client is not extended.
 *
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for an adapter that was not tried
 * @throws TypeError for an option that is unknown or of the wrong form, or a factory that is audited already
 * @example
 * const prisma = new PrismaClient({ adapter: auditAdapter(new PrismaLibSql({ url: 'file:./app.db' })) });
 */
export function auditAdapter<F extends SqlAdapterFactory>(factory: F, options: AuditAdapterOptions = {}): F {
  if (audited.has(factory)) {
    throw new TypeError('[indelible/prisma] this adapter is audited already: give its options in one place');
  }
  auditFactory(factory, options);
  return factory;
}

export function tryGetAuditedFactory(factory: object): AuditedFactory | undefined {
  return audited.get(factory);
}

/** Puts the engine between the factory's connections and Prisma. */
export function auditFactory(factory: SqlAdapterFactory, options: AuditAdapterOptions): AuditedFactory {
  const profile = getAdapterProfile(factory.adapterName);
  const { audit, ...capture } = options;
  let nameModel: NameModel = () => undefined;
  let connected = false;
  const engine = createCaptureEngine({
    ...capture,
    audit: audit === undefined ? getAudit : () => audit,
    dialect: createSqliteDialect(),
    nameModel: (table) => nameModel(table),
    nameDatabase: async (connection) => `sqlite:${await getSqliteFile(connection)}`,
    where: 'prisma',
  });
  const connect = factory.connect.bind(factory);
  (audit ?? getAudit()).offerStore(() => createOffer(connect, profile));
  Object.defineProperty(factory, 'connect', {
    configurable: true,
    value: async (): Promise<SqlAdapter> => {
      const adapter = await connect();
      connected = true;
      return auditConnection(adapter, engine, profile);
    },
  });
  const state: AuditedFactory = {
    useModels: (names) => {
      nameModel = names;
    },
    isConnected: () => connected,
  };
  audited.set(factory, state);
  return state;
}

async function auditConnection(
  adapter: SqlAdapter,
  engine: CaptureEngine,
  profile: AdapterProfile,
): Promise<SqlAdapter> {
  try {
    announceLibrary(await getSqliteFile(createAdapterConnection(adapter)), profile);
  } catch (error) {
    await adapter.dispose();
    throw error;
  }
  return new AuditedAdapter(adapter, engine, profile);
}

/** Drivers keep the address of their file to themselves, so a connection is asked. */
async function createOffer(connect: () => Promise<SqlAdapter>, profile: AdapterProfile): Promise<StoreOffer> {
  const adapter = await connect();
  try {
    const file = await getSqliteFile(createAdapterConnection(adapter));
    announceLibrary(file, profile);
    return { url: `file:${file}`, options: { driver: profile.library } };
  } finally {
    await adapter.dispose();
  }
}
