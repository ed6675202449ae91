import { type Audit, AuditError } from '@indelible/core';
import { CaptureTransaction } from './capture-transaction.js';
import { type CaptureConnection, type CaptureSession, OutdatedCapture } from './dialect.js';
import { createSession, type EngineParts, retryWhileBusy } from './engine-parts.js';
import type { StatementKind } from './statement.js';

/**
 * Captures what runs outside of the ORM's transactions on a database whose ORM has one connection (SQLite): a write gets
 * a transaction of its own around it and its event, and until that has ended nothing else runs on the connection.
 */
export class BareConnection {
  /** Resolves when all units that were asked for so far have ended. */
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #manual: CaptureTransaction | undefined;
  /** Where a savepoint began the transaction: that one and those inside of it. */
  readonly #savepoints: string[] = [];
  readonly #session: CaptureSession;

  constructor(
    private readonly parts: EngineParts,
    private readonly connection: CaptureConnection,
    /** The ORM's open transaction, where its driver runs statements outside of it on the same connection. */
    private readonly shared: () => CaptureTransaction | undefined,
  ) {
    this.#session = createSession(parts, connection, true);
  }

  /** The transaction that is open on it. */
  get open(): CaptureTransaction | undefined {
    return this.#manual ?? this.shared();
  }

  /** The connection has been used, or replaced, by one of the ORM's transactions. */
  forget(): void {
    this.#session.forget();
  }

  /** Runs a statement of the caller. What `execute` gives or throws is passed on. */
  async run<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const { kind } = this.parts.reader.read(sql);
    const { open } = this;
    if (open !== undefined) return this.#inside(open, sql, execute);
    // What changes nothing needs no turn, but while a unit of ours is under way it would run inside of it.
    if (this.#waiting === 0 && (kind === 'read' || kind === 'other')) return execute();
    return this.alone(async () => {
      const begun = this.open;
      return begun === undefined ? this.#outside(sql, execute) : this.#inside(begun, sql, execute);
    });
  }

  /** Runs a script that is no business of the audit: a migration. */
  async script<T>(execute: () => Promise<T>): Promise<T> {
    return this.alone(() => this.#schemaChange(execute));
  }

  async #outside<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const { kind, savepoint } = this.parts.reader.read(sql);
    switch (kind) {
      case 'write':
        return this.#unitOf(sql, execute);
      case 'schema':
        return this.#schemaChange(execute);
      case 'begin':
        return this.#begin(execute);
      case 'savepoint':
        return this.#begin(execute, savepoint);
      default:
        return execute();
    }
  }

  async #inside<T>(open: CaptureTransaction, sql: string, execute: () => Promise<T>): Promise<T> {
    if (open !== this.#manual) return open.run(sql, execute);
    const { kind, savepoint = '' } = this.parts.reader.read(sql);
    try {
      // Releasing the savepoint that began a transaction commits it.
      const commits = kind === 'release' && this.#savepoints.lastIndexOf(savepoint) === 0;
      const result = commits ? await open.commit(execute) : await open.run(sql, execute);
      if (commits || kind === 'commit' || kind === 'rollback') this.#endManual();
      else if (this.#savepoints.length > 0) this.#follow(kind, savepoint);
      return result;
    } catch (error) {
      if (open === this.#manual && (await open.hasEnded())) this.#endManual();
      throw error;
    }
  }

  async #begin<T>(execute: () => Promise<T>, savepoint?: string): Promise<T> {
    const result = await execute();
    this.#manual = new CaptureTransaction(this.parts, this.connection);
    if (savepoint !== undefined) this.#savepoints.push(savepoint);
    return result;
  }

  #follow(kind: StatementKind, savepoint: string): void {
    if (kind === 'savepoint') this.#savepoints.push(savepoint);
    else if (kind === 'release') this.#savepoints.length = this.#savepoints.lastIndexOf(savepoint);
    else if (kind === 'rollback-to') this.#savepoints.length = this.#savepoints.lastIndexOf(savepoint) + 1;
  }

  #endManual(): void {
    this.#manual = undefined;
    this.#savepoints.length = 0;
    this.#session.forget();
  }

  async #schemaChange<T>(execute: () => Promise<T>): Promise<T> {
    await this.#session.beforeSchemaChange();
    return execute();
  }

  async #unitOf<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    try {
      return await this.#tryUnit(sql, execute);
    } catch (error) {
      if (!(error instanceof OutdatedCapture)) throw error;
      // It is undone as if it had never run, and the session looks at everything anew.
      return this.#tryUnit(sql, execute);
    }
  }

  async #tryUnit<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const { dialect } = this.parts;
    await retryWhileBusy(dialect, () => this.connection.execute(dialect.begin));
    this.#session.renew();
    const transaction = new CaptureTransaction(this.parts, this.connection, this.#session);
    const commit = (): Promise<number> => transaction.commit(() => this.connection.execute(dialect.commit));
    let isPartial = false;
    try {
      const result = await transaction.run(sql, () =>
        execute().catch((error: unknown) => {
          isPartial = dialect.isPartial(error);
          throw error;
        }),
      );
      await commit();
      return result;
    } catch (error) {
      // What a statement did before it failed stays (OR FAIL), as it would on its own.
      const isKept = isPartial && !(error instanceof OutdatedCapture) && (await commit().then(yes, no));
      if (!isKept) await this.#rollback(transaction, error);
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

const yes = (): boolean => true;
const no = (): boolean => false;

function reportQuietly(audit: Audit, error: unknown, cause: unknown): void {
  const after = cause instanceof Error ? ` after "${cause.message}"` : '';
  audit.reportError(
    new AuditError('AUDIT_CAPTURE_FAILED', 'capture', `a transaction could not be rolled back${after}`, {
      cause: error,
    }),
  );
}
