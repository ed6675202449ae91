import { HeldStatementFailed } from '@indelible/capture';
import { type BundlePart, type PgQuery, StatementBundle } from './statement-bundle.js';

/** What a driver adapter gives node-postgres for one statement. */
interface QueryConfig {
  readonly text: string;
  readonly values?: unknown;
}

type Callback = (error: unknown, result?: unknown) => void;

/** A client of node-postgres, as far as it is used here. */
export interface PgClient {
  query(query: object): unknown;
}

/** `Client.Query` of node-postgres. */
export type PgQueryClass = new (config: object, values: undefined, callback: Callback) => PgQuery;

interface Held {
  readonly config: QueryConfig;
  readonly settle: Callback;
}

const NO_ANSWER = { command: '', rowCount: null, fields: [], rows: [] };

/**
 * Stands between a transaction and the client of node-postgres that it has to itself. It can begin the transaction with
 * its first statement, and send a last one along with COMMIT: each saves a round trip.
 */
export class HoldingClient {
  /** BEGIN, or what goes with COMMIT. */
  #held: Held | undefined;
  #next: string | undefined;

  constructor(
    private readonly client: PgClient,
    private readonly Query: PgQueryClass,
    /** BEGIN is not sent by itself but with the first statement, and never where there is none. */
    private readonly isLate: boolean,
  ) {}

  /**
   * The statement that `send` gives this client waits for COMMIT, which does not run where it fails.
   * @throws what it met, once COMMIT was sent
   */
  async hold<T>(sql: string, send: () => Promise<T>): Promise<T> {
    this.#next = sql;
    const sent = send();
    this.#next = undefined;
    return sent;
  }

  query(config: unknown): unknown {
    if (!isQueryConfig(config)) return this.client.query(Object(config));
    const { text } = config;
    if (text === this.#next) return new Promise((resolve, reject) => this.#hold(config, resolve, reject));
    if (text === 'BEGIN' && this.isLate) {
      this.#hold(config, ignore, ignore);
      return Promise.resolve(NO_ANSWER);
    }
    const held = this.#held;
    // Reads of the application may come between what waits for COMMIT and COMMIT.
    if (held === undefined || (!isBegin(held) && !isEnd(text))) return this.client.query(config);
    this.#held = undefined;
    if (text === 'ROLLBACK') return this.#drop(held, config);
    return canShare(config) ? this.#together(held, config) : this.#oneByOne(held, config);
  }

  /** The transaction is over: what was not sent by now never is. */
  end(): void {
    this.#held?.settle(new Error('the transaction ended before this was sent'));
    this.#held = undefined;
  }

  #hold(config: QueryConfig, resolve: (result: unknown) => void, reject: (error: unknown) => void): void {
    this.#held = { config, settle: (error, result) => (error ? reject(error) : resolve(result)) };
  }

  /** What has not begun need not be rolled back. */
  #drop(held: Held, config: QueryConfig): unknown {
    held.settle(new Error('the transaction was rolled back before this was sent'));
    return isBegin(held) ? Promise.resolve(NO_ANSWER) : this.client.query(config);
  }

  async #together(held: Held, config: QueryConfig): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { Query } = this;
      const settle: Callback = (error, result) => (error ? reject(error) : resolve(result));
      const parts: readonly BundlePart[] = [
        {
          query: isBegin(held) ? undefined : new Query(held.config, undefined, held.settle),
          text: held.config.text,
          skip: held.settle,
        },
        {
          query: new Query(config, undefined, settle),
          text: config.text,
          skip: (error) => reject(failureOf(held, error)),
        },
      ];
      this.client.query(new StatementBundle(parts));
    });
  }

  async #oneByOne(held: Held, config: QueryConfig): Promise<unknown> {
    try {
      held.settle(undefined, await this.client.query(held.config));
    } catch (error) {
      held.settle(error);
      throw failureOf(held, error);
    }
    return this.client.query(config);
  }
}

function isQueryConfig(config: unknown): config is QueryConfig {
  return typeof config === 'object' && config !== null && 'text' in config && typeof config.text === 'string';
}

function isBegin({ config }: Held): boolean {
  return config.text === 'BEGIN';
}

function isEnd(text: string): boolean {
  return text === 'COMMIT' || text === 'ROLLBACK';
}

/** The extended protocol takes one statement, and who gives values knows that. */
function canShare({ text, values }: QueryConfig): boolean {
  return text === 'COMMIT' || (Array.isArray(values) && values.length > 0);
}

/** Without BEGIN the caller's own statement met the error; COMMIT met that of somebody else. */
function failureOf(held: Held, error: unknown): unknown {
  return isBegin(held) ? error : new HeldStatementFailed(error);
}

function ignore(): void {}
