import { HeldStatementFailed, type SqlValue } from '../dialect.js';
import { EngineQuery } from './engine-query.js';
import type { PreparedNames } from './prepared-names.js';
import { type BundlePart, type PgQuery, StatementBundle } from './statement-bundle.js';

/** What a driver adapter gives node-postgres for one statement. */
interface QueryConfig {
  readonly text: string;
  readonly values?: unknown;
  readonly name?: unknown;
  /** It is one statement, and not several in one text. @default where it has values */
  readonly isOne?: boolean;
}

type Callback = (error: unknown, result?: unknown) => void;

/** A client of node-postgres, as far as it is used here. */
export interface PgClient {
  query(query: object): unknown;
  /** Of the process of the server, as it was told when the client connected. */
  readonly processID?: unknown;
}

/** `Client.Query` of node-postgres. */
export type PgQueryClass = new (config: object, values: undefined, callback: Callback) => PgQuery;

export interface HoldingOptions {
  /** BEGIN is not sent by itself but with the first statement, and never where there is none. */
  readonly isLate: boolean;
  /** The transaction can be undone and run again, where something failed for being kept prepared. */
  readonly mayRunAgain: boolean;
}

interface Held {
  readonly config: QueryConfig;
  readonly settle: Callback;
  /** It is the engine's own, which asks for no rows. */
  readonly params?: readonly SqlValue[];
  /** It goes with COMMIT. */
  readonly isLast?: boolean;
}

const COMMIT: QueryConfig = { text: 'COMMIT' };
const ASK_PROCESS = 'SELECT pg_catalog.pg_backend_pid()';
const NO_ANSWER = { command: '', rowCount: null, fields: [], rows: [] };

/**
 * Stands between a transaction and the client of node-postgres that it has to itself. It can begin the transaction with
 * its first statement, send others ahead of any statement and right behind it, and a last one along with COMMIT: each saves a
 * round trip.
 */
export class HoldingClient {
  /** BEGIN, and what goes with the statement that comes next. */
  #ahead: Held[] = [];
  /** What goes right behind the statement that comes next, and whether COMMIT goes behind it too. */
  #behind: { readonly held: Held; readonly commits: boolean } | undefined;
  /** What goes with COMMIT. */
  #held: Held | undefined;
  /** The answer to a COMMIT that went along with a statement, before it was asked for. */
  #committed: Promise<unknown> | undefined;
  /** The text that comes next is to be held, and where. */
  #next: { readonly sql: string; readonly put: (held: Held) => void } | undefined;
  /** The text that may be kept prepared. */
  #steady: string | undefined;
  #isOutdated = false;
  /** One of its statements was sent under a name of the engine's. */
  #usesName = false;

  /** @param names of statements that are kept prepared */
  constructor(
    private readonly client: PgClient,
    private readonly Query: PgQueryClass,
    private readonly names: PreparedNames,
    private readonly options: HoldingOptions,
    /** How values are read where a statement does not say it. @default as `pg.types` does */
    private readonly types?: object,
  ) {}

  /** Something failed because a statement was kept prepared: in another transaction it need not. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** The server's plan for this text is the same whatever its values. */
  keep(sql: string): void {
    this.#steady = sql;
  }

  /**
   * The statement waits for COMMIT, which does not run where it fails.
   * @returns how many rows it gave or touched
   * @throws what it met, once COMMIT was sent
   */
  hold(sql: string, params: readonly SqlValue[]): Promise<number> {
    return ofEngine(sql, params, (held) => {
      this.#held = held;
    });
  }

  /**
   * The statement that `send` gives this client waits for the one that follows, which does not run where it fails.
   * @throws what it met, once that one was sent
   */
  async ahead<T>(sql: string, send: () => Promise<T>): Promise<T> {
    return this.#catch(sql, send, (held) => this.#ahead.push(held));
  }

  /** Begins a transaction with the statement that comes next. */
  beginLate(): void {
    this.#ahead.push({ config: { text: 'BEGIN' }, settle: ignore });
  }

  /** Sends what waits for a statement, because that one is sent in another way. @throws what it met */
  async sendAhead(): Promise<void> {
    const first = [...this.#take(false), ...this.#takeBehind()];
    if (first.length > 0) await this.#alone(first);
  }

  /** The same for a statement of the engine's own. @returns how many rows it gave or touched */
  tell(sql: string, params: readonly SqlValue[]): Promise<number> {
    return ofEngine(sql, params, (held) => this.#ahead.push(held));
  }

  /**
   * The statement that `send` gives this client runs right behind the one that follows, and not where that one fails.
   * @throws what it met, once that one was sent
   */
  async behind<T>(sql: string, send: () => Promise<T>): Promise<T> {
    return this.#catch(sql, send, (held) => {
      this.#behind = { held, commits: false };
    });
  }

  /**
   * The same for a statement of the engine's own, and COMMIT behind it, unless one fails. COMMIT MUST be asked for next, and is
   * answered then.
   * @returns how many rows it gave or touched
   */
  committing(sql: string, params: readonly SqlValue[]): Promise<number> {
    return ofEngine(sql, params, (held) => {
      this.#behind = { held, commits: true };
    });
  }

  query(config: unknown): unknown {
    if (!isQueryConfig(config)) return this.client.query(Object(config));
    const { text } = config;
    if (config.name !== undefined) this.names.isTrusted = true;
    const next = this.#next;
    if (text === next?.sql) return new Promise((resolve, reject) => next.put(hold(config, resolve, reject)));
    if (text === 'BEGIN' && this.options.isLate) {
      this.beginLate();
      return Promise.resolve(NO_ANSWER);
    }
    const committed = this.#committed;
    this.#committed = undefined;
    if (text === 'COMMIT' && committed !== undefined) return committed;
    // Reads of the application may come between what waits for COMMIT and COMMIT.
    const first = this.#take(isEnd(text));
    const last = this.#takeBehind();
    if (first.length === 0 && last.length === 0) return this.client.query(config);
    if (text === 'ROLLBACK') return this.#drop([...first, ...last], config);
    return canShare(config) ? this.#together(first, config, last) : this.#apart(first, config, last);
  }

  /** The transaction is over: what was not sent by now never is. */
  end(): void {
    for (const { settle } of [...this.#take(true), ...this.#takeBehind()])
      settle(new Error('the transaction ended before this was sent'));
  }

  async #catch<T>(sql: string, send: () => Promise<T>, put: (held: Held) => void): Promise<T> {
    this.#next = { sql, put };
    const sent = send();
    this.#next = undefined;
    return sent;
  }

  #take(isLast: boolean): readonly Held[] {
    const last = isLast && this.#held !== undefined ? [{ ...this.#held, isLast }] : [];
    const taken = [...this.#ahead, ...last];
    this.#ahead = [];
    if (isLast) this.#held = undefined;
    return taken;
  }

  #takeBehind(): readonly Held[] {
    const behind = this.#behind;
    this.#behind = undefined;
    if (behind === undefined) return [];
    if (!behind.commits) return [behind.held];
    const last = [behind.held];
    this.#committed = new Promise((resolve, reject) => last.push(hold(COMMIT, resolve, reject)));
    // Whoever asks for COMMIT hears of it, and where the statement failed nobody does.
    this.#committed.catch(ignore);
    return last;
  }

  /** What has not begun need not be rolled back. */
  #drop(first: readonly Held[], config: QueryConfig): unknown {
    for (const { settle } of first) settle(new Error('the transaction was rolled back before this was sent'));
    return first.some(isBegin) ? Promise.resolve(NO_ANSWER) : this.client.query(config);
  }

  async #together(first: readonly Held[], config: QueryConfig, last: readonly Held[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const own: BundlePart = {
        query: this.#queryOf(hold(config, resolve, reject)),
        text: config.text,
        skip: (error) => reject(failureOf(first, error)),
      };
      this.#send([...this.#partsOf(first), own, ...this.#partsOf(last)]);
    });
  }

  #partsOf(held: readonly Held[]): readonly BundlePart[] {
    return held.flatMap((one) =>
      isBegin(one) ? [this.#partOf(one), ...this.#askProcess()] : [this.#partOf(one)],
    );
  }

  #send(parts: readonly BundlePart[]): void {
    const bundle = new StatementBundle(parts);
    // Whoever waits for one of its statements hears of the failure later.
    bundle.callback = (error) => {
      if (error !== undefined && this.#usesName && this.names.failed(error)) this.#isOutdated = true;
    };
    this.client.query(bundle);
  }

  /** Whether the connection is one of the server or of something between shows in the number of the process that answers. */
  #askProcess(): readonly BundlePart[] {
    const { names, client } = this;
    if (!this.options.mayRunAgain || !names.asks(client)) return [];
    const settle: Callback = (error, answer) => {
      names.answered(client, client.processID, firstValue(answer));
      // A role may be kept from asking.
      if (error !== undefined && error !== null) this.#isOutdated = true;
    };
    const query = new this.Query({ text: ASK_PROCESS, rowMode: 'array' }, undefined, settle);
    return [{ query, text: ASK_PROCESS, skip: ignore }];
  }

  /** Where the statement takes a round trip of its own, all that goes ahead of it takes one, and what goes behind it another. */
  async #apart(first: readonly Held[], config: QueryConfig, last: readonly Held[]): Promise<unknown> {
    let result: unknown;
    try {
      await this.#alone(first);
      result = await this.client.query(config);
    } catch (error) {
      for (const { settle } of last) settle(error);
      throw error;
    }
    if (last.length > 0) this.#send(this.#partsOf(last));
    return result;
  }

  async #alone(first: readonly Held[]): Promise<void> {
    const [begin, ...others] = first;
    const last = others.pop();
    if (begin === undefined || last === undefined) return this.#oneByOne(first);
    try {
      last.settle(undefined, await this.#together([begin, ...others], last.config));
    } catch (error) {
      last.settle(error);
      throw failureOf(first, error);
    }
  }

  #partOf(held: Held): BundlePart {
    return {
      query: isBegin(held) ? undefined : this.#queryOf(held),
      text: held.config.text,
      skip: held.settle,
    };
  }

  #queryOf({ config, settle, params }: Held): PgQuery {
    const { text } = config;
    if (params !== undefined) return new EngineQuery(text, params, this.#nameOf(text), settle);
    const typed = this.types === undefined ? config : { types: this.types, ...config };
    const name = text === this.#steady && config.name === undefined ? this.#nameOf(text) : undefined;
    return new this.Query(name === undefined ? typed : { ...typed, name }, undefined, settle);
  }

  #nameOf(text: string): string | undefined {
    if (!this.options.mayRunAgain && !this.names.isTrusted) return undefined;
    const name = this.names.nameOf(this.client, text);
    this.#usesName ||= name !== undefined;
    return name;
  }

  async #oneByOne(first: readonly Held[]): Promise<void> {
    for (const [position, held] of first.entries()) {
      try {
        held.settle(undefined, await this.client.query(held.config));
      } catch (error) {
        for (const { settle } of first.slice(position)) settle(error);
        throw failureOf(first, error);
      }
    }
  }
}

function hold(
  config: QueryConfig,
  resolve: (result: unknown) => void,
  reject: (error: unknown) => void,
): Held {
  return { config, settle: (error, result) => (error ? reject(error) : resolve(result)) };
}

function ofEngine(sql: string, params: readonly SqlValue[], put: (held: Held) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle: Callback = (error, count) => (error ? reject(error) : resolve(Number(count)));
    put({ config: { text: sql, values: params }, settle, params });
  });
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
function canShare({ text, values, isOne }: QueryConfig): boolean {
  return isOne === true || text === 'COMMIT' || (Array.isArray(values) && values.length > 0);
}

/** What was sent ahead met what the caller's own statement would have met; COMMIT met the error of somebody else. */
function failureOf(first: readonly Held[], error: unknown): unknown {
  return first.some(({ isLast }) => isLast) ? new HeldStatementFailed(error) : error;
}

function firstValue(answer: unknown): unknown {
  const rows: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'rows') : undefined;
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return Array.isArray(row) ? row[0] : undefined;
}

function ignore(): void {}
