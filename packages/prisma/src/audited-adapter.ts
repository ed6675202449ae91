import {
  type BareConnection,
  type CaptureEngine,
  type CaptureTransaction,
  takeJoin,
} from '@indelible/capture';
import { createAdapterConnection } from './adapter-connection.js';
import { AuditedTransaction, JOINED } from './audited-transaction.js';
import type { SqlAdapter, SqlQuery, SqlResultSet, SqlTransaction } from './driver-adapter.js';
import { spareDriverStacks } from './private-reach.js';

/** A connected driver adapter of one connection, with the engine between it and Prisma. */
export class AuditedAdapter implements SqlAdapter {
  readonly provider: string;
  readonly adapterName: string;
  readonly getConnectionInfo?: () => unknown;
  readonly #bare: BareConnection;
  #open: CaptureTransaction | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly inner: SqlAdapter,
    private readonly engine: CaptureEngine,
    /** True if statements outside of an open transaction run on the connection of that transaction. */
    private readonly sharesConnection: boolean,
  ) {
    this.provider = inner.provider;
    this.adapterName = inner.adapterName;
    if (inner.getConnectionInfo !== undefined) this.getConnectionInfo = () => inner.getConnectionInfo?.();
    spareDriverStacks(inner);
    this.#bare = engine.bare(createAdapterConnection(inner), () => this.#open);
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    if (takeJoin(query.sql, undefined)) return JOINED;
    return this.#bare.run(query.sql, () => this.inner.queryRaw(query));
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    if (takeJoin(query.sql, undefined)) return 0;
    return this.#bare.run(query.sql, () => this.inner.executeRaw(query));
  }

  /** Scripts are migrations: they are left alone. */
  async executeScript(script: string): Promise<void> {
    return this.#bare.script(() => this.inner.executeScript(script));
  }

  async startTransaction(isolationLevel?: string): Promise<SqlTransaction> {
    return this.sharesConnection ? this.#startShared(isolationLevel) : this.#start(isolationLevel);
  }

  async dispose(): Promise<void> {
    return this.inner.dispose();
  }

  async #start(isolationLevel: string | undefined): Promise<AuditedTransaction> {
    return this.#bare.alone(async () => {
      const inner = await this.inner.startTransaction(isolationLevel);
      spareDriverStacks(inner);
      // libsql gives the connection to the transaction and opens another one for what comes next.
      this.#bare.forget();
      const capture = this.engine.transaction(createAdapterConnection(inner));
      return new AuditedTransaction(inner, capture);
    });
  }

  /** One connection for all: transactions take turns here, or a write of ours could begin between the wait and BEGIN. */
  async #startShared(isolationLevel: string | undefined): Promise<AuditedTransaction> {
    const before = this.#turn;
    let end: () => void = () => undefined;
    this.#turn = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      return await this.#bare.alone(async () => {
        const inner = await this.inner.startTransaction(isolationLevel);
        const capture = this.engine.transaction(createAdapterConnection(inner));
        this.#open = capture;
        return new AuditedTransaction(inner, capture, {
          onEnd: () => {
            this.#open = undefined;
            this.#bare.forget();
            end();
          },
        });
      });
    } catch (error) {
      end();
      throw error;
    }
  }
}
