import type { CaptureEngine } from '../capture-engine.js';
import type { CaptureConnection, EngineRows, ExecuteAs, Rewritten, SqlValue } from '../dialect.js';
import { takeJoin } from '../joined-events.js';
import { asCallback, callBack } from './call-back.js';
import { refuseUnseenWrite, unsupportedDriver } from './driver-refusals.js';
import { FIRST_STATUS, isInTransaction, partAnswer, toObjects } from './mysql-answer.js';
import { readProperty } from './read-property.js';
import { lengthOf, toDriverValue } from './sent-values.js';
import { noteSteered, tryGetSteered } from './steered-clients.js';

type Callback = (error: unknown, answer?: unknown, fields?: unknown) => void;
type Method = 'query' | 'execute';

/** A connection of mysql2 with callbacks, as far as it is used here. */
interface Mysql2Connection {
  query(options: object, callback: Callback): unknown;
  execute(options: object, callback: Callback): unknown;
  /** Puts values into a text, as `query` does. */
  format(sql: string, values: unknown): string;
  /** Closes a prepared statement on the server. */
  unprepare(options: object): unknown;
}

interface Options {
  readonly sql: string;
  readonly values?: unknown;
  readonly rowsAsArray?: unknown;
}

/** What mysql2 gives to a callback. */
interface Answer {
  readonly answer: unknown;
  readonly fields: unknown;
}

/** `ResultSetHeader` of mysql2. */
interface Header {
  readonly affectedRows: number;
  readonly serverStatus: number;
}

const AS_ARRAYS = { rowsAsArray: true };
/** What the engine asks is told in one way, whatever the connection is set to. */
const AS_IT_IS = { ...AS_ARRAYS, supportBigNumbers: true, bigNumberStrings: true, dateStrings: true };
/** A question mark within quotes: some versions of the driver put a value there. */
const QUOTED_MARK = /'[^']*\?[^']*'|"[^"]*\?[^"]*"|`[^`]*\?[^`]*`/;
const METHODS = ['query', 'execute'] as const;

/**
 * Puts the engine between a connection of mysql2 and whoever has it: its `query` and `execute` take and give what they always
 * did. A connection that is steered already stays as it is.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` for another connection
 */
export function steerMysql2(connection: object, engine: CaptureEngine): void {
  if (tryGetSteered(connection) !== undefined) return;
  if (!isMysql2(connection)) {
    throw unsupportedDriver(
      engine,
      'the connection is none of mysql2',
      'Use the package mysql2 as the driver.',
    );
  }
  const own = { query: connection.query.bind(connection), execute: connection.execute.bind(connection) };
  let status = FIRST_STATUS;
  // Its class is not to be had in another way.
  let last: Header | undefined;
  const send = (method: Method, options: Options): Promise<Answer> =>
    new Promise((resolve, reject) => {
      own[method](options, (error, answer, fields) => {
        if (error) return reject(error);
        for (const header of Array.isArray(answer) && answer.some(isHeader) ? answer : [answer]) {
          if (isHeader(header)) [last, status] = [header, header.serverStatus];
        }
        resolve({ answer, fields });
      });
    });
  const steered = engine.steered(createConnection(send), () => isInTransaction(status));
  noteSteered(connection, steered);

  const run = async (method: Method, given: Options): Promise<Answer> => {
    if (takeJoin(given.sql, steered.open)) return { answer: [], fields: [] };
    const options = method === 'query' ? writeOut(given, connection) : given;
    const executeAs = async (rewritten: Rewritten) => {
      const form = { ...options, sql: rewritten.sql, ...(rewritten.columns === 0 ? {} : AS_ARRAYS) };
      try {
        const answer = await send(method, form).catch((error: unknown) => {
          throw withOwnText(error, method === 'query' ? writtenOut(options, connection) : options.sql);
        });
        return cut(answer, rewritten, last, options.rowsAsArray === true);
      } finally {
        // Each of them is another text, and the driver would keep them all.
        if (method === 'execute') connection.unprepare(form);
      }
    };
    const known: ExecuteAs<Answer> = Object.assign(executeAs, { inputLength: lengthOf(options.values) });
    return steered.run(options.sql, () => send(method, given), known);
  };
  for (const method of METHODS) {
    Object.defineProperty(connection, method, {
      configurable: true,
      writable: true,
      value: (first: unknown, second?: unknown, third?: unknown): unknown => {
        const callback = asCallback(second, third);
        const options = toOptions(first, second);
        if (callback === undefined || options === undefined) {
          // Without a callback it is a stream of rows, or a command of the driver's own that has its listeners.
          const sql = readProperty(first, 'sql');
          const text = options?.sql ?? (typeof sql === 'string' ? sql : undefined);
          refuseUnseenWrite(text, 'a stream of this connection', engine);
          return Reflect.apply(own[method], connection, [first, second, third]);
        }
        callBack(
          callback,
          run(method, options).then(({ answer, fields }) => [answer, fields]),
        );
        return COMMAND;
      },
    });
  }
}

/** What is left of the command that mysql2 returns, for those who give a callback. */
const COMMAND = Object.freeze({
  setMaxListeners: () => COMMAND,
  on: () => COMMAND,
  once: () => COMMAND,
});

/** A list that stands for several values, and what could be taken for one, are written out: the engine sees no other text. */
function writeOut(options: Options, connection: Mysql2Connection): Options {
  const { sql, values } = options;
  if (values === undefined) return options;
  const isPlain =
    Array.isArray(values) && values.every((value) => !isSeveral(value)) && !QUOTED_MARK.test(sql);
  if (isPlain) return options;
  return { ...options, sql: writtenOut(options, connection), values: undefined };
}

function isSeveral(value: unknown): boolean {
  const isOne =
    value === null || typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array;
  return !isOne;
}

function writtenOut({ sql, values = [] }: Options, connection: Mysql2Connection): string {
  return String(connection.format(sql, values));
}

/** An error tells the statement, and it is not ours. */
function withOwnText(error: unknown, sql: string): unknown {
  if (typeof error === 'object' && error !== null && 'sql' in error) error.sql = sql;
  return error;
}

/** @param header to make one of its class */
function cut(
  { answer, fields }: Answer,
  rewritten: Rewritten,
  header: Header | undefined,
  isArray: boolean,
): { result: Answer; rows: EngineRows } {
  const isRows = rewritten.columns > 0 && Array.isArray(answer) && Array.isArray(fields);
  const answered = isRows ? answer.filter((row) => Array.isArray(row)) : undefined;
  const { rows, kept, told } = partAnswer(answered, rewritten);
  if (told !== undefined) {
    const made = Object.assign(Object.create(Object.getPrototypeOf(header ?? {})), {
      fieldCount: 0,
      affectedRows: told.count,
      insertId: toId(told.insertId ?? 0n),
      info: '',
      serverStatus: header?.serverStatus ?? FIRST_STATUS,
      warningStatus: 0,
      changedRows: 0,
    });
    return { result: { answer: made, fields: undefined }, rows };
  }
  if (kept === undefined || !Array.isArray(fields)) return { result: { answer, fields }, rows };
  const left = fields.slice(0, fields.length - rewritten.columns);
  const names = left.map((field) => String(readProperty(field, 'name')));
  return { result: { answer: isArray ? kept : toObjects(names, kept), fields: left }, rows };
}

/** As mysql2 gives it with `supportBigNumbers`. */
function toId(id: bigint): number | string {
  return Number.isSafeInteger(Number(id)) ? Number(id) : String(id);
}

/** The engine's own way to the database. */
function createConnection(send: (method: Method, options: Options) => Promise<Answer>): CaptureConnection {
  const run = async (sql: string, params: readonly SqlValue[]): Promise<unknown> => {
    const values = params.map((value) => (typeof value === 'bigint' ? String(value) : toDriverValue(value)));
    return (await send('query', { sql, ...(values.length === 0 ? {} : { values }), ...AS_IT_IS })).answer;
  };
  return {
    query: async (sql, params = []) => {
      const answer = await run(sql, params);
      return Array.isArray(answer) ? answer.filter((row) => Array.isArray(row)) : [];
    },
    execute: async (sql, params = []) => {
      const answer = await run(sql, params);
      return isHeader(answer) ? answer.affectedRows : 0;
    },
  };
}

function toOptions(first: unknown, second: unknown): Options | undefined {
  const values = typeof second === 'function' || second === undefined ? {} : { values: second };
  if (typeof first === 'string') return { sql: first, ...values };
  const isCommand = typeof readProperty(first, 'on') === 'function';
  if (isCommand || typeof readProperty(first, 'sql') !== 'string') return undefined;
  return { ...Object(first), ...values };
}

function isHeader(answer: unknown): answer is Header {
  return (
    typeof readProperty(answer, 'affectedRows') === 'number' &&
    typeof readProperty(answer, 'serverStatus') === 'number'
  );
}

function isMysql2(connection: object): connection is Mysql2Connection {
  const methods = ['query', 'execute', 'format', 'unprepare'];
  return methods.every((name) => typeof readProperty(connection, name) === 'function');
}
