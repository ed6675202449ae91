import {
  type CaptureConnection,
  type CaptureEngine,
  type EngineRows,
  type Rewritten,
  type SqlValue,
  type SteeredConnection,
  takeJoin,
} from '@indelible/capture';
import { lengthOf, toObject } from './answer-rows.js';
import { readObject, readText, refuseUnseenWrite, unsupported } from './reach.js';

/** What node-postgres answers to one statement. */
interface PgResult {
  command: string | null;
  rowCount: number | null;
  fields: { readonly name: string }[];
  rows: unknown[];
}

type Callback = (error: unknown, result?: unknown) => void;
type Send = (...args: readonly unknown[]) => unknown;

const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

/** A driver's object that has its engine already. */
const audited = new WeakSet<object>();

/**
 * Puts the engine between a client of node-postgres and whoever has it: all that is given to its `query` runs through the
 * engine, and the answers and errors are those that it would have given.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` where its `query` can not be replaced
 */
export function auditPostgresClient(client: object, engine: CaptureEngine): void {
  if (audited.has(client)) return;
  const own: unknown = Reflect.get(client, 'query');
  if (typeof own !== 'function') throw unsupported('the connection of the driver has no query()');
  const send: Send = (...args) => Reflect.apply(own, client, args) as unknown;
  const isSet = Reflect.defineProperty(client, 'query', {
    configurable: true,
    writable: true,
    value: createQuery(send, engine, engine.steered(createConnection(send))),
  });
  if (!isSet) throw unsupported('the query() of the connection can not be replaced');
  audited.add(client);
}

/** `client.query(text | config, values?, callback?)`. */
function createQuery(send: Send, engine: CaptureEngine, steered: SteeredConnection): Send {
  return (config, values, callback) => {
    const text = typeof config === 'string' ? config : textOf(config);
    if (text === undefined) {
      refuseUnseenWrite(submittedText(config), engine);
      return send(config, values, callback);
    }
    const given = typeof values === 'function' ? undefined : values;
    const query = toConfig(config, text, given);
    const answer = run(text, query, () => send(config, given) as Promise<unknown>, send, steered);
    const done = typeof values === 'function' ? values : callback;
    if (typeof done !== 'function') return answer;
    answer.then(
      (result) => (done as Callback)(null, result),
      (error: unknown) => (done as Callback)(error),
    );
    return undefined;
  };
}

async function run(
  text: string,
  query: QueryConfig,
  execute: () => Promise<unknown>,
  send: Send,
  steered: SteeredConnection,
): Promise<unknown> {
  if (takeJoin(text, steered.open))
    return { command: 'SELECT', rowCount: 1, oid: null, fields: [], rows: [] };
  const executeAs = async (rewritten: Rewritten): Promise<{ result: unknown; rows: EngineRows }> => {
    // A name is that of a statement that is prepared with the caller's text.
    const { name: _, ...rest } = query;
    const sent = send({ ...rest, text: rewritten.sql, rowMode: 'array' }) as Promise<unknown>;
    const result = await sent.catch((error: unknown) => {
      throw placeError(error, text, rewritten.sql);
    });
    if (!isResult(result)) return { result, rows: [] };
    return { result, rows: cutResult(result, rewritten, query.rowMode === 'array') };
  };
  return steered.run(text, execute, Object.assign(executeAs, { inputLength: lengthOf(query.values) }));
}

interface QueryConfig {
  readonly text: string;
  readonly name?: unknown;
  readonly values?: unknown;
  readonly rowMode?: unknown;
}

function toConfig(config: unknown, text: string, values: unknown): QueryConfig {
  const own = typeof config === 'object' ? config : {};
  return { ...own, text, ...(values === undefined ? {} : { values }) };
}

/** The text of a plain object; undefined for what submits itself. */
function textOf(config: unknown): string | undefined {
  if (typeof config !== 'object' || config === null || !('text' in config)) return undefined;
  if ('submit' in config && typeof config.submit === 'function') return undefined;
  return typeof config.text === 'string' ? config.text : undefined;
}

/** An error points at a character of the statement: at the same one of the caller's text, or at none. */
function placeError(error: unknown, text: string, sent: string): unknown {
  if (typeof error !== 'object' || error === null || !('position' in error)) return error;
  let same = 0;
  while (same < text.length && text[same] === sent[same]) same += 1;
  if (Number(error.position) > same) error.position = undefined;
  return error;
}

/** The text of what sends its statement and reads the answer by itself: a cursor, a stream, a copy. */
function submittedText(query: unknown): string | undefined {
  if (typeof query !== 'object' || query === null) return undefined;
  return readText(query, 'text') ?? readText(readObject(query, 'cursor') ?? {}, 'text');
}

/**
 * Leaves in the answer what the caller's own statement would have given.
 * @returns the engine's columns of each row
 */
function cutResult(result: PgResult, rewritten: Rewritten, isArray: boolean): unknown[][] {
  const { columns, returnsRows, count, command } = rewritten;
  const rows = result.rows.filter((row) => Array.isArray(row));
  const kept = returnsRows ? result.fields.length - columns : 0;
  const start = Math.max(0, result.fields.length - columns);
  const cut = rows.map((row) => row.slice(start));
  result.fields = result.fields.slice(0, kept);
  const names = result.fields.map(({ name }) => name);
  result.rows = !returnsRows ? [] : rows.map((row) => (isArray ? row.slice(0, kept) : toObject(names, row)));
  if (count !== undefined) result.rowCount = Number(cut[0]?.[count] ?? 0);
  if (command !== undefined) result.command = command;
  return cut;
}

/** The engine's own way to the database: values as the server writes them. */
function createConnection(send: Send): CaptureConnection {
  const ask = async (text: string, params: readonly SqlValue[] = []): Promise<PgResult | undefined> => {
    const values = params.length === 0 ? {} : { values: params.map(toValue) };
    const answer = await (send({ text, rowMode: 'array', types: AS_TEXT, ...values }) as Promise<unknown>);
    const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer;
    return isResult(last) ? last : undefined;
  };
  return {
    query: async (sql, params) => (await ask(sql, params))?.rows.filter((row) => Array.isArray(row)) ?? [],
    execute: async (sql, params) => (await ask(sql, params))?.rowCount ?? 0,
  };
}

function toValue(value: SqlValue): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

function isResult(value: unknown): value is PgResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    'rows' in value &&
    Array.isArray(value.rows) &&
    'fields' in value &&
    Array.isArray(value.fields)
  );
}
