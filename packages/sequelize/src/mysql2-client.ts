import type { CaptureConnection, CaptureEngine, ExecuteAs, Rewritten, SqlValue } from '@indelible/capture';
import { FIRST_STATUS, isInTransaction, partAnswer } from './mysql-status.js';
import { read, unsupported } from './reach-sequelize.js';
import { noteSteered } from './steered-connections.js';

type Callback = (error: unknown, answer?: unknown, fields?: unknown) => void;
type Method = 'query' | 'execute';

/** A connection of mysql2 with callbacks, as far as it is used here. */
interface Mysql2Connection {
  query(options: object, callback: Callback): unknown;
  execute(options: object, callback: Callback): unknown;
  /** Closes a prepared statement on the server. */
  unprepare(options: object): unknown;
}

interface Options {
  readonly sql: string;
  readonly values?: unknown;
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

/**
 * Puts the engine between Sequelize and a connection of mysql2: its `query` and `execute` take and give what they always did.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` for another connection
 */
export function steerMysql2(connection: object, engine: CaptureEngine): void {
  if (!isMysql2(connection)) {
    throw unsupported('the connection is none of mysql2', 'Use the package mysql2 as dialectModule.');
  }
  const own = {
    query: connection.query.bind(connection),
    execute: connection.execute.bind(connection),
  };
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

  const run = (method: Method, options: Options): Promise<Answer> => {
    const executeAs: ExecuteAs<Answer> = async (rewritten: Rewritten) => {
      const form = { ...options, sql: rewritten.sql, ...(rewritten.columns === 0 ? {} : AS_ARRAYS) };
      try {
        return cut(await send(method, form), rewritten, last);
      } finally {
        // Each of them is another text, and the driver would keep them all.
        if (method === 'execute') connection.unprepare(form);
      }
    };
    return steered.run(options.sql, () => send(method, options), executeAs);
  };
  for (const method of ['query', 'execute'] as const) {
    Object.defineProperty(connection, method, {
      configurable: true,
      writable: true,
      value: (first: unknown, second?: unknown, third?: unknown): unknown => {
        const callback = [second, third].find((each) => typeof each === 'function');
        const options = toOptions(first, second);
        if (typeof callback !== 'function' || options === undefined) {
          throw unsupported(
            'what this connection streams would pass the audit by',
            'Give a callback, or use sequelize.query().',
          );
        }
        run(method, options).then(
          ({ answer, fields }) => callLater(() => Reflect.apply(callback, undefined, [null, answer, fields])),
          (error: unknown) => callLater(() => Reflect.apply(callback, undefined, [error])),
        );
        return COMMAND;
      },
    });
  }
}

const AS_ARRAYS = { rowsAsArray: true };

/** What is left of the command that mysql2 returns, for those who give a callback. */
const COMMAND = Object.freeze({
  setMaxListeners: () => COMMAND,
  on: () => COMMAND,
  once: () => COMMAND,
});

/** @param header to make one of its class */
function cut(
  { answer, fields }: Answer,
  rewritten: Rewritten,
  header: Header | undefined,
): { result: Answer; rows: readonly (readonly unknown[])[] } {
  const isRows = rewritten.columns > 0 && Array.isArray(answer);
  const { rows, kept, told } = partAnswer(isRows ? (answer as unknown[][]) : undefined, rewritten);
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
  if (kept === undefined) return { result: { answer, fields }, rows };
  const left = (Array.isArray(fields) ? fields : []).slice(0, kept[0]?.length ?? 0);
  const objects = kept.map((row) =>
    Object.fromEntries(left.map((field, at) => [String(read(field, 'name')), row[at]])),
  );
  return { result: { answer: objects, fields: left }, rows };
}

/** As mysql2 gives it with `supportBigNumbers`. */
function toId(id: bigint): number | string {
  return Number.isSafeInteger(Number(id)) ? Number(id) : String(id);
}

function createConnection(send: (method: Method, options: Options) => Promise<Answer>): CaptureConnection {
  const run = async (sql: string, params: readonly SqlValue[]): Promise<unknown> => {
    const values = params.map((value) => (value instanceof Uint8Array ? toBuffer(value) : value));
    return (await send('query', { sql, ...(values.length === 0 ? {} : { values }), ...AS_ARRAYS })).answer;
  };
  return {
    query: async (sql, params = []) => {
      const answer = await run(sql, params);
      return Array.isArray(answer) ? answer : [];
    },
    execute: async (sql, params = []) => {
      const answer = await run(sql, params);
      return isHeader(answer) ? answer.affectedRows : 0;
    },
  };
}

function toBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function toOptions(first: unknown, second: unknown): Options | undefined {
  const values = typeof second === 'function' || second === undefined ? {} : { values: second };
  if (typeof first === 'string') return { sql: first, ...values };
  if (typeof first !== 'object' || first === null || typeof read(first, 'sql') !== 'string') return undefined;
  return { ...first, ...values } as Options;
}

/** What a callback throws is nobody's to catch, as with the driver itself. */
function callLater(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function isHeader(answer: unknown): answer is Header {
  return typeof read(answer, 'affectedRows') === 'number' && typeof read(answer, 'serverStatus') === 'number';
}

function isMysql2(connection: object): connection is Mysql2Connection {
  return ['query', 'execute', 'unprepare'].every((name) => typeof read(connection, name) === 'function');
}
