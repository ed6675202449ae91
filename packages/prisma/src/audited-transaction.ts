import { type CaptureTransaction, type EngineRows, type Rewritten, takeJoin } from '@indelible/capture';
import type { SqlQuery, SqlResultSet, SqlTransaction } from './driver-adapter.js';
import { cutAnswers, type Intercept } from './private-reach.js';

/** What a mark of `record(…, { tx })` answers; it never reaches the database. */
export const JOINED: SqlResultSet = { columnNames: ['1'], columnTypes: [0], rows: [[1]] };

const AS_IT_IS = { columns: 0, returnsRows: true };

export interface TransactionParts {
  /** Needed where the dialect rewrites statements. */
  readonly intercept?: Intercept;
  /** Told of a text that may be kept prepared, right before it is sent. */
  readonly keep?: (sql: string) => void;
  readonly onEnd?: () => void;
}

/** A transaction of Prisma whose statements the engine follows. */
export class AuditedTransaction implements SqlTransaction {
  readonly provider: string;
  readonly adapterName: string;
  readonly options: SqlTransaction['options'];
  readonly createSavepoint?: (name: string) => Promise<void>;
  readonly rollbackToSavepoint?: (name: string) => Promise<void>;
  readonly releaseSavepoint?: (name: string) => Promise<void>;
  #ended = false;
  /** Its end was asked for: what comes now would run on a connection that is somebody else's. */
  #isClosed = false;

  constructor(
    private readonly inner: SqlTransaction,
    readonly capture: CaptureTransaction,
    private readonly parts: TransactionParts = {},
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
    return (await this.query(query))();
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    return (await this.execute(query))();
  }

  /**
   * Prisma lets an operation of several statements go on when the transaction has timed out and its connection is back in the pool:
   * a change would be made outside of every transaction, and have no event.
   */
  #requireOpen(): void {
    if (this.#isClosed) throw alreadyClosed();
  }

  /** Runs the statement. @returns what gives its rows, or throws where the adapter can not read them: it has run then */
  async query(query: SqlQuery): Promise<() => SqlResultSet> {
    this.#requireOpen();
    if (takeJoin(query.sql, this.capture)) return () => JOINED;
    return this.#run(query, (own) => this.inner.queryRaw(own));
  }

  async execute(query: SqlQuery): Promise<() => number> {
    this.#requireOpen();
    if (takeJoin(query.sql, this.capture)) return () => 0;
    try {
      return await this.#run(query, (own) => this.inner.executeRaw(own));
    } catch (error) {
      // The client only gives the connection back then, and a transaction must not stay open on it.
      if (query.sql === 'COMMIT') await this.#sendRollback().catch(() => undefined);
      throw error;
    }
  }

  #run<T>(query: SqlQuery, run: (query: SqlQuery) => Promise<T>): Promise<() => T> {
    const { intercept, keep } = this.parts;
    if (intercept === undefined) {
      return this.capture.run(query.sql, async () => {
        const value = await run(query);
        return () => value;
      });
    }
    const answered = async (own: SqlQuery, rewritten: Omit<Rewritten, 'sql'>) => {
      let rows: EngineRows | undefined;
      intercept(own, (answers) => {
        rows = cutAnswers(answers, rewritten);
      });
      try {
        const value = await run(own);
        return { result: () => value, rows: rows ?? [] };
      } catch (error) {
        if (rows === undefined) throw error;
        const result = (): T => {
          throw error;
        };
        return { result, rows };
      }
    };
    return this.capture.run(
      query.sql,
      async () => (await answered({ ...query }, AS_IT_IS)).result,
      Object.assign(
        (rewritten: Rewritten) => {
          if (rewritten.isSteady === true) keep?.(rewritten.sql);
          return answered({ ...query, sql: rewritten.sql }, rewritten);
        },
        { inputLength: lengthOf(query.args) },
      ),
    );
  }

  async commit(): Promise<void> {
    this.#isClosed = true;
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
    this.#isClosed = true;
    try {
      await this.capture.rollback(() => this.inner.rollback());
    } finally {
      this.#end();
    }
  }

  async #undo(): Promise<void> {
    try {
      if (!this.options.usePhantomQuery) await this.#sendRollback();
      await this.inner.rollback();
    } catch {
      // COMMIT itself failed and has ended the transaction: the caller gets that error.
    }
  }

  async #sendRollback(): Promise<void> {
    await this.inner.executeRaw({ sql: 'ROLLBACK', args: [], argTypes: [] });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.parts.onEnd?.();
  }
}

/** With the code that the client itself has for it. */
function alreadyClosed(): Error {
  const reason = 'the transaction has ended, by its timeout say, before this statement of it was sent';
  return Object.assign(new Error(`Transaction API error: ${reason}`), { code: 'P2028' });
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + lengthOf(item), value.length) : 8;
}

function fold(name: string): string {
  return name.replace(/^["'`[]|["'`\]]$/g, '').toLowerCase();
}
