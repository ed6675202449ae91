import type { CaptureConnection, SqlValue } from '../dialect.js';
import { errorText } from '../error-text.js';
import { UNTRANSLATABLE } from './text-encoding.js';

/**
 * A savepoint of ours in the caller's transaction, set where it is first needed: what fails behind it takes nothing else
 * with it.
 */
export class StatementGuard {
  #isSet = false;

  constructor(
    private readonly connection: CaptureConnection,
    private readonly name: string,
  ) {}

  get isSet(): boolean {
    return this.#isSet;
  }

  async set(): Promise<void> {
    if (this.#isSet) return;
    await this.connection.execute(`SAVEPOINT ${this.name}`);
    this.#isSet = true;
  }

  /** What ran behind it stays. */
  async release(): Promise<void> {
    if (!this.#isSet) return;
    this.#isSet = false;
    await this.connection.execute(`RELEASE SAVEPOINT ${this.name}`);
  }

  /** Nothing stays of what ran behind it, and the transaction goes on. */
  async undo(): Promise<void> {
    if (!this.#isSet) return;
    this.#isSet = false;
    await this.connection.execute(`ROLLBACK TO SAVEPOINT ${this.name}`);
    await this.connection.execute(`RELEASE SAVEPOINT ${this.name}`);
  }

  /** It went with the transaction, or the transaction can only be rolled back. */
  drop(): void {
    this.#isSet = false;
  }
}

/** The connection for what the engine asks for itself. @param guards a statement that fails must not abort the transaction */
export function guardedConnection(
  connection: CaptureConnection,
  guard: StatementGuard,
  guards: () => boolean,
): CaptureConnection {
  const behind = async <T>(run: () => Promise<T>): Promise<T> => {
    if (guards()) await guard.set();
    return run();
  };
  return {
    query: (sql: string, params?: readonly SqlValue[]) => behind(() => connection.query(sql, params)),
    execute: (sql: string, params?: readonly SqlValue[]) => behind(() => connection.execute(sql, params)),
  };
}

/**
 * Runs work whose questions stand behind the guard, which is released or undone with it.
 * @param untranslatable what it comes to where the database can not give what was asked for as text
 */
export async function behindGuard<T>(
  guard: StatementGuard,
  work: () => Promise<T>,
  untranslatable: () => T,
): Promise<T> {
  try {
    const result = await work();
    await guard.release();
    return result;
  } catch (error) {
    const wasGuarded = guard.isSet;
    // Where that fails too, the transaction is lost, and the first error says why.
    await guard.undo().catch(() => undefined);
    if (wasGuarded && UNTRANSLATABLE.test(errorText(error))) return untranslatable();
    throw error;
  }
}
