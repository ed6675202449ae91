import { type Audit, AuditError } from '@indelible/core';
import { CaptureTransaction, type EngineParts } from './capture-transaction.js';
import type { CaptureConnection } from './dialect.js';

/**
 * Captures what runs outside of the ORM's transactions on a database whose ORM has one connection (SQLite): a write gets
 * a transaction of its own around it and its event, and until that has ended nothing else runs on the connection.
 */
export class BareConnection {
  #unit: Promise<unknown> | undefined;
  #manual: CaptureTransaction | undefined;
  #manualSavepoint: string | undefined;

  constructor(
    private readonly parts: EngineParts,
    private readonly connection: CaptureConnection,
    /** The ORM's open transaction, where its driver runs statements outside of it on the same connection. */
    private readonly shared: () => CaptureTransaction | undefined,
  ) {}

  /** Runs a statement of the caller. What `execute` gives or throws is passed on. */
  async run<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    if (this.#unit !== undefined) await this.idle();
    const statement = this.parts.reader.read(sql);
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
        return open === undefined ? this.alone(() => this.#unitOf(sql, execute)) : open.run(sql, execute);
      case 'schema':
        return open === undefined ? this.alone(() => this.#schemaChange(execute)) : open.run(sql, execute);
      default:
        return open === undefined ? execute() : this.#end(open, sql, statement.savepoint, execute);
    }
  }

  /** Resolves when no transaction of ours is under way. */
  async idle(): Promise<void> {
    while (this.#unit !== undefined) await this.#unit;
  }

  async #begin<T>(execute: () => Promise<T>): Promise<T> {
    const result = await execute();
    this.#manual = new CaptureTransaction(this.parts, this.connection, false);
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
    }
    return result;
  }

  async #schemaChange<T>(execute: () => Promise<T>): Promise<T> {
    const session = this.parts.dialect.createSession(
      this.connection,
      { maxRows: this.parts.options.maxRows, ignores: this.parts.events.ignores },
      false,
    );
    await session.beforeSchemaChange();
    return execute();
  }

  async #unitOf<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const { dialect } = this.parts;
    await this.#beginUnit();
    const transaction = new CaptureTransaction(this.parts, this.connection, true);
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
      await transaction.rollback(() => this.connection.execute(this.parts.dialect.rollback));
    } catch (error) {
      // The database has rolled back by itself (a full disk, OR ROLLBACK): the caller is told the first error.
      if (!/no transaction is active/i.test(String(error))) reportQuietly(this.parts.audit(), error, cause);
    }
  }

  async #beginUnit(): Promise<void> {
    const { dialect } = this.parts;
    const deadline = Date.now() + BUSY_RETRY_MS;
    for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
      try {
        await this.connection.execute(dialect.begin);
        return;
      } catch (error) {
        if (!dialect.isBusy(error) || Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Runs the work while nothing else runs on the connection. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.idle();
    const result = work();
    const unit = result.then(
      () => undefined,
      () => undefined,
    );
    this.#unit = unit;
    try {
      return await result;
    } finally {
      if (this.#unit === unit) this.#unit = undefined;
    }
  }
}

const BUSY_RETRY_MS = 1_000;

function reportQuietly(audit: Audit, error: unknown, cause: unknown): void {
  const after = cause instanceof Error ? ` after "${cause.message}"` : '';
  audit.reportError(
    new AuditError('AUDIT_CAPTURE_FAILED', 'capture', `a transaction could not be rolled back${after}`, {
      cause: error,
    }),
  );
}
