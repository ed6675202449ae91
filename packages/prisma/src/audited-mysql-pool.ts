import { type CaptureConnection, type CaptureEngine, takeJoin } from '@indelible/capture';
import { AuditError } from '@indelible/core';
import { AuditedTransaction, JOINED } from './audited-transaction.js';
import type { SqlAdapter, SqlQuery, SqlResultSet } from './driver-adapter.js';
import { interceptMariadbAnswers } from './mariadb-answers.js';
import { createMariadbConnection } from './mariadb-connection.js';

/**
 * A connected driver adapter over a pool of the mariadb driver, with the engine between it and Prisma. A write outside of
 * Prisma's transactions gets one of its own around it and its event; everything else goes straight through.
 */
export class AuditedMysqlPool implements SqlAdapter {
  readonly provider: string;
  readonly adapterName: string;
  readonly getConnectionInfo?: () => unknown;
  readonly underlyingDriver?: () => unknown;
  /** Any of the pool's. */
  readonly #connection: CaptureConnection;

  constructor(
    private readonly inner: SqlAdapter,
    private readonly engine: CaptureEngine,
  ) {
    this.provider = inner.provider;
    this.adapterName = inner.adapterName;
    this.#connection = createMariadbConnection(inner);
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
    const inner = await this.inner.startTransaction(isolationLevel);
    try {
      const capture = this.engine.transaction(createMariadbConnection(inner));
      return new AuditedTransaction(inner, capture, { intercept: interceptMariadbAnswers(inner) });
    } catch (error) {
      await inner.rollback();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    return this.inner.dispose();
  }

  async #run<T>(
    sql: string,
    execute: () => Promise<T>,
    write: (transaction: AuditedTransaction) => Promise<() => T>,
  ): Promise<T> {
    await this.engine.prepare(this.#connection);
    switch (this.engine.needOf(sql)) {
      case 'transaction':
        return this.#alone(write);
      case 'connection':
        throw new AuditError(
          'AUDIT_TRANSACTION_UNKNOWN',
          'prisma',
          'a transaction or a lock that is begun with raw SQL is of any connection of the pool, so its writes can not be told from others',
          { next: 'Use prisma.$transaction().' },
        );
      case 'schema-change':
        return this.engine.schemaChange(this.#connection, execute);
      case 'nothing':
        return execute();
    }
  }

  async #alone<T>(work: (transaction: AuditedTransaction) => Promise<() => T>): Promise<T> {
    const transaction = await this.startTransaction();
    let give: () => T;
    try {
      give = await work(transaction);
    } catch (error) {
      await quietly(transaction.rollback());
      throw error;
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
