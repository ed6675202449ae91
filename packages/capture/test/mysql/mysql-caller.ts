import { connect } from '../../../mysql/test/raw-connection.js';
import type { CaptureEngine } from '../../src/capture-engine.js';
import type { CaptureTransaction } from '../../src/capture-transaction.js';
import type { CaptureConnection, EngineRows, Rewritten } from '../../src/dialect.js';
import { readMysqlStatement } from '../../src/mysql/mysql-statement.js';
import { USUAL_MODE } from '../../src/mysql/mysql-tokens.js';

/** Of mysql2. */
export type Connection = Awaited<ReturnType<typeof connect>>;

/** What a statement gave its caller. */
export interface Answer {
  readonly rows: readonly (readonly unknown[])[];
  readonly columns: readonly string[];
  /** Rows that were touched; null where there are rows to read. */
  readonly count: number | null;
  readonly insertId: string;
}

/** A connection of mysql2 as an application uses one, with the engine behind it, or without any. */
export class MysqlCaller {
  #follow: CaptureTransaction | undefined;
  readonly #connection: CaptureConnection;

  private constructor(
    readonly client: Connection,
    private readonly engine: CaptureEngine | undefined,
  ) {
    this.#connection = {
      query: async (sql, params = []) => (await send(client, sql, params)).rows,
      execute: async (sql, params = []) => (await send(client, sql, params)).count ?? 0,
    };
  }

  static async open(url: string, engine?: CaptureEngine): Promise<MysqlCaller> {
    return new MysqlCaller(await connect(url), engine);
  }

  get inTransaction(): boolean {
    return this.#follow !== undefined;
  }

  /** Runs a statement of the application. BEGIN, COMMIT and ROLLBACK steer the transaction of this connection. */
  async run(sql: string, ...params: unknown[]): Promise<Answer> {
    const { engine } = this;
    if (engine === undefined) return send(this.client, sql, params);
    const { kind } = readMysqlStatement(sql, USUAL_MODE);
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

  async #alone(engine: CaptureEngine, sql: string, params: readonly unknown[]): Promise<Answer> {
    await send(this.client, 'BEGIN', []);
    const follow = engine.transaction(this.#connection);
    try {
      const answer = await this.#through(follow, sql, params);
      await follow.commit(() => send(this.client, 'COMMIT', []));
      return answer;
    } catch (error) {
      await follow.rollback(() => send(this.client, 'ROLLBACK', []));
      throw error;
    }
  }

  async #through(follow: CaptureTransaction, sql: string, params: readonly unknown[]): Promise<Answer> {
    return follow.run(
      sql,
      () => send(this.client, sql, params),
      async (rewritten: Rewritten) => cut(await send(this.client, rewritten.sql, params), rewritten),
    );
  }
}

/** Takes the engine's columns out of an answer, as the ORM packages do. */
function cut(
  { rows, columns, count, insertId }: Answer,
  rewritten: Rewritten,
): { result: Answer; rows: EngineRows } {
  const kept = rewritten.returnsRows ? columns.length - rewritten.columns : 0;
  const start = Math.max(0, columns.length - rewritten.columns);
  const own = rewritten.columns === 0 ? [] : rows.map((row) => row.slice(start));
  const told = rewritten.returnsRows ? undefined : rewritten.answer?.(own);
  return {
    result: {
      rows: rewritten.returnsRows ? rows.map((row) => row.slice(0, kept)) : [],
      columns: columns.slice(0, kept),
      count: told?.count ?? (rewritten.returnsRows ? count : (count ?? rows.length)),
      insertId: told === undefined ? insertId : String(told.insertId ?? 0),
    },
    rows: own,
  };
}

async function send(client: Connection, sql: string, params: readonly unknown[]): Promise<Answer> {
  const values = params.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
  const [answer, fields] = await client.query({ sql, values, rowsAsArray: true });
  // Several statements in one string have several answers.
  const isMany = Array.isArray(fields) && fields.some((field) => field === undefined || Array.isArray(field));
  const last: unknown = isMany && Array.isArray(answer) ? answer.at(-1) : answer;
  const lastFields: unknown = isMany ? fields.at(-1) : fields;
  if (Array.isArray(last)) {
    const columns = Array.isArray(lastFields)
      ? lastFields.map((field) => String(Reflect.get(Object(field), 'name')))
      : [];
    return {
      rows: last.filter((row): row is unknown[] => Array.isArray(row)),
      columns,
      count: null,
      insertId: '0',
    };
  }
  const header = Object(last);
  return {
    rows: [],
    columns: [],
    count: Number(Reflect.get(header, 'affectedRows')),
    insertId: String(Reflect.get(header, 'insertId') ?? 0),
  };
}
