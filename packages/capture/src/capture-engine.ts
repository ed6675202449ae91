import {
  type Audit,
  AuditError,
  type AuditStore,
  type JoinTarget,
  type StoreOffer,
  type TransactionalAppend,
  tryGetContext,
} from '@indelible/core';
import { BareConnection } from './bare-connection.js';
import { type CaptureOptions, checkCaptureOptions } from './capture-options.js';
import { CaptureTransaction } from './capture-transaction.js';
import { ChangeEvents } from './change-events.js';
import type { CaptureConnection, CaptureDialect } from './dialect.js';
import { createSession, type EngineParts } from './engine-parts.js';
import { RowClock } from './event-buffer.js';
import type { NameModel } from './model-naming.js';
import { StatementReader, textWithoutValues } from './statement.js';
import { SteeredConnection } from './steered-connection.js';

export interface CaptureEngineOptions extends CaptureOptions {
  /** The audit that events go to; a function is asked each time, so that the default audit may be configured later. */
  readonly audit: () => Audit;
  readonly dialect: CaptureDialect;
  readonly nameModel: NameModel;
  /**
   * Names the database beneath a connection as its store does (`TransactionalAppend.database`). Needed where the store has
   * no query for that.
   */
  readonly nameDatabase?: (connection: CaptureConnection) => Promise<string>;
  /**
   * The database beneath the connections as a store, the same function as the audit was offered: where the store is in
   * another database, events go to its outbox. @default such a store is refused
   */
  readonly offer?: () => Promise<StoreOffer>;
  /** The package that speaks in errors: `prisma`. */
  readonly where: string;
}

/**
 * A transaction around the statement and its event, to be run by `schemaChange`, a connection that nobody else uses
 * meanwhile, or to be left alone.
 */
export type StatementNeed = 'transaction' | 'schema-change' | 'connection' | 'nothing';

/** The one engine beneath the ORM packages. */
export interface CaptureEngine {
  /** The package that speaks in errors. */
  readonly where: string;
  /**
   * Follows a transaction that the ORM has opened on the connection.
   * @param mayRunAgain it is of one statement, which may throw `OutdatedCapture`: it is undone then, and run again in another
   * one. @default false
   */
  transaction(connection: CaptureConnection, mayRunAgain?: boolean): CaptureTransaction;
  /** Captures what runs outside of transactions on a connection that the ORM does not share out. */
  bare(connection: CaptureConnection, shared?: () => CaptureTransaction | undefined): BareConnection;
  /**
   * Captures on a connection of a pool whose holder steers its transactions with SQL.
   * @param isInTransaction what the server said last, where the driver tells it. @default by the statements alone
   */
  steered(connection: CaptureConnection, isInTransaction?: () => boolean): SteeredConnection;
  /**
   * For an ORM with a pool of connections: makes ready for a statement that begins a transaction, or runs in none. MUST be
   * called before each of them, with a connection that is in no transaction. @returns undefined where all is ready
   */
  prepare(connection: CaptureConnection): Promise<void> | undefined;
  /**
   * The same, for what may write: finds the store while no transaction is open. Asked for inside of one, its answer could
   * wait for a connection that this transaction holds. Where it can not be found, the write itself says so.
   */
  prepareStore(connection: CaptureConnection): Promise<void>;
  /** The same: what a statement needs that runs in no transaction. */
  needOf(sql: string): StatementNeed;
  /** The same: runs what changes the schema in no transaction. */
  schemaChange<T>(connection: CaptureConnection, execute: () => Promise<T>): Promise<T>;
}

/** @throws TypeError for an option that is unknown or of the wrong form */
export function createCaptureEngine(options: CaptureEngineOptions): CaptureEngine {
  const { audit, dialect, nameModel, nameDatabase: _, offer: __, where, ...capture } = options;
  const checked = checkCaptureOptions(capture);
  const store = createStoreCheck(options);
  const parts: EngineParts = {
    audit,
    dialect,
    options: checked,
    events: new ChangeEvents(nameModel, checked),
    reader: new StatementReader(dialect.readStatement),
    textOf: (sql) => textWithoutValues(sql, dialect.tokenize?.(sql)),
    store: store.find,
    storeSchema: store.schema,
    clock: new RowClock(),
    where,
  };
  return {
    where,
    transaction: (connection, mayRunAgain = false) =>
      new CaptureTransaction(parts, connection, createSession(parts, connection, mayRunAgain)),
    bare: (connection, shared = () => undefined) => new BareConnection(parts, connection, shared),
    steered: (connection, isInTransaction) => new SteeredConnection(parts, connection, isInTransaction),
    prepare: (connection) => dialect.prepare(connection)?.then(() => parts.reader.forget()),
    prepareStore: async (connection) => {
      await parts.store(connection).catch(() => undefined);
    },
    needOf: (sql) => {
      const { kind } = parts.reader.read(sql);
      if (kind === 'schema') return 'schema-change';
      if (kind === 'begin') return 'connection';
      // The database's own recorders are not paused, and have to be told.
      const isSeen = tryGetContext()?.paused !== true || dialect.tells?.() === true;
      return kind === 'write' && isSeen ? 'transaction' : 'nothing';
    },
    schemaChange: async (connection, execute) => {
      try {
        return await execute();
      } finally {
        await createSession(parts, connection, false).beforeSchemaChange();
      }
    },
  };
}

/**
 * Events can join a transaction only in the database that it is of: that of the store, or of an outbox where there is one.
 * It is checked once for each.
 */
function createStoreCheck(options: CaptureEngineOptions): {
  readonly find: EngineParts['store'];
  readonly schema: EngineParts['storeSchema'];
} {
  let checked: { readonly by: AuditStore | JoinTarget; readonly target: JoinTarget } | undefined;
  const find = async (connection: CaptureConnection): Promise<JoinTarget> => {
    const audit = options.audit();
    const outbox = await (options.offer === undefined ? undefined : audit.outbox(options.offer));
    // A store elsewhere need not be there: nothing of it is asked for.
    const by = outbox ?? (await audit.store());
    if (checked?.by === by) return checked.target;
    const { transactional } = by;
    if (transactional === undefined || !(await isOfDatabase(transactional, connection, options))) {
      throw new AuditError(
        'AUDIT_STORE_ELSEWHERE',
        options.where,
        `the store (${'name' in by ? by.name : 'an outbox'}) is not in the database that the ORM writes to, so events can not join its transactions`,
      );
    }
    const target: JoinTarget = outbox ?? {
      transactional,
      committed: (events) => options.audit().committed(events),
    };
    checked = { by, target };
    return target;
  };
  return { find, schema: () => checked?.target.transactional.schema };
}

async function isOfDatabase(
  transactional: TransactionalAppend,
  connection: CaptureConnection,
  { dialect, nameDatabase }: CaptureEngineOptions,
): Promise<boolean> {
  if (transactional.dialect !== dialect.name) return false;
  const { database, nameSql } = transactional;
  if (nameSql === undefined) return (await nameDatabase?.(connection)) === database;
  const [row] = await connection.query(nameSql);
  return row?.[0] === ((await transactional.identify?.()) ?? database);
}
