import { createUuidV7 } from '@indelible/core';
import type { CaptureConnection, CaptureDialect, CaptureSession } from './dialect.js';
import type { Statement } from './statement.js';

/** What its owner does about the events that are kept for a transaction. */
interface Events {
  /** Writes them. */
  readonly flush: () => Promise<void>;
  /** They stand for good. */
  readonly committed: () => void;
  /** They are gone with it. */
  readonly discard: () => void;
  /** Those that come now are of another transaction. */
  readonly renew: (id: string) => void;
}

const CHAINS = /\bAND\s+CHAIN\b/i;

/**
 * Follows whether the transaction is still open, where the database may end it by itself and statements go on without it: by a
 * deadlock, or by a statement that commits before it runs. A write behind that gets a transaction of its own with its events.
 */
export class TransactionEnd {
  #isSuspect = false;
  #hasEnded = false;

  constructor(
    private readonly dialect: CaptureDialect,
    private readonly connection: CaptureConnection,
    private readonly session: CaptureSession,
    private readonly events: Events,
  ) {}

  /** A statement has failed, and the database has undone the transaction with it. */
  async wasUndone(): Promise<boolean> {
    return this.#isSuspect && (await this.session.wasRolledBack());
  }

  /** No earlier failure has to be asked about any more. */
  trust(): void {
    this.#isSuspect = false;
  }

  /** A statement has failed: the database may have ended the transaction with it. */
  noteFailure(error: unknown): void {
    this.#isSuspect = true;
    this.session.noteFailure?.(error);
  }

  /**
   * The same for a statement of the engine's own.
   * @returns true where it is sure that the transaction is gone, and with it all that was to be told
   */
  async noteOwnFailure(error: unknown): Promise<boolean> {
    const { abortsOnError, goesOn = false } = this.dialect;
    if (abortsOnError || goesOn) this.noteFailure(error);
    return goesOn && (await this.session.wasRolledBack());
  }

  /**
   * SQL of the caller's own ends the transaction, and what follows on the connection runs without one, or in another one.
   * Where the database tells whether there is one, it is asked later.
   */
  async steer<T>(sql: string, ending: Promise<T>): Promise<T> {
    const result = await ending;
    if (this.dialect.goesOn === true) return result;
    this.#isSuspect = false;
    this.#hasEnded = !CHAINS.test(sql);
    this.session.renew();
    this.events.renew(createUuidV7());
    return result;
  }

  /** SQL of the caller's own has begun one. */
  begun(): void {
    this.#hasEnded = false;
  }

  /** Runs a write, by itself where there is no transaction any more. */
  async run<T>(write: () => Promise<T>): Promise<T> {
    return (await this.#isOver()) ? this.#byItself(write) : write();
  }

  /** Runs a statement that commits what was before it. Its own events are written behind it. */
  async leave<T>(statement: Statement, write: () => Promise<T>, change: () => Promise<T>): Promise<T> {
    if (!(await this.#isOver())) await this.events.flush();
    try {
      return await (statement.kind === 'write' ? write() : change());
    } finally {
      this.#isSuspect = false;
      this.#hasEnded = statement.kind !== 'begin' && (await this.session.wasRolledBack());
      if (this.#hasEnded) {
        await this.events.flush();
        this.events.committed();
      }
    }
  }

  async #isOver(): Promise<boolean> {
    const asks = this.#isSuspect && !this.#hasEnded && this.dialect.goesOn === true;
    if (!asks) return this.#hasEnded;
    this.#isSuspect = false;
    if (!(await this.session.wasRolledBack())) return false;
    this.events.discard();
    this.#hasEnded = true;
    return true;
  }

  async #byItself<T>(write: () => Promise<T>): Promise<T> {
    await this.connection.execute(this.dialect.begin);
    this.events.renew(createUuidV7());
    try {
      const result = await write();
      await this.events.flush();
      await this.connection.execute(this.dialect.commit);
      this.events.committed();
      return result;
    } catch (error) {
      this.events.discard();
      // Where the database has undone it already, nothing is left to undo.
      await this.connection.execute(this.dialect.rollback).catch(() => undefined);
      throw error;
    }
  }
}
