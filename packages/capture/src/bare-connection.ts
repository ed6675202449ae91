import { type Audit, AuditError } from '@indelible/core';
import { CaptureTransaction } from './capture-transaction.js';
import type { CaptureConnection, CaptureSession } from './dialect.js';
import { createSession, type EngineParts, retryWhileBusy } from './engine-parts.js';

/**
 * Captures what runs outside of the ORM's transactions on a database whose ORM has one connection (SQLite): a write gets
 * a transaction of its own around it and its event, and until that has ended nothing else runs on the connection.
 */
export class BareConnection {
  /** Resolves when all units that were asked for so far have ended. */
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #manual: CaptureTransaction | undefined;
  #manualSavepoint: string | undefined;
  readonly #session: CaptureSession;

  constructor(
    private readonly parts: EngineParts,
    private readonly connection: CaptureConnection,
    /** The ORM's open transaction, where its driver runs statements outside of it on the same connection. */
    private readonly shared: () => CaptureTransaction | undefined,
  ) {
    this.#session = createSession(parts, connection, true);
  }

  /** The connection has been used, or replaced, by one of the ORM's transactions. */
  forget(): void {
    this.#session.forget();
  }

  /** Runs a statement of the caller. What `execute` gives or throws is passed on. */
  async run<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const statement = this.parts.reader.read(sql);
    // A write waits for its turn below. What else arrives while a unit of ours is under way would run inside of it.
    if (this.#waiting > 0 && statement.kind !== 'write' && statement.kind !== 'schema') await this.#tail;
    const open = this.#manual ?? this.shared();
    switch (statement.kind) {
      case 'read':
      case 'other':
        return execute();
      case 'begin':
        return this.#begin(execute);
      case 'savepoint':
        if (open === undefined) this.#manualSavepoint = statement.savepoint ?? '';
        return open === undefined ? this.#begin(execute) : open.run(sql, execute);
      case 'write':
      case 'schema':
        return open === undefined ? this.alone(() => this.#alone(sql, execute)) : open.run(sql, execute);
      default:
        return open === undefined ? execute() : this.#end(open, sql, statement.savepoint, execute);
    }
  }

  /** Resolves when no transaction of ours is under way. Nothing may stand between it and what it was waited for. */
  async idle(): Promise<void> {
    if (this.#waiting > 0) await this.#tail;
  }

  async #begin<T>(execute: () => Promise<T>): Promise<T> {
    const result = await execute();
    this.#manual = new CaptureTransaction(this.parts, this.connection);
    return result;
  }

  async #end<T>(
    open: CaptureTransaction,
    sql: string,
    savepoint: string | undefined,
    execute: () => Promise<T>,
  ): Promise<T> {
    const { kind } = this.parts.reader.read(sql);
    // Releasing the savepoint that began a transaction commits it.
    const commits = kind === 'release' && savepoint === this.#manualSavepoint;
    const result = commits ? await open.commit(execute) : await open.run(sql, execute);
    if (open === this.#manual && (commits || kind === 'commit' || kind === 'rollback')) {
      this.#manual = undefined;
      this.#manualSavepoint = undefined;
      this.#session.forget();
    }
    return result;
  }

  async #alone<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const open = this.#manual ?? this.shared();
    if (open !== undefined) return open.run(sql, execute);
    const isWrite = this.parts.reader.read(sql).kind === 'write';
    return isWrite ? this.#unitOf(sql, execute) : this.#schemaChange(execute);
  }

  async #schemaChange<T>(execute: () => Promise<T>): Promise<T> {
    await this.#session.beforeSchemaChange();
    return execute();
  }

  async #unitOf<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const { dialect } = this.parts;
    await retryWhileBusy(dialect, () => this.connection.execute(dialect.begin));
    this.#session.renew();
    const transaction = new CaptureTransaction(this.parts, this.connection, this.#session);
    try {
      const result = await transaction.run(sql, execute);
      await transaction.commit(() => this.connection.execute(dialect.commit));
      return result;
    } catch (error) {
      await this.#rollback(transaction, error);
      throw error;
    }
  }

  async #rollback(transaction: CaptureTransaction, cause: unknown): Promise<void> {
    try {
      this.#session.forget();
      await transaction.rollback(() => this.connection.execute(this.parts.dialect.rollback));
    } catch (error) {
      // The database has rolled back by itself (a full disk, OR ROLLBACK): the caller is told the first error.
      if (!/no transaction is active/i.test(String(error))) reportQuietly(this.parts.audit(), error, cause);
    }
  }

  /** Runs the work while nothing else runs on the connection, first come first served. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail;
    let end: () => void = () => undefined;
    this.#tail = new Promise((resolve) => {
      end = resolve;
    });
    this.#waiting += 1;
    await turn;
    try {
      return await work();
    } finally {
      this.#waiting -= 1;
      end();
    }
  }
}

function reportQuietly(audit: Audit, error: unknown, cause: unknown): void {
  const after = cause instanceof Error ? ` after "${cause.message}"` : '';
  audit.reportError(
    new AuditError('AUDIT_CAPTURE_FAILED', 'capture', `a transaction could not be rolled back${after}`, {
      cause: error,
    }),
  );
}
