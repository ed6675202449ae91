import pg from 'pg';
import type { CaptureEngine } from '../../src/capture-engine.js';
import type { CaptureTransaction } from '../../src/capture-transaction.js';
import {
  type CaptureConnection,
  type EngineRows,
  OutdatedCapture,
  type Rewritten,
} from '../../src/dialect.js';
import { readPostgresStatement } from '../../src/postgres/postgres-statement.js';

/** What a statement gave its caller: rows as the database writes them, and the count of its command tag. */
export interface Answer {
  readonly rows: readonly (readonly (string | null)[])[];
  readonly columns: readonly string[];
  readonly count: number | null;
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
function cut({ rows, columns, count }: Answer, rewritten: Rewritten): { result: Answer; rows: EngineRows } {
  const kept = rewritten.returnsRows ? columns.length - rewritten.columns : 0;
  const start = Math.max(0, columns.length - rewritten.columns);
  return {
    result: {
      rows: rewritten.returnsRows ? rows.map((row) => row.slice(0, kept)) : [],
      columns: columns.slice(0, kept),
      count: rewritten.count === undefined ? count : Number(rows[0]?.[start + rewritten.count] ?? 0),
    },
    rows: rows.map((row) => row.slice(start)),
  };
}

async function send(client: pg.Client, text: string, params: readonly unknown[]): Promise<Answer> {
  const values = params.length === 0 ? {} : { values: [...params] };
  const result = await client.query({ text, rowMode: 'array', types: AS_TEXT, ...values });
  const last: pg.QueryArrayResult = Array.isArray(result) ? result.at(-1) : result;
  return { rows: last.rows, columns: last.fields.map(({ name }) => name), count: last.rowCount };
}
