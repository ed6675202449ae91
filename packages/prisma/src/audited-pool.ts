import {
  type CaptureConnection,
  type CaptureEngine,
  errorText,
  type HoldingClient,
  OutdatedCapture,
  PreparedNames,
  takeJoin,
} from '@indelible/capture';
import { AuditError } from '@indelible/core';
import { createAdapterConnection } from './adapter-connection.js';
import { AuditedTransaction, JOINED } from './audited-transaction.js';
import type { SqlAdapter, SqlQuery, SqlResultSet } from './driver-adapter.js';
import { interceptAnswers } from './private-reach.js';
import { type HeldTransaction, startHolding, startLate } from './reach-client.js';

const COMMIT: SqlQuery = { sql: 'COMMIT', args: [], argTypes: [] };
const ROLLBACK: SqlQuery = { sql: 'ROLLBACK', args: [], argTypes: [] };
// invalid_transaction_termination
const ENDS_TRANSACTION = /\b2D000\b/;
/** What a statement by itself has met unseen is undone, and it runs again. */
const TRIES = 3;

interface Followed {
  readonly transaction: AuditedTransaction;
  readonly holding?: HoldingClient;
}

/**
 * A connected driver adapter over a pool of connections, with the engine between it and Prisma. A write outside of
 * Prisma's transactions gets one of its own around it and its event; everything else goes straight through.
 */
export class AuditedPool implements SqlAdapter {
  readonly provider: string;
  readonly adapterName: string;
  readonly getConnectionInfo?: () => unknown;
  readonly underlyingDriver?: () => unknown;
  /** Any of the pool's. */
  readonly #connection: CaptureConnection;
  readonly #names = new PreparedNames();

  constructor(
    private readonly inner: SqlAdapter,
    private readonly engine: CaptureEngine,
  ) {
    this.provider = inner.provider;
    this.adapterName = inner.adapterName;
    this.#connection = createAdapterConnection(inner);
    if (inner.getConnectionInfo !== undefined) this.getConnectionInfo = () => inner.getConnectionInfo?.();
    if (inner.underlyingDriver !== undefined) this.underlyingDriver = () => inner.underlyingDriver?.();
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    if (takeJoin(query.sql, undefined)) return JOINED;
    return this.#run(
      query.sql,
      () => this.inner.queryRaw(query),
      (transaction) => transaction.query(query),
    );
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    if (takeJoin(query.sql, undefined)) return 0;
    return this.#run(
      query.sql,
      () => this.inner.executeRaw(query),
      (transaction) => transaction.execute(query),
    );
  }

  /** Scripts are migrations: they are left alone. */
  async executeScript(script: string): Promise<void> {
    return this.engine.schemaChange(this.#connection, () => this.inner.executeScript(script));
  }

  async startTransaction(isolationLevel?: string): Promise<AuditedTransaction> {
    await this.engine.prepare(this.#connection);
    await this.engine.prepareStore(this.#connection);
    return (await this.#follow(await startHolding(this.inner, this.#names, isolationLevel))).transaction;
  }

  async dispose(): Promise<void> {
    return this.inner.dispose();
  }

  /** A transaction around one statement, which begins with it. */
  async #startLate(mayRunAgain: boolean): Promise<Followed> {
    await this.engine.prepareStore(this.#connection);
    return this.#follow(await startLate(this.inner, this.#names, mayRunAgain), mayRunAgain);
  }

  async #follow({ transaction: inner, holding }: HeldTransaction, mayRunAgain = false): Promise<Followed> {
    try {
      const capture = this.engine.transaction(createAdapterConnection(inner, holding), mayRunAgain);
      const keep = holding && ((sql: string): void => holding.keep(sql));
      const parts = { intercept: interceptAnswers(inner), ...(keep && { keep }) };
      const transaction = new AuditedTransaction(inner, capture, parts);
      return holding === undefined ? { transaction } : { transaction, holding };
    } catch (error) {
      await quietly(inner.executeRaw(ROLLBACK));
      await inner.rollback();
      throw error;
    }
  }

  async #run<T>(
    sql: string,
    execute: () => Promise<T>,
    write: (transaction: AuditedTransaction) => Promise<() => T>,
  ): Promise<T> {
    await this.engine.prepare(this.#connection);
    switch (this.engine.needOf(sql)) {
      case 'transaction':
        return this.#write(sql, execute, write);
      case 'connection':
        throw new AuditError(
          'AUDIT_TRANSACTION_UNKNOWN',
          'prisma',
          'a transaction that is begun with raw SQL runs on any connection of the pool, so its writes can not be told from others',
          { next: 'Use prisma.$transaction().' },
        );
      case 'schema-change':
        return this.engine.schemaChange(this.#connection, execute);
      case 'nothing':
        return execute();
    }
  }

  async #write<T>(
    sql: string,
    execute: () => Promise<T>,
    write: (transaction: AuditedTransaction) => Promise<() => T>,
  ): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#alone(write, tries < TRIES);
      } catch (error) {
        if (ENDS_TRANSACTION.test(errorText(error))) break;
        if (!(error instanceof OutdatedCapture)) throw error;
      }
    }
    // A procedure that commits runs only where there is no transaction. It is told once it is through.
    const result = await execute();
    return this.#alone((transaction) => transaction.capture.run(sql, async () => () => result));
  }

  async #alone<T>(
    work: (transaction: AuditedTransaction) => Promise<() => T>,
    mayRunAgain = false,
  ): Promise<T> {
    const { transaction, holding } = await this.#startLate(mayRunAgain);
    let give: () => T;
    try {
      give = await work(transaction);
    } catch (error) {
      await quietly(transaction.executeRaw(ROLLBACK));
      await quietly(transaction.rollback());
      throw mayRunAgain && holding?.isOutdated === true ? new OutdatedCapture() : error;
    }
    try {
      await transaction.executeRaw(COMMIT);
    } catch (error) {
      await quietly(transaction.rollback());
      throw mayRunAgain && holding?.isOutdated === true ? new OutdatedCapture() : error;
    }
    await transaction.commit();
    return give();
  }
}

/** The caller is told of the first error: what fails after it fails because of it. */
async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch {
    // A connection that can not even roll back is broken, and the server has ended its transaction.
  }
}
