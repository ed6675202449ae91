import { type CaptureOptions, createCaptureEngine } from '@indelible/capture';
import { type Audit, getAudit, type StoreOffer } from '@indelible/core';
import { getAdapterProfile } from './adapter-profile.js';
import { createNameModel } from './data-model.js';
import type { SqlAdapter, SqlAdapterFactory } from './driver-adapter.js';

export interface AuditAdapterOptions extends CaptureOptions {
  /** @default the process's default audit, as it is when a statement runs */
  readonly audit?: Audit;
  /**
   * The database of this client, for an adapter that keeps its settings to itself, as that of MariaDB and MySQL does:
   * `mysql://user:password@host/database`. Needed with `relay`, or where no store is configured; other adapters are asked.
   */
  readonly databaseUrl?: string;
}

/** What this package knows of a driver-adapter factory that it audits. */
export interface AuditedFactory {
  /** Names tables in the words of a client's data model; until it is called they keep their own names. */
  useModels(dataModel: object): void;
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
  if (options.reads !== undefined) {
    throw new TypeError(
      '[indelible/prisma] option "reads": an adapter sees statements and not who reads. Give it to createAuditExtension()',
    );
  }
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
  const { audit, databaseUrl, ...capture } = options;
  if (databaseUrl !== undefined && typeof databaseUrl !== 'string') {
    throw new TypeError('[indelible/prisma] databaseUrl: expected the URL of a database');
  }
  let connected: SqlAdapter | undefined;
  const names = {
    foldsNames: profile.foldsNames,
    defaultSchema: () => profile.defaultSchema(connected?.getConnectionInfo?.()),
  };
  let nameModel = createNameModel(undefined, names);
  const connect = factory.connect.bind(factory);
  const offer = async (): Promise<StoreOffer> =>
    databaseUrl === undefined ? profile.offerStore(factory, connect) : { url: databaseUrl };
  const engine = createCaptureEngine({
    ...capture,
    offer,
    audit: audit === undefined ? getAudit : () => audit,
    dialect: profile.createDialect(),
    nameModel: (table) => nameModel(table),
    ...(profile.nameDatabase === undefined ? {} : { nameDatabase: profile.nameDatabase }),
    where: 'prisma',
  });
  (audit ?? getAudit()).offerStore(offer);
  Object.defineProperty(factory, 'connect', {
    configurable: true,
    value: async (): Promise<SqlAdapter> => {
      const adapter = await connect();
      connected = adapter;
      return profile.audit(adapter, engine);
    },
  });
  const state: AuditedFactory = {
    useModels: (dataModel) => {
      nameModel = createNameModel(dataModel, names);
    },
    isConnected: () => connected !== undefined,
  };
  audited.set(factory, state);
  return state;
}

/** Has `work` done before each connection of an audited factory. */
export function beforeConnect(factory: SqlAdapterFactory, work: () => Promise<void>): void {
  const connect = factory.connect.bind(factory);
  Object.defineProperty(factory, 'connect', {
    configurable: true,
    value: async (): Promise<SqlAdapter> => {
      await work();
      return connect();
    },
  });
}
