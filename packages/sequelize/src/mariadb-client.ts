import type { CaptureConnection, CaptureEngine, ExecuteAs, Rewritten, SqlValue } from '@indelible/capture';
import { isInTransaction, partAnswer } from './mysql-status.js';
import { read, unsupported } from './reach-sequelize.js';
import { noteSteered } from './steered-connections.js';

type Method = 'query' | 'execute';

/** A connection of the mariadb driver with promises, as far as it is used here. */
interface MariadbConnection {
  query(options: object, values?: unknown): Promise<unknown>;
  execute(options: object, values?: unknown): Promise<unknown>;
  readonly info: { readonly status: number };
}

interface Options {
  readonly sql: string;
}

/** What writes or may write, and gives nobody else its rows. */
const OUT_OF_REACH = ['batch', 'importFile', 'prepare', 'queryStream'] as const;
const STEERING = { beginTransaction: 'START TRANSACTION', commit: 'COMMIT', rollback: 'ROLLBACK' } as const;

/**
 * Puts the engine between Sequelize and a connection of the mariadb driver: its `query` and `execute` take and give what they
 * always did.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` for another connection
 */
export function steerMariadb(connection: object, engine: CaptureEngine): void {
  if (!isMariadb(connection)) {
    throw unsupported(
      'the connection is none of the mariadb driver',
      'Use the package mariadb as dialectModule.',
    );
  }
  const own = { query: connection.query.bind(connection), execute: connection.execute.bind(connection) };
  // Its class and the type of its keys are not to be had in another way.
  let last: object | undefined;
  const send = async (method: Method, options: Options, values: unknown): Promise<unknown> => {
    const answer = await own[method](options, values);
    if (isDone(answer)) last = answer;
    return answer;
  };
  const steered = engine.steered(createConnection(send), () => isInTransaction(connection.info.status));
  noteSteered(connection, steered);

  const run = (method: Method, options: Options, values: unknown): Promise<unknown> => {
    const executeAs: ExecuteAs<unknown> = async (rewritten: Rewritten) => {
      const form = { ...options, sql: rewritten.sql, ...(rewritten.columns === 0 ? {} : AS_ARRAYS) };
      return cut(await send(method, form, values), rewritten, last);
    };
    return steered.run(options.sql, () => send(method, options, values), executeAs);
  };
  const define = (name: string, value: (...args: unknown[]) => unknown): void => {
    Object.defineProperty(connection, name, { configurable: true, writable: true, value });
  };
  for (const method of ['query', 'execute'] as const) {
    define(method, (first, values) => run(method, toOptions(first), values));
  }
  for (const [name, sql] of Object.entries(STEERING)) define(name, () => run('query', { sql }, undefined));
  for (const name of OUT_OF_REACH) {
    define(name, () => {
      throw unsupported(
        `what ${name}() of this connection writes would pass the audit by`,
        'Use sequelize.query().',
      );
    });
  }
}

const AS_ARRAYS = { rowsAsArray: true };

/** @param done to make one of its class */
function cut(
  answer: unknown,
  rewritten: Rewritten,
  done: object | undefined,
): { result: unknown; rows: readonly (readonly unknown[])[] } {
  const isRows = rewritten.columns > 0 && Array.isArray(answer);
  const { rows, kept, told } = partAnswer(isRows ? (answer as unknown[][]) : undefined, rewritten);
  if (told !== undefined) {
    const made = Object.assign(Object.create(Object.getPrototypeOf(done ?? {})), {
      affectedRows: told.count,
      insertId: toId(told.insertId ?? 0n, read(done, 'insertId')),
      warningStatus: 0,
    });
    return { result: made, rows };
  }
  if (kept === undefined) return { result: answer, rows };
  const meta: unknown = read(answer, 'meta');
  const left = (Array.isArray(meta) ? meta : []).slice(0, kept[0]?.length ?? 0);
  const names = left.map((column) => String(Reflect.apply(Object(column).name, column, [])));
  const objects = kept.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])));
  const own = Object.getOwnPropertyDescriptor(answer, 'meta');
  return { result: Object.defineProperty(objects, 'meta', { ...own, value: left }), rows };
}

/** @param like as the driver gave the last one */
function toId(id: bigint, like: unknown): unknown {
  if (typeof like === 'bigint') return id;
  return Number.isSafeInteger(Number(id)) ? Number(id) : String(id);
}

function createConnection(
  send: (method: Method, options: Options, values: unknown) => Promise<unknown>,
): CaptureConnection {
  const run = async (sql: string, params: readonly SqlValue[]): Promise<unknown> => {
    const values = params.map((value) => (value instanceof Uint8Array ? toBuffer(value) : value));
    return send('query', { sql, ...AS_ARRAYS }, values.length === 0 ? undefined : values);
  };
  return {
    query: async (sql, params = []) => {
      const answer = await run(sql, params);
      return Array.isArray(answer) ? answer : [];
    },
    execute: async (sql, params = []) => {
      const answer = await run(sql, params);
      return isDone(answer) ? answer.affectedRows : 0;
    },
  };
}

function toBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function toOptions(first: unknown): Options {
  return typeof first === 'string' ? { sql: first } : { ...Object(first) };
}

function isDone(answer: unknown): answer is { readonly affectedRows: number } {
  return typeof read(answer, 'affectedRows') === 'number' && !Array.isArray(answer);
}

function isMariadb(connection: object): connection is MariadbConnection {
  return (
    ['query', 'execute'].every((name) => typeof read(connection, name) === 'function') &&
    typeof read(read(connection, 'info'), 'status') === 'number'
  );
}
