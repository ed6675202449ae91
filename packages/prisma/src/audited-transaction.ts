import { type CaptureTransaction, takeJoin } from '@indelible/capture';
import type { SqlQuery, SqlResultSet, SqlTransaction } from './driver-adapter.js';

/** What a mark of `record(…, { tx })` answers; it never reaches the database. */
export const JOINED: SqlResultSet = { columnNames: ['1'], columnTypes: [0], rows: [[1]] };

/** A transaction of Prisma whose statements the engine follows. */
export class AuditedTransaction implements SqlTransaction {
  readonly provider: string;
  readonly adapterName: string;
  readonly options: SqlTransaction['options'];
  readonly createSavepoint?: (name: string) => Promise<void>;
  readonly rollbackToSavepoint?: (name: string) => Promise<void>;
  readonly releaseSavepoint?: (name: string) => Promise<void>;
  #ended = false;

  constructor(
    private readonly inner: SqlTransaction,
    readonly capture: CaptureTransaction,
    private readonly onEnd: () => void,
  ) {
    this.provider = inner.provider;
    this.adapterName = inner.adapterName;
    this.options = inner.options;
    // Prisma asks whether these exist, so they exist only where the adapter has them.
    if (inner.createSavepoint !== undefined) {
      this.createSavepoint = (name) =>
        capture.savepoint(fold(name), async () => inner.createSavepoint?.(name));
    }
    if (inner.rollbackToSavepoint !== undefined) {
      this.rollbackToSavepoint = (name) =>
        capture.rollbackTo(fold(name), async () => inner.rollbackToSavepoint?.(name));
    }
    if (inner.releaseSavepoint !== undefined) {
      this.releaseSavepoint = (name) =>
        capture.release(fold(name), async () => inner.releaseSavepoint?.(name));
    }
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    if (takeJoin(query.sql, this.capture)) return JOINED;
    return this.capture.run(query.sql, () => this.inner.queryRaw(query));
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    if (takeJoin(query.sql, this.capture)) return 0;
    return this.capture.run(query.sql, () => this.inner.executeRaw(query));
  }

  async commit(): Promise<void> {
    try {
      await this.capture.commit(() => this.inner.commit());
    } catch (error) {
      // The client does not roll back by itself here, and a transaction must not stay open on the connection.
      await this.#undo();
      throw error;
    } finally {
      this.#end();
    }
  }

  async rollback(): Promise<void> {
    try {
      await this.capture.rollback(() => this.inner.rollback());
    } finally {
      this.#end();
    }
  }

  async #undo(): Promise<void> {
    try {
      if (!this.options.usePhantomQuery) {
        await this.inner.executeRaw({ sql: 'ROLLBACK', args: [], argTypes: [] });
      }
      await this.inner.rollback();
    } catch {
      // COMMIT itself failed and has ended the transaction: the caller gets that error.
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd();
  }
}

function fold(name: string): string {
  return name.replace(/^["'`[]|["'`\]]$/g, '').toLowerCase();
}
