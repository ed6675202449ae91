import {
  type CaptureConnection,
  type CaptureEngine,
  type EngineRows,
  type Rewritten,
  type SqlValue,
  type StatementAnswer,
  type SteeredConnection,
  takeJoin,
} from '@indelible/capture';
import { lengthOf, toObject } from './answer-rows.js';
import { reachMethod, readText, refuseUnseenWrite, unsupported } from './reach.js';

/** What mysql2 tells: rows and their columns, or how many rows there were and the generated key. */
interface Answer {
  readonly rows: unknown;
  readonly fields: unknown;
}

interface QueryOptions {
  readonly sql: string;
  readonly values?: unknown;
  readonly rowsAsArray?: unknown;
}

type Callback = (error: unknown, rows?: unknown, fields?: unknown) => void;
type Call = (...args: readonly unknown[]) => unknown;

/** What the engine asks is told in one way, whatever the pool is set to. */
const AS_IT_IS = { rowsAsArray: true, supportBigNumbers: true, bigNumberStrings: true, dateStrings: true };
/** A question mark within quotes: some versions of the driver put a value there. */
const QUOTED_MARK = /'[^']*\?[^']*'|"[^"]*\?[^"]*"|`[^`]*\?[^`]*`/;

const audited = new WeakSet<object>();

/**
 * Puts the engine between a connection of mysql2 and whoever has it: all that is given to its `query` with a callback, as its
 * promises do, runs through the engine, and the answers and errors are those that it would have given.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` where its `query` can not be replaced
 */
export function auditMysqlConnection(connection: object, engine: CaptureEngine): void {
  if (audited.has(connection)) return;
  const client = new MysqlClient(reachMethod(connection, 'query'), reachMethod(connection, 'format'));
  const isSet = Reflect.defineProperty(connection, 'query', {
    configurable: true,
    writable: true,
    value: client.createQuery(engine),
  });
  if (!isSet) throw unsupported('the query() of the connection can not be replaced');
  audited.add(connection);
}

class MysqlClient {
  /** Of the headers that this version of the driver answers with. */
  #header: object = Object.prototype;

  constructor(
    private readonly query: Call,
    private readonly format: Call,
  ) {}

  /** `connection.query(sql | options, values?, callback?)`. */
  createQuery(engine: CaptureEngine): Call {
    const steered = engine.steered(this.#createConnection());
    return (given, values, callback) => {
      const done = typeof values === 'function' ? values : callback;
      const options = toOptions(given, typeof values === 'function' ? undefined : values);
      // Without a callback it is a stream of rows.
      if (options === undefined || typeof done !== 'function') {
        refuseUnseenWrite(options?.sql, engine);
        return this.query(given, values, callback);
      }
      this.#run(options, steered).then(
        ({ rows, fields }) => (done as Callback)(null, rows, fields),
        (error: unknown) => (done as Callback)(error),
      );
      return undefined;
    };
  }

  async #run(given: QueryOptions, steered: SteeredConnection): Promise<Answer> {
    if (takeJoin(given.sql, steered.open)) return { rows: [], fields: [] };
    const options = this.#inline(given);
    const executeAs = async (rewritten: Rewritten): Promise<{ result: Answer; rows: EngineRows }> => {
      // What returns rows only to the engine tells them in an array; what returns none is told as ever.
      const sent = {
        ...options,
        sql: rewritten.sql,
        ...(rewritten.columns === 0 ? {} : { rowsAsArray: true }),
      };
      const answer = await this.#send(sent).catch((error: unknown) => {
        throw this.#ownText(error, options);
      });
      return this.#cut(answer, rewritten, options.rowsAsArray === true);
    };
    return steered.run(
      options.sql,
      () => this.#send(given),
      Object.assign(executeAs, { inputLength: lengthOf(options.values) }),
    );
  }

  /** A list that stands for several values, and what could be taken for one, are written out: the engine sees no other text. */
  #inline(options: QueryOptions): QueryOptions {
    const { sql, values } = options;
    if (values === undefined) return options;
    const list: readonly unknown[] = Array.isArray(values) ? values : [values];
    const isPlain =
      Array.isArray(values) && list.every((value) => !isSeveral(value)) && !QUOTED_MARK.test(sql);
    return isPlain ? options : { ...options, sql: String(this.format(sql, values)), values: undefined };
  }

  /** An error tells the statement, and it is not ours. */
  #ownText(error: unknown, { sql, values }: QueryOptions): unknown {
    if (typeof error === 'object' && error !== null && 'sql' in error)
      error.sql = this.format(sql, values ?? []);
    return error;
  }

  #cut(
    { rows, fields }: Answer,
    { columns, returnsRows, answer: tell }: Rewritten,
    isArray: boolean,
  ): { result: Answer; rows: EngineRows } {
    if (columns === 0 || !Array.isArray(rows) || !Array.isArray(fields))
      return { result: { rows, fields }, rows: [] };
    const told = rows.filter((row) => Array.isArray(row));
    const cut = told.map((row) => row.slice(Math.max(0, fields.length - columns)));
    if (!returnsRows) {
      const header = tell === undefined ? [] : this.#headerOf(tell(cut));
      return { result: { rows: header, fields: undefined }, rows: cut };
    }
    const kept = fields.slice(0, fields.length - columns);
    const names = kept.map((field: object) => readText(field, 'name') ?? '');
    const own = told.map((row) => (isArray ? row.slice(0, kept.length) : toObject(names, row)));
    return { result: { rows: own, fields: kept }, rows: cut };
  }

  #headerOf({ count, insertId = 0n }: StatementAnswer): object {
    const isSafe = insertId <= BigInt(Number.MAX_SAFE_INTEGER);
    return Object.assign(Object.create(this.#header), {
      fieldCount: 0,
      affectedRows: count,
      insertId: isSafe ? Number(insertId) : String(insertId),
      info: '',
      serverStatus: 2,
      warningStatus: 0,
      changedRows: 0,
    });
  }

  #send(options: QueryOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done: Callback = (error, rows, fields) => {
        if (error !== null && error !== undefined) return reject(error);
        if (isHeader(rows)) this.#header = Object.getPrototypeOf(rows) as object;
        resolve({ rows, fields });
      };
      this.query(options, done);
    });
  }

  /** The engine's own way to the database. */
  #createConnection(): CaptureConnection {
    const ask = async (sql: string, params: readonly SqlValue[] = []): Promise<unknown> => {
      const values = params.length === 0 ? {} : { values: params.map(toValue) };
      return (await this.#send({ sql, ...AS_IT_IS, ...values })).rows;
    };
    return {
      query: async (sql, params) => {
        const rows = await ask(sql, params);
        return Array.isArray(rows) ? rows.filter((row) => Array.isArray(row)) : [];
      },
      execute: async (sql, params) => {
        const header = await ask(sql, params);
        return isHeader(header) ? header.affectedRows : 0;
      },
    };
  }
}

function toOptions(given: unknown, values: unknown): QueryOptions | undefined {
  if (typeof given === 'string') return { sql: given, ...(values === undefined ? {} : { values }) };
  // A command of the driver's own has its listeners already.
  if (typeof given !== 'object' || given === null || 'on' in given) return undefined;
  const sql = readText(given, 'sql');
  return sql === undefined ? undefined : { ...given, sql, ...(values === undefined ? {} : { values }) };
}

function isHeader(rows: unknown): rows is { readonly affectedRows: number } {
  return typeof rows === 'object' && rows !== null && 'affectedRows' in rows;
}

function isSeveral(value: unknown): boolean {
  const isOne =
    value === null || typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array;
  return !isOne;
}

function toValue(value: SqlValue): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}
