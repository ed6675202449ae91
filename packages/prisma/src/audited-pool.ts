import { type CaptureEngine, takeJoin } from '@indelible/capture';
import { createAdapterConnection } from './adapter-connection.js';
import { AuditedTransaction, JOINED } from './audited-transaction.js';
import type { SqlAdapter, SqlQuery, SqlResultSet } from './driver-adapter.js';
import { interceptAnswers } from './private-reach.js';

const COMMIT: SqlQuery = { sql: 'COMMIT', args: [], argTypes: [] };
const ROLLBACK: SqlQuery = { sql: 'ROLLBACK', args: [], argTypes: [] };

/**
 * A connected driver adapter over a pool of connections, with the engine between it and Prisma. A write outside of
 * Prisma's transactions gets one of its own around it and its event; everything else goes straight through.
 */
export class AuditedPool implements SqlAdapter {
  readonly provider: string;
  readonly adapterName: string;
  readonly getConnectionInfo?: () => unknown;

  constructor(
    private readonly inner: SqlAdapter,
    private readonly engine: CaptureEngine,
  ) {
    this.provider = inner.provider;
    this.adapterName = inner.adapterName;
    if (inner.getConnectionInfo !== undefined) this.getConnectionInfo = () => inner.getConnectionInfo?.();
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    if (takeJoin(query.sql, undefined)) return JOINED;
    if (!this.engine.needsTransaction(query.sql)) return this.inner.queryRaw(query);
    return this.#alone((transaction) => transaction.query(query));
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    if (takeJoin(query.sql, undefined)) return 0;
    if (!this.engine.needsTransaction(query.sql)) return this.inner.executeRaw(query);
    return this.#alone((transaction) => transaction.execute(query));
  }

  /** Scripts are migrations: they are left alone. */
  async executeScript(script: string): Promise<void> {
    return this.inner.executeScript(script);
  }

  async startTransaction(isolationLevel?: string): Promise<AuditedTransaction> {
    const inner = await this.inner.startTransaction(isolationLevel);
    try {
      const capture = this.engine.transaction(createAdapterConnection(inner));
      return new AuditedTransaction(inner, capture, { intercept: interceptAnswers(inner) });
    } catch (error) {
      await quietly(inner.executeRaw(ROLLBACK));
      await inner.rollback();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    return this.inner.dispose();
  }

  async #alone<T>(work: (transaction: AuditedTransaction) => Promise<() => T>): Promise<T> {
    const transaction = await this.startTransaction();
    let give: () => T;
    try {
      give = await work(transaction);
    } catch (error) {
      await quietly(transaction.executeRaw(ROLLBACK));
      await quietly(transaction.rollback());
      throw error;
    }
    try {
      await transaction.executeRaw(COMMIT);
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
