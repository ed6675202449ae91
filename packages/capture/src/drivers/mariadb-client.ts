import type { CaptureEngine } from '../capture-engine.js';
import type { CaptureConnection, EngineRows, ExecuteAs, Rewritten, SqlValue } from '../dialect.js';
import { takeJoin } from '../joined-events.js';
import { unsupportedDriver } from './driver-refusals.js';
import { isInTransaction, partAnswer, toObjects } from './mysql-answer.js';
import { readProperty } from './read-property.js';
import { lengthOf, toDriverValue } from './sent-values.js';
import { noteSteered, tryGetSteered } from './steered-clients.js';

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
 * Puts the engine between a connection of the mariadb driver and whoever has it: its `query` and `execute` take and give what they
 * always did. A connection that is steered already stays as it is.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` for another connection
 */
export function steerMariadb(connection: object, engine: CaptureEngine): void {
  if (tryGetSteered(connection) !== undefined) return;
  if (!isMariadb(connection)) {
    throw unsupportedDriver(
      engine,
      'the connection is none of the mariadb driver',
      'Use the package mariadb as the driver.',
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

  const run = async (method: Method, options: Options, values: unknown): Promise<unknown> => {
    if (takeJoin(options.sql, steered.open)) return [];
    const executeAs = async (rewritten: Rewritten) => {
      const form = { ...options, sql: rewritten.sql, ...(rewritten.columns === 0 ? {} : AS_ARRAYS) };
      return cut(await send(method, form, values), rewritten, last);
    };
    const known: ExecuteAs<unknown> = Object.assign(executeAs, { inputLength: lengthOf(values) });
    return steered.run(options.sql, () => send(method, options, values), known);
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
      throw unsupportedDriver(
        engine,
        `what ${name}() of this connection writes would pass the audit by`,
        'Send it with query().',
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
): { result: unknown; rows: EngineRows } {
  const isRows = rewritten.columns > 0 && Array.isArray(answer);
  const { rows, kept, told } = partAnswer(isRows ? (answer as unknown[][]) : undefined, rewritten);
  if (told !== undefined) {
    const made = Object.assign(Object.create(Object.getPrototypeOf(done ?? {})), {
      affectedRows: told.count,
      insertId: toId(told.insertId ?? 0n, readProperty(done, 'insertId')),
      warningStatus: 0,
    });
    return { result: made, rows };
  }
  if (kept === undefined) return { result: answer, rows };
  const meta: unknown = readProperty(answer, 'meta');
  const left = Array.isArray(meta) ? meta.slice(0, meta.length - rewritten.columns) : [];
  const names = left.map((column) => String(Reflect.apply(Object(column).name, column, [])));
  const own = Object.getOwnPropertyDescriptor(answer, 'meta');
  return { result: Object.defineProperty(toObjects(names, kept), 'meta', { ...own, value: left }), rows };
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
    const values = params.map(toDriverValue);
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

function toOptions(first: unknown): Options {
  return typeof first === 'string' ? { sql: first } : { ...Object(first) };
}

function isDone(answer: unknown): answer is { readonly affectedRows: number } {
  return typeof readProperty(answer, 'affectedRows') === 'number' && !Array.isArray(answer);
}

function isMariadb(connection: object): connection is MariadbConnection {
  return (
    ['query', 'execute'].every((name) => typeof readProperty(connection, name) === 'function') &&
    typeof readProperty(readProperty(connection, 'info'), 'status') === 'number'
  );
}
