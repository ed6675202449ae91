import type {
  CaptureConnection,
  CaptureEngine,
  ExecuteAs,
  Rewritten,
  SqlValue,
  SteeredConnection,
} from '@indelible/capture';
import { answerCreate, readCreate } from './pg-create.js';
import { cutResult, type PgResult, RAW_TYPES, type TypeParsers } from './pg-result.js';
import { read, unsupported } from './reach-sequelize.js';
import { noteSteered } from './steered-connections.js';

type Callback = (error: unknown, result?: unknown) => void;

/** What a client of node-postgres takes for one statement. */
interface QueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly rowMode?: unknown;
  readonly types?: TypeParsers;
}

/** A client of node-postgres, as far as it is used here. */
interface PgClient extends TypeParsers {
  query(config: object, callback?: Callback): unknown;
  readonly connection: { on(event: 'readyForQuery', listener: (message: unknown) => void): unknown };
}

/** A query object of node-postgres or of an extension of it (a cursor, COPY). */
interface Submittable {
  submit(connection: unknown): unknown;
  handleError(error: unknown, connection: unknown): unknown;
}

const BOOLEAN = 16;

/** What the engine reads: text as the server sends it, and booleans. */
const ENGINE_TYPES: TypeParsers = {
  getTypeParser: (oid) => (oid === BOOLEAN ? (value) => value === 't' : (value) => value),
};

/**
 * Puts the engine between Sequelize and a client of node-postgres: its `query` takes and gives what it always did.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` for another client
 */
export function steerPgClient(client: object, engine: CaptureEngine): void {
  if (!isPgClient(client)) {
    throw unsupported('the connection is no client of node-postgres', 'Use the package pg as dialectModule.');
  }
  if (read(client, 'binary') === true) {
    throw unsupported(
      'node-postgres is set to binary values, of which no images are made',
      'Leave `binary` out of dialectOptions.',
    );
  }
  // As it is now: somebody else may stand in between too.
  const query = client.query.bind(client);
  const send = (config: object): Promise<PgResult> =>
    new Promise((resolve, reject) => {
      query(config, (error, result) => (error ? reject(error) : resolve(result as PgResult)));
    });
  let status: unknown = 'I';
  client.connection.on('readyForQuery', (message) => {
    status = read(message, 'status');
  });
  const isInTransaction = (): boolean => status === 'T' || status === 'E';
  const steered = engine.steered(createConnection(send), isInTransaction);
  noteSteered(client, steered);
  const statement = (config: QueryConfig) => statementOf(config, send, client);
  const run = async (config: QueryConfig): Promise<unknown> => {
    const create = readCreate(config.text);
    const give = await steered.together(async (step) => {
      if (create === undefined || !isInTransaction()) return step(...statement(config));
      const answer = await answerCreate(create, step, statement);
      return () => answer;
    });
    return give();
  };
  Object.defineProperty(client, 'query', {
    configurable: true,
    writable: true,
    value: (first: unknown, second?: unknown, third?: unknown): unknown => {
      const callback = asCallback(second) ?? asCallback(third) ?? asCallback(read(first, 'callback'));
      if (isSubmittable(first)) {
        return submitInTurn(first, steered, client, () => query(first, callback));
      }
      const config = toConfig(first, second);
      // What it can not be is said by the client itself.
      if (config === undefined) return query(Object(first), callback);
      const result = run(config);
      if (callback === undefined) return result;
      result.then(
        (value) => callLater(() => callback(null, value)),
        (error: unknown) => callLater(() => callback(error)),
      );
      return undefined;
    },
  });
}

/** A statement of the caller, as it is and as the engine may want it. */
function statementOf(
  config: QueryConfig,
  send: (config: object) => Promise<PgResult>,
  client: TypeParsers,
): readonly [string, () => Promise<() => unknown>, ExecuteAs<() => unknown>] {
  const { text, values, types = client, rowMode } = config;
  const execute = async () => {
    const result = await send(config);
    return () => result;
  };
  const executeAs = async (rewritten: Rewritten) => {
    const form = { text: rewritten.sql, values, rowMode: 'array', types: RAW_TYPES };
    const result = await send(form).catch((error: unknown) => {
      throw placeError(error, text, rewritten.sql);
    });
    return cutResult(result, rewritten, types, rowMode === 'array');
  };
  return [text, execute, Object.assign(executeAs, { inputLength: lengthOf(values) })];
}

/** An error points at a character of the statement: at the same one of the caller's text, or, behind what was added, at none. */
function placeError(error: unknown, text: string, sent: string): unknown {
  const position = Number(read(error, 'position'));
  let same = 0;
  while (same < text.length && text[same] === sent[same]) same += 1;
  if (position > same + 1) Reflect.set(Object(error), 'position', undefined);
  return error;
}

/** @returns undefined for what is no statement */
function toConfig(first: unknown, second: unknown): QueryConfig | undefined {
  const values = Array.isArray(second) ? { values: second as readonly unknown[] } : {};
  if (typeof first === 'string') return { text: first, ...values };
  if (typeof first !== 'object' || first === null || typeof read(first, 'text') !== 'string')
    return undefined;
  const { callback: _, ...config } = { ...first, ...values } as QueryConfig & { callback?: unknown };
  return config;
}

/**
 * A query object writes and reads its messages itself, so nobody else sees its rows: what it may write is marked. It waits
 * for its turn.
 */
function submitInTurn(
  submittable: Submittable,
  steered: SteeredConnection,
  client: PgClient,
  submit: () => unknown,
): Submittable {
  const text = read(submittable, 'text') ?? read(read(submittable, 'cursor'), 'text');
  const noted = steered.run(typeof text === 'string' ? text : '', async () => undefined);
  noted.then(submit).catch((error: unknown) => submittable.handleError(error, client.connection));
  return submittable;
}

function createConnection(send: (config: object) => Promise<PgResult>): CaptureConnection {
  const run = (text: string, params: readonly SqlValue[]): Promise<PgResult> => {
    const values = params.map((value) => (value instanceof Uint8Array ? toBuffer(value) : value));
    return send({ text, ...(values.length === 0 ? {} : { values }), rowMode: 'array', types: ENGINE_TYPES });
  };
  return {
    query: async (sql, params = []) => (await run(sql, params)).rows as unknown[][],
    execute: async (sql, params = []) => (await run(sql, params)).rowCount ?? 0,
  };
}

function toBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + lengthOf(item), value.length) : 8;
}

/** What a callback throws is nobody's to catch, as with the client itself. */
function callLater(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function asCallback(value: unknown): Callback | undefined {
  return typeof value === 'function'
    ? (error, result) => Reflect.apply(value, undefined, [error, result])
    : undefined;
}

function isSubmittable(value: unknown): value is Submittable {
  return typeof read(value, 'submit') === 'function';
}

function isPgClient(client: object): client is PgClient {
  return (
    typeof read(client, 'query') === 'function' &&
    typeof read(client, 'getTypeParser') === 'function' &&
    typeof read(read(client, 'connection'), 'on') === 'function'
  );
}
