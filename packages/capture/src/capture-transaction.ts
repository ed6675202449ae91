import {
  type AmbientContext,
  AuditError,
  auditErrorCode,
  createUuidV7,
  type EventInput,
  type PreparedEvent,
  tryGetContext,
} from '@indelible/core';
import type { CaptureConnection, CaptureSession, StatementChanges } from './dialect.js';
import { createSession, type EngineParts, retryWhileBusy } from './engine-parts.js';
import { EventBuffer } from './event-buffer.js';
import { type Statement, textWithoutValues } from './statement.js';

/**
 * Follows one transaction: captures each write, keeps its events, and writes them in one go before COMMIT. The calls
 * may overlap; writes run one after the other, because each belongs between its own before and after.
 */
export class CaptureTransaction {
  readonly id = createUuidV7();
  readonly #session: CaptureSession;
  readonly #events = new EventBuffer(this.id);
  #queue: Promise<unknown> = Promise.resolve();
  #active = false;
  /** A statement has failed: the database may have ended the transaction with it. */
  #suspect = false;
  #refusal: AuditError | undefined;
  #written: readonly PreparedEvent[] = [];
  #undelivered: readonly PreparedEvent[] = [];

  /** @param session of this connection, where it outlives the transaction */
  constructor(
    private readonly parts: EngineParts,
    private readonly connection: CaptureConnection,
    session: CaptureSession = createSession(parts, connection, false),
  ) {
    this.#session = session;
  }

  /** Runs a statement of the caller on this transaction's connection. What `execute` gives or throws is passed on. */
  async run<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    const statement = this.parts.reader.read(sql);
    switch (statement.kind) {
      case 'read':
      case 'other':
      case 'begin':
        return this.#watch(execute);
      case 'write':
        return this.#exclusively(() => this.#write(sql, statement, execute));
      case 'schema':
        return this.#exclusively(async () => {
          if (this.#active) await this.#session.beforeSchemaChange();
          return execute();
        });
      case 'commit':
        return this.commit(execute);
      case 'rollback':
        return this.rollback(execute);
      case 'savepoint':
        return this.savepoint(statement.savepoint ?? '', execute);
      case 'release':
        return this.release(statement.savepoint ?? '', execute);
      case 'rollback-to':
        return this.rollbackTo(statement.savepoint ?? '', execute);
    }
  }

  /** Writes the events, then lets the caller's COMMIT pass. If that can not be, the COMMIT does not happen. */
  async commit<T>(execute: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      await this.flush();
      const result = await execute();
      this.#committed();
      return result;
    });
  }

  async rollback<T>(execute: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      this.#discard();
      return execute();
    });
  }

  async savepoint<T>(name: string, execute: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      const result = await execute();
      this.#events.savepoint(name);
      return result;
    });
  }

  async release<T>(name: string, execute: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      const result = await execute();
      this.#events.release(name);
      return result;
    });
  }

  async rollbackTo<T>(name: string, execute: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      const result = await execute();
      this.#events.rollbackTo(name);
      this.#session.savepointRolledBack();
      return result;
    });
  }

  /** Adds events of the application to this transaction. */
  join(inputs: readonly EventInput[], ambient: AmbientContext | undefined): readonly string[] {
    return inputs.map((input) => this.#events.add(input, ambient, true));
  }

  /** Writes what is buffered into the caller's transaction. */
  async flush(): Promise<void> {
    if (this.#suspect && !this.#events.isEmpty && (await this.#session.wasRolledBack())) this.#discard();
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#events.isEmpty) return;
    const prepared = await this.#events.prepare(this.parts.audit(), this.#session.floorId());
    try {
      const store = await this.parts.store(this.connection);
      const isFresh = !this.#events.hasJoined;
      for (const { sql, params } of store.transactional?.statements(prepared, { isFresh }) ?? []) {
        await this.connection.execute(sql, params);
      }
      this.#written = [...this.#written, ...prepared];
    } catch (error) {
      if (this.parts.audit().policy('data') === 'strict') throw this.#failure(error);
      this.#undelivered = [...this.#undelivered, ...prepared];
      this.parts.audit().reportError(this.#failure(error));
    }
    this.#events.clear();
  }

  async #write<T>(sql: string, statement: Statement, execute: () => Promise<T>): Promise<T> {
    const ambient = tryGetContext();
    if (ambient?.paused === true) return this.#pass(execute);
    const ready = await this.#ready(sql, statement, ambient);
    let result: T;
    try {
      result = await execute();
    } catch (error) {
      this.#suspect = true;
      // A failed statement leaves nothing, unless it said OR FAIL, which keeps what it did, or OR ROLLBACK.
      if (ready) await this.#afterFailure(sql, statement, ambient);
      throw error;
    }
    if (ready) await this.#collect(sql, statement, ambient);
    return result;
  }

  /** @returns false where capturing failed and the policy lets the statement run without it */
  async #ready(sql: string, statement: Statement, ambient: AmbientContext | undefined): Promise<boolean> {
    try {
      const inexact = await retryWhileBusy(this.parts.dialect, () => this.#session.before(statement));
      this.#active = true;
      const [first] = inexact;
      if (first !== undefined && this.parts.options.strict) {
        throw new AuditError(
          'AUDIT_NOT_EXACT',
          this.parts.where,
          `this statement can not be captured exactly: ${first.reason}`,
        );
      }
      const text = inexact.length === 0 ? '' : textWithoutValues(sql);
      for (const entry of inexact) this.#events.add(this.parts.events.fromInexact(entry, text), ambient);
      return true;
    } catch (error) {
      if (this.parts.dialect.isBusy(error) || auditErrorCode(error) === 'AUDIT_NOT_EXACT') throw error;
      if (this.parts.audit().policy('data') === 'strict') throw this.#failure(error);
      this.#markOpaque(sql, ambient, error);
      return false;
    }
  }

  async #collect(sql: string, statement: Statement, ambient: AmbientContext | undefined): Promise<void> {
    try {
      this.#add(sql, await this.#session.after(statement, true), ambient);
    } catch (error) {
      if (auditErrorCode(error) === 'AUDIT_NOT_EXACT') throw error;
      if (this.parts.audit().policy('data') === 'strict') {
        // The change is made and has no event: even if the caller catches this, it must not be committed.
        this.#refusal = this.#failure(error);
        throw this.#refusal;
      }
      this.#markOpaque(sql, ambient, error);
    }
  }

  async #afterFailure(sql: string, statement: Statement, ambient: AmbientContext | undefined): Promise<void> {
    try {
      if (await this.#session.wasRolledBack()) this.#discard();
      else this.#add(sql, await this.#session.after(statement, statement.words.has('FAIL')), ambient);
    } catch {
      // The caller gets the error of the statement. A connection that is lost takes the transaction with it.
    }
  }

  #add(sql: string, changes: StatementChanges, ambient: AmbientContext | undefined): void {
    const text = changes.inexact.length === 0 ? '' : textWithoutValues(sql);
    if (changes.inexact.length > 0 && this.parts.options.strict) {
      this.#refusal = new AuditError(
        'AUDIT_NOT_EXACT',
        this.parts.where,
        `this statement touches ${changes.inexact[0]?.reason ?? 'more than can be captured'}; its transaction can not be committed`,
      );
      throw this.#refusal;
    }
    for (const entry of changes.inexact)
      this.#events.add(this.parts.events.fromInexact(entry, text), ambient);
    for (const row of changes.rows) {
      const input = this.parts.events.fromRow(row);
      if (input !== undefined) this.#events.add(input, ambient);
    }
  }

  /** Inside `withoutAudit`. */
  async #pass<T>(execute: () => Promise<T>): Promise<T> {
    this.#session.skip();
    return this.#watch(execute);
  }

  async #watch<T>(execute: () => Promise<T>): Promise<T> {
    try {
      return await execute();
    } catch (error) {
      this.#suspect = true;
      throw error;
    }
  }

  #markOpaque(sql: string, ambient: AmbientContext | undefined, error: unknown): void {
    const reason = 'capturing failed';
    this.#events.add(
      this.parts.events.fromInexact({ table: null, fidelity: 'opaque', reason }, textWithoutValues(sql)),
      ambient,
    );
    this.parts.audit().reportError(this.#failure(error));
  }

  #committed(): void {
    if (this.#written.length > 0) this.parts.audit().committed(this.#written);
    if (this.#undelivered.length > 0) {
      const events = this.#undelivered;
      this.parts
        .audit()
        .deliver(events)
        .catch((error: unknown) => this.parts.audit().reportError(this.#failure(error)));
    }
    this.#written = [];
    this.#undelivered = [];
    this.#events.clear();
  }

  #discard(): void {
    this.#events.clear();
    this.#written = [];
    this.#undelivered = [];
    this.#refusal = undefined;
  }

  #failure(error: unknown): AuditError {
    if (auditErrorCode(error) !== undefined && error instanceof AuditError) return error;
    if (this.parts.dialect.isMissingTable(error)) {
      return new AuditError('AUDIT_TABLES_MISSING', this.parts.where, 'the audit tables are missing', {
        cause: error,
      });
    }
    return new AuditError('AUDIT_CAPTURE_FAILED', this.parts.where, 'a row change could not be captured', {
      cause: error,
    });
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
