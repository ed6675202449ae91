import pg from 'pg';
import type { CaptureEngine } from '../../src/capture-engine.js';
import type { CaptureTransaction } from '../../src/capture-transaction.js';
import {
  type CaptureConnection,
  type EngineRows,
  OutdatedCapture,
  type Rewritten,
} from '../../src/dialect.js';
import { callersCount, cutParts, isCallersRow, type StatementForm } from '../../src/part-rows.js';
import { readPostgresStatement } from '../../src/postgres/postgres-statement.js';

/** What a statement gave its caller: rows as the database writes them, and the count of its command tag. */
export interface Answer {
  readonly rows: readonly (readonly (string | null)[])[];
  readonly columns: readonly string[];
  readonly count: number | null;
  readonly command: string;
  /** What the statements before it in the same string gave. */
  readonly others?: readonly Answer[];
}

/** As the ORM packages do. */
const TRIES = 3;
const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

/** A connection of node-postgres as an application uses one, with the engine behind it, or without any. */
export class PgCaller {
  #follow: CaptureTransaction | undefined;
  readonly #connection: CaptureConnection;

  private constructor(
    readonly client: pg.Client,
    private readonly engine: CaptureEngine | undefined,
  ) {
    this.#connection = {
      query: async (sql, params = []) => (await send(client, sql, params)).rows,
      execute: async (sql, params = []) => (await send(client, sql, params)).count ?? 0,
    };
  }

  static async open(url: string, engine?: CaptureEngine): Promise<PgCaller> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    return new PgCaller(client, engine);
  }

  get inTransaction(): boolean {
    return this.#follow !== undefined;
  }

  /** Runs a statement of the application. BEGIN, COMMIT and ROLLBACK steer the transaction of this connection. */
  async run(sql: string, ...params: unknown[]): Promise<Answer> {
    const { engine } = this;
    if (engine === undefined) return send(this.client, sql, params);
    const { kind } = readPostgresStatement(sql);
    if (this.#follow === undefined) {
      await engine.prepare(this.#connection);
      if (kind !== 'begin') return this.#outside(engine, sql, params);
      const answer = await send(this.client, sql, params);
      this.#follow = engine.transaction(this.#connection);
      return answer;
    }
    const follow = this.#follow;
    const ends = kind === 'commit' || kind === 'rollback';
    try {
      return await this.#through(follow, sql, params);
    } catch (error) {
      // As the ORM packages do: a transaction must not stay open where its COMMIT was refused.
      if (ends) await follow.rollback(() => send(this.client, 'ROLLBACK', []));
      throw error;
    } finally {
      if (ends) this.#follow = undefined;
    }
  }

  /** Runs the work inside BEGIN and COMMIT, or ROLLBACK where it throws. */
  async transaction<T>(work: (caller: PgCaller) => Promise<T>, begin = 'BEGIN'): Promise<T> {
    await this.run(begin);
    try {
      const result = await work(this);
      await this.run('COMMIT');
      return result;
    } catch (error) {
      if (this.engine === undefined || this.inTransaction) await this.run('ROLLBACK');
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  async #outside(engine: CaptureEngine, sql: string, params: readonly unknown[]): Promise<Answer> {
    const execute = (): Promise<Answer> => send(this.client, sql, params);
    switch (engine.needOf(sql)) {
      case 'transaction':
        return this.#alone(engine, sql, params);
      case 'schema-change':
        return engine.schemaChange(this.#connection, execute);
      case 'connection':
      case 'nothing':
        return execute();
    }
  }

  async #alone(engine: CaptureEngine, sql: string, params: readonly unknown[], tries = 1): Promise<Answer> {
    await send(this.client, 'BEGIN', []);
    const follow = engine.transaction(this.#connection, tries < TRIES);
    try {
      const answer = await this.#through(follow, sql, params);
      await follow.commit(() => send(this.client, 'COMMIT', []));
      return answer;
    } catch (error) {
      await follow.rollback(() => send(this.client, 'ROLLBACK', []));
      if (error instanceof OutdatedCapture) return this.#alone(engine, sql, params, tries + 1);
      throw error;
    }
  }

  async #through(follow: CaptureTransaction, sql: string, params: readonly unknown[]): Promise<Answer> {
    return follow.run(
      sql,
      () => send(this.client, sql, params),
      Object.assign(
        async (rewritten: Rewritten) => cut(await send(this.client, rewritten.sql, params), rewritten),
        { inputLength: JSON.stringify(params).length },
      ),
    );
  }
}

/** Parts the engine's columns from the caller's. */
function cut(answer: Answer, rewritten: Rewritten): { result: Answer; rows: EngineRows } {
  const { parts } = rewritten;
  if (parts === undefined) return cutOne(answer, rewritten);
  const own: Answer[] = [];
  const rows = cutParts([...(answer.others ?? []), answer], parts, (one, form) => {
    const { result, rows: engine } = cutOne(one, form);
    own.push(result);
    return engine;
  });
  return { result: inOne(own), rows };
}

function cutOne(
  { rows, columns, count, command }: Answer,
  form: StatementForm,
): { result: Answer; rows: EngineRows } {
  const kept = form.returnsRows ? columns.length - form.columns : 0;
  const start = Math.max(0, columns.length - form.columns);
  const engine = rows.map((row) => row.slice(start));
  const theirs = rows.filter((_, at) => isCallersRow(engine[at] ?? [], form));
  return {
    result: {
      rows: form.returnsRows ? theirs.map((row) => row.slice(0, kept)) : [],
      columns: columns.slice(0, kept),
      count: callersCount(engine, form) ?? count,
      command: form.command ?? command,
    },
    rows: form.columns === 0 ? [] : engine,
  };
}

function inOne(answers: readonly Answer[]): Answer {
  const last = answers.at(-1) ?? { rows: [], columns: [], count: null, command: '' };
  return answers.length < 2 ? last : { ...last, others: answers.slice(0, -1) };
}

async function send(client: pg.Client, text: string, params: readonly unknown[]): Promise<Answer> {
  const values = params.length === 0 ? {} : { values: [...params] };
  const result: pg.QueryArrayResult | pg.QueryArrayResult[] = await client.query({
    text,
    rowMode: 'array',
    types: AS_TEXT,
    ...values,
  });
  return inOne((Array.isArray(result) ? result : [result]).map(toAnswer));
}

function toAnswer({ rows, fields, rowCount, command }: pg.QueryArrayResult): Answer {
  return { rows, columns: fields.map(({ name }) => name), count: rowCount, command };
}
