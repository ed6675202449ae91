import {
  type AmbientContext,
  type AuditError,
  auditErrorCode,
  createUuidV7,
  type EventInput,
  tryGetContext,
} from '@indelible/core';
import { captureFailure, notExact, steersUnseen, unseenWhere } from './capture-failure.js';
import {
  type CaptureConnection,
  type CaptureSession,
  type EngineRows,
  type ExecuteAs,
  type Inexact,
  OutdatedCapture,
  type Ready,
  type StatementChanges,
} from './dialect.js';
import { createSession, type EngineParts, retryWhileBusy } from './engine-parts.js';
import { EventBuffer } from './event-buffer.js';
import { FlushedEvents } from './flushed-events.js';
import { commitWith, type HeldEvents } from './held-events.js';
import type { Statement } from './statement.js';
import { ToldContext } from './told-context.js';
import { TransactionEnd } from './transaction-end.js';

const NO_ROWS: EngineRows = [];

/**
 * Follows one transaction: captures each write, keeps its events, and writes them in one go before COMMIT. The calls
 * may overlap; writes run one after the other, because each belongs between its own before and after.
 */
export class CaptureTransaction {
  readonly #session: CaptureSession;
  readonly #events: EventBuffer;
  readonly #flushed: FlushedEvents;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #end: TransactionEnd;
  readonly #told: ToldContext;
  #refusal: AuditError | undefined;

  /** @param session of this connection, where it outlives the transaction */
  constructor(
    private readonly parts: EngineParts,
    connection: CaptureConnection,
    session: CaptureSession = createSession(parts, connection, false),
  ) {
    this.#session = session;
    const id = createUuidV7();
    this.#told = new ToldContext(parts, session, id);
    this.#events = new EventBuffer(id, parts.clock);
    this.#flushed = new FlushedEvents(parts, connection);
    this.#end = new TransactionEnd(parts.dialect, connection, session, {
      flush: async () => void (await this.#flush(false)),
      committed: () => this.#committed(),
      discard: () => this.#discard(),
      renew: (next) => {
        this.#told.renew(next);
        this.#events.renew(next);
      },
    });
  }

  /**
   * Runs a statement of the caller on this transaction's connection. What `execute` gives or throws is passed on.
   * @param executeAs needed where the dialect rewrites statements
   */
  async run<T>(sql: string, execute: () => Promise<T>, executeAs?: ExecuteAs<T>): Promise<T> {
    const statement = this.parts.reader.read(sql);
    if (statement.movesNames === true) this.#session.namesMoved?.();
    if (statement.steers === true && !this.#events.isEmpty) throw steersUnseen(this.parts.where);
    const write = (): Promise<T> => this.#write(sql, statement, execute, executeAs);
    const change = async (): Promise<T> => {
      await this.#session.beforeSchemaChange();
      return this.#watch(execute);
    };
    if (statement.commits === true) return this.#exclusively(() => this.#end.leave(statement, write, change));
    switch (statement.kind) {
      case 'write':
        return this.#exclusively(() => this.#end.run(write));
      case 'schema':
        return this.#exclusively(change);
      case 'commit':
        return this.#end.steer(sql, this.commit(execute, sql));
      case 'rollback':
        return this.#end.steer(sql, this.rollback(execute));
      case 'begin':
        return this.#watch(execute).finally(() => this.#end.begun());
      case 'savepoint':
        return this.savepoint(statement.savepoint ?? '', execute);
      case 'release':
        return this.release(statement.savepoint ?? '', execute);
      case 'rollback-to':
        return this.rollbackTo(statement.savepoint ?? '', execute);
      default:
        return this.#watch(execute);
    }
  }

  /** Writes the events, then lets the caller's COMMIT pass, or throws. @param sql what `execute` sends */
  async commit<T>(execute: () => Promise<T>, sql = ''): Promise<T> {
    return this.#exclusively(async () => {
      const held = await this.#flush(sql === 'COMMIT');
      const result = await commitWith(this.parts, held, execute);
      this.#committed();
      return result;
    });
  }

  async rollback<T>(execute: () => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      try {
        const result = await execute();
        this.#discard();
        return result;
      } catch (error) {
        if (await this.#session.wasRolledBack()) this.#discard();
        throw error;
      }
    });
  }

  /** True if the database has ended the transaction by itself: what was kept for it is gone with it. */
  async hasEnded(): Promise<boolean> {
    return this.#exclusively(async () => {
      if (!(await this.#session.wasRolledBack())) return false;
      this.#discard();
      return true;
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
      this.#told.forget();
      if (this.parts.dialect.abortsOnError) this.#end.trust();
      return result;
    });
  }

  /** Adds events of the application to this transaction. */
  join(inputs: readonly EventInput[], ambient: AmbientContext | undefined): readonly string[] {
    return inputs.map((input) => this.#events.add(input, ambient, { isJoined: true }));
  }

  /** Writes what is buffered into the caller's transaction. @param isLast COMMIT comes right behind, and may take it along */
  async #flush(isLast: boolean): Promise<HeldEvents | undefined> {
    if (!this.#events.isEmpty && (await this.#end.wasUndone())) this.#discard();
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#events.isEmpty) return undefined;
    const prepared = await this.#events.prepare(this.parts.audit(), this.#session.floorId());
    const held = await this.#flushed.write(prepared, !this.#events.hasJoined, isLast);
    this.#events.clear();
    return held;
  }

  async #write<T>(
    sql: string,
    statement: Statement,
    execute: () => Promise<T>,
    executeAs: ExecuteAs<T> | undefined,
  ): Promise<T> {
    const ambient = tryGetContext();
    await this.#told.tell(ambient);
    if (ambient?.paused === true) return this.#session.skip().then(() => this.#watch(execute));
    const ready = await this.#ready(sql, statement, executeAs);
    let answer: { result: T; rows: EngineRows };
    try {
      const written = ready.rewritten && executeAs?.(ready.rewritten);
      answer = await (written ?? execute().then((result) => ({ result, rows: NO_ROWS })));
    } catch (error) {
      const ours = await this.#session.failedForUs?.(error);
      if (ours !== undefined) return this.#asWritten(sql, execute, ready, ours, ambient);
      this.#end.noteFailure(error);
      if (this.parts.dialect.abortsOnError) this.#session.abandon(error);
      else await this.#afterFailure(sql, statement, ready, ambient);
      throw error;
    }
    await this.#collect(sql, ready, ambient, answer.rows);
    return answer.result;
  }

  /** Only the form that the engine had given the statement failed, and nothing of it is left. */
  async #asWritten<T>(
    sql: string,
    execute: () => Promise<T>,
    ready: Ready,
    reason: Inexact,
    ambient: AmbientContext | undefined,
  ): Promise<T> {
    if (this.parts.options.strict) throw notExact(this.parts, reason);
    const result = await this.#watch(execute);
    this.#add(sql, { rows: [], inexact: [...(ready.inexact ?? []), reason] }, ambient, undefined);
    return result;
  }

  async #ready<T>(sql: string, statement: Statement, executeAs: ExecuteAs<T> | undefined): Promise<Ready> {
    let asked: unknown;
    try {
      const ask = async (text: string): Promise<EngineRows> => {
        const form = { sql: text, columns: Number.POSITIVE_INFINITY, returnsRows: false };
        const answer = await executeAs?.(form).catch((error: unknown) => {
          asked = error;
          throw error;
        });
        return answer?.rows ?? NO_ROWS;
      };
      const found = await retryWhileBusy(this.parts.dialect, () =>
        this.#session.before(statement, sql, ask, executeAs?.inputLength),
      );
      const { inexact, rewritten } = executeAs ? found : unseenWhere(found, this.#session);
      if (inexact[0] !== undefined && this.parts.options.strict) throw notExact(this.parts, inexact[0]);
      const told = inexact.filter(({ fidelity }) => fidelity !== 'exact');
      return rewritten === undefined ? { inexact: told } : { inexact: told, rewritten };
    } catch (error) {
      this.#session.abandon();
      await this.#end.noteOwnFailure(error);
      if (auditErrorCode(error) === 'AUDIT_NOT_EXACT') throw error;
      const isStrict = this.parts.audit().policy('data') === 'strict';
      // What was asked for is undone where errors abort, and the transaction is as it was: the statement meets its own.
      if (!isStrict && this.parts.dialect.abortsOnError) return { error };
      // What the caller's own text and parameters made of it: its statement would have failed so.
      if (error !== undefined && error === asked) throw error;
      if (this.parts.dialect.isBusy(error)) throw error;
      if (isStrict) throw captureFailure(this.parts, error);
      return { error };
    }
  }

  async #collect(
    sql: string,
    ready: Ready,
    ambient: AmbientContext | undefined,
    answered: EngineRows,
  ): Promise<void> {
    if (ready.inexact === undefined) return this.#markOpaque(sql, ambient, ready.error);
    try {
      const { rows, inexact } = await this.#session.after(answered);
      this.#add(sql, { rows, inexact: [...ready.inexact, ...inexact] }, ambient, inexact[0]);
    } catch (error) {
      if (auditErrorCode(error) === 'AUDIT_NOT_EXACT' || error instanceof OutdatedCapture) throw error;
      if (await this.#end.noteOwnFailure(error)) throw error;
      if (this.parts.audit().policy('data') === 'strict') {
        // The change is made and has no event: even if the caller catches this, it must not be committed.
        this.#refusal = captureFailure(this.parts, error);
        throw this.#refusal;
      }
      this.#markOpaque(sql, ambient, error);
    }
  }

  /** A failed statement leaves nothing, but for OR FAIL, which keeps what it did, and OR ROLLBACK, which ends all. */
  async #afterFailure(
    sql: string,
    statement: Statement,
    ready: Ready,
    ambient: AmbientContext | undefined,
  ): Promise<void> {
    try {
      if (await this.#session.wasRolledBack()) {
        this.#discard();
        this.#session.abandon();
        return;
      }
      const { rows, inexact } = await this.#session.after(NO_ROWS, true);
      if (rows.length === 0 && inexact.length === 0 && !statement.words.has('FAIL')) return;
      if (ready.inexact === undefined) this.#markOpaque(sql, ambient, ready.error);
      this.#add(sql, { rows, inexact: [...(ready.inexact ?? []), ...inexact] }, ambient, inexact[0]);
    } catch (error) {
      if (error instanceof OutdatedCapture) throw error;
      // The caller gets the error of the statement, and no COMMIT over what it may have left.
      if (this.parts.audit().policy('data') === 'strict') this.#refusal ??= captureFailure(this.parts, error);
      else this.#markOpaque(sql, ambient, error);
    }
  }

  /** @param late what showed only after the statement had run, too late to refuse it alone */
  #add(
    sql: string,
    changes: StatementChanges,
    ambient: AmbientContext | undefined,
    late: Inexact | undefined,
  ): void {
    if (late !== undefined && this.parts.options.strict) {
      this.#refusal = notExact(this.parts, late, 'its transaction can not be committed');
      throw this.#refusal;
    }
    const text = changes.inexact.length === 0 ? '' : this.parts.textOf(sql);
    for (const entry of changes.inexact) {
      this.#events.add(this.parts.events.fromInexact(entry, text), ambient);
    }
    for (const row of changes.rows) {
      const input = this.parts.events.fromRow(row);
      if (input !== undefined) this.#events.add(input, ambient, { at: row.at });
    }
  }

  async #watch<T>(execute: () => Promise<T>): Promise<T> {
    try {
      return await execute();
    } catch (error) {
      this.#end.noteFailure(error);
      throw error;
    }
  }

  #markOpaque(sql: string, ambient: AmbientContext | undefined, error: unknown): void {
    const inexact: Inexact = { table: null, fidelity: 'opaque', reason: 'capturing failed' };
    this.#events.add(this.parts.events.fromInexact(inexact, this.parts.textOf(sql)), ambient);
    this.parts.audit().reportError(captureFailure(this.parts, error));
  }

  #committed(): void {
    this.#flushed.committed();
    this.#told.committed();
    this.#discard();
  }

  #discard(): void {
    this.#events.clear();
    this.#flushed.discard();
    this.#refusal = undefined;
    this.#told.clear();
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
