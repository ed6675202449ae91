import { type AmbientContext, AuditError, type EventInput, tryGetContext } from '@indelible/core';
import { CaptureTransaction } from './capture-transaction.js';
import { type CaptureConnection, type ExecuteAs, OutdatedCapture } from './dialect.js';
import { createSession, type EngineParts } from './engine-parts.js';
import { errorText } from './error-text.js';
import type { StatementKind } from './statement.js';

// invalid_transaction_termination
const ENDS_TRANSACTION = /\b2D000\b/;
/** What a statement by itself has met unseen is undone, and it runs again. */
const TRIES = 3;
const CHAINS = /\bAND\s+CHAIN\b/i;
const SETS_NEXT_TRANSACTION = /^\s*SET\s+TRANSACTION\b/i;
const BEGINS = /^(?:\s|\/\*.*?\*\/|--[^\n]*\n)*(?:BEGIN|START)\b/is;

/** Runs a statement of the holder; see `CaptureTransaction.run`. */
export type RunStatement = <T>(
  sql: string,
  execute: () => Promise<T>,
  executeAs?: ExecuteAs<T>,
) => Promise<T>;

/**
 * Captures on one connection of a pool whose holder steers its transactions with SQL, and has it to himself until he gives it
 * back. A write outside of a transaction gets one of its own around it and its event; until that has ended nothing else runs
 * on the connection.
 */
export class SteeredConnection {
  #open: CaptureTransaction | undefined;
  /** Resolves when all that was asked for so far has ended. */
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Ours must not be the transaction that `SET TRANSACTION` was meant for. */
  #isReady = false;

  constructor(
    private readonly parts: EngineParts,
    private readonly connection: CaptureConnection,
    /** What the server said last, where the driver tells it: a string of several statements may begin or end a transaction. */
    private readonly isInTransaction?: () => boolean,
  ) {}

  /** The transaction that is open on it. */
  get open(): CaptureTransaction | undefined {
    return this.#open;
  }

  /** Runs a statement of the holder. What `execute` gives or throws is passed on. */
  async run<T>(sql: string, execute: () => Promise<T>, executeAs?: ExecuteAs<T>): Promise<T> {
    if (this.#waiting === 0 && this.#open !== undefined && this.#isPlain(sql)) {
      return this.#open.run(sql, execute, executeAs);
    }
    return this.together((run) => run(sql, execute, executeAs));
  }

  /** Runs statements with nobody else's in between. */
  together<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.#inTurn(() =>
      work(async (sql, execute, executeAs) => {
        try {
          return this.#open === undefined
            ? await this.#outside(sql, execute, executeAs)
            : await this.#inside(this.#open, sql, execute, executeAs);
        } finally {
          this.#believeServer();
        }
      }),
    );
  }

  /** Adds events of the application to the transaction that is open. @returns their ids; undefined where none is open */
  join(
    inputs: readonly EventInput[],
    ambient: AmbientContext | undefined,
  ): Promise<readonly string[] | undefined> {
    return this.together(async () => this.#open?.join(inputs, ambient));
  }

  #believeServer(): void {
    if (this.isInTransaction === undefined) return;
    if (this.isInTransaction()) this.#open ??= this.#follow();
    else this.#open = undefined;
  }

  #isPlain(sql: string): boolean {
    const { kind, steers } = this.parts.reader.read(sql);
    return steers !== true && (kind === 'read' || kind === 'other');
  }

  #kindOf(sql: string): StatementKind {
    return this.parts.reader.read(sql).kind;
  }

  async #inside<T>(
    open: CaptureTransaction,
    sql: string,
    execute: () => Promise<T>,
    executeAs: ExecuteAs<T> | undefined,
  ): Promise<T> {
    const kind = this.#kindOf(sql);
    if (kind !== 'commit' && kind !== 'rollback') return open.run(sql, execute, executeAs);
    try {
      return await open.run(sql, execute);
    } catch (error) {
      // Whoever is told that his COMMIT failed may give the connection back, and no transaction must stay open on it.
      await this.#undo(open);
      throw error;
    } finally {
      this.#open = CHAINS.test(sql) ? this.#follow() : undefined;
    }
  }

  async #outside<T>(sql: string, execute: () => Promise<T>, executeAs: ExecuteAs<T> | undefined): Promise<T> {
    await this.#prepare();
    const kind = this.#kindOf(sql);
    if (kind === 'write')
      return tryGetContext()?.paused === true ? execute() : this.#unit(sql, execute, executeAs);
    if (kind === 'schema') return this.#schemaChange(execute);
    if (kind === 'begin') return this.#begin(sql, execute);
    if (SETS_NEXT_TRANSACTION.test(sql)) {
      await this.#findStore();
      this.#isReady = true;
    }
    return execute();
  }

  async #begin<T>(sql: string, execute: () => Promise<T>): Promise<T> {
    if (!BEGINS.test(sql)) {
      throw new AuditError(
        'AUDIT_TRANSACTION_UNKNOWN',
        this.parts.where,
        'what is written under this statement commits at places that are not seen',
        { next: 'Use BEGIN and COMMIT, or a transaction of the ORM.' },
      );
    }
    await this.#findStore();
    const result = await execute();
    this.#isReady = false;
    this.#open = this.#follow();
    return result;
  }

  async #unit<T>(sql: string, execute: () => Promise<T>, executeAs: ExecuteAs<T> | undefined): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#alone((transaction) => transaction.run(sql, execute, executeAs), tries < TRIES);
      } catch (error) {
        if (ENDS_TRANSACTION.test(errorText(error))) break;
        if (!(error instanceof OutdatedCapture)) throw error;
      }
    }
    // A procedure that commits runs only where there is no transaction. It is told once it is through.
    const result = await execute();
    return this.#alone((transaction) => transaction.run(sql, async () => result));
  }

  async #alone<T>(work: (transaction: CaptureTransaction) => Promise<T>, mayRunAgain = false): Promise<T> {
    const { begin, commit } = this.parts.dialect;
    await this.#findStore();
    await this.connection.execute(begin);
    this.#isReady = false;
    const transaction = this.#follow(mayRunAgain);
    try {
      const result = await work(transaction);
      await transaction.commit(() => this.connection.execute(commit), commit);
      return result;
    } catch (error) {
      await this.#undo(transaction);
      throw error;
    }
  }

  async #schemaChange<T>(execute: () => Promise<T>): Promise<T> {
    try {
      return await execute();
    } finally {
      await createSession(this.parts, this.connection, false).beforeSchemaChange();
    }
  }

  /** Reads of the database what must be known before a transaction begins. */
  async #prepare(): Promise<void> {
    if (this.#isReady) return;
    await this.parts.dialect.prepare(this.connection)?.then(() => this.parts.reader.forget());
  }

  /** Asked for inside of a transaction, its answer could wait for a connection that this transaction holds. */
  async #findStore(): Promise<void> {
    if (this.#isReady) return;
    // Where it can not be found, the write itself says so.
    await this.parts.store(this.connection).catch(() => undefined);
  }

  #follow(mayRunAgain = false): CaptureTransaction {
    const session = createSession(this.parts, this.connection, mayRunAgain);
    return new CaptureTransaction(this.parts, this.connection, session);
  }

  /** The caller is told of the first error: what fails after it fails because of it. */
  async #undo(transaction: CaptureTransaction): Promise<void> {
    try {
      await transaction.rollback(() => this.connection.execute(this.parts.dialect.rollback));
    } catch {
      // A connection that can not even roll back is broken, and the server has ended its transaction.
    }
  }

  /** First come, first served. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
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
