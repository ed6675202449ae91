import type { CaptureEngine } from '../capture-engine.js';
import type { CaptureConnection, ExecuteAs, Rewritten, SqlValue } from '../dialect.js';
import { takeJoin } from '../joined-events.js';
import type { RunStatement } from '../steered-connection.js';
import { asCallback, callBack } from './call-back.js';
import { unsupportedDriver } from './driver-refusals.js';
import type { HoldingClient } from './holding-client.js';
import { cutResult, type PgResult, RAW_TYPES, type TypeParsers } from './pg-result.js';
import { isSubmittable, submitInTurn } from './pg-submittable.js';
import { PreparedNames } from './prepared-names.js';
import { readProperty } from './read-property.js';
import { lengthOf, toDriverValue } from './sent-values.js';
import { noteSteered, tryGetSteered } from './steered-clients.js';
import { tryHold } from './try-hold.js';

/** What a client of node-postgres takes for one statement. */
export interface PgStatement {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly rowMode?: unknown;
  readonly types?: TypeParsers;
}

type Callback = (error: unknown, result?: unknown) => void;

/** A client of node-postgres, as far as it is used here. */
interface PgClient extends TypeParsers {
  query(config: object, callback?: Callback): unknown;
  readonly connection: { on(event: 'readyForQuery', listener: (message: unknown) => void): unknown };
}

/** A statement of the caller's as `RunStatement` takes it. */
export type PgRunnable = readonly [
  sql: string,
  execute: () => Promise<() => unknown>,
  executeAs: ExecuteAs<() => unknown>,
];

/**
 * Answers a text of the caller's by other statements.
 * @param run runs them, with nobody else's in between
 * @returns undefined where the text is to run as it is
 */
export type AnswerPg = (
  sql: string,
  run: RunStatement,
  runnable: (statement: PgStatement) => PgRunnable,
) => Promise<unknown> | undefined;

const BOOLEAN = 16;

/** What the engine reads: text as the server sends it, and booleans. */
const ENGINE_TYPES: TypeParsers = {
  getTypeParser: (oid) => (oid === BOOLEAN ? (value) => value === 't' : (value) => value),
};

const JOINED: PgResult = { command: 'SELECT', rowCount: 1, oid: null, fields: [], rows: [] };
/** Ends a transaction and does nothing more: what is held back for COMMIT may go with it. */
const PLAIN_END = /^\s*(COMMIT|ROLLBACK)\s*;?\s*$/i;

/**
 * Puts the engine between a client of node-postgres and whoever has it: its `query` takes and gives what it always did, and a
 * write outside of a transaction costs two round trips. A client that is steered already stays as it is.
 *
 * @param answer what within an open transaction is answered in another way
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` for another client, and for one with binary values
 */
export function steerPgClient(client: object, engine: CaptureEngine, answer?: AnswerPg): void {
  if (tryGetSteered(client) !== undefined) return;
  if (!isPgClient(client)) {
    throw unsupportedDriver(
      engine,
      'the connection is no client of node-postgres',
      'Use the package pg as the driver.',
    );
  }
  if (readProperty(client, 'binary') === true) {
    throw unsupportedDriver(
      engine,
      'node-postgres is set to binary values, of which no images are made',
      'Leave `binary` out of the settings of the driver.',
    );
  }
  // As it is now: somebody else may stand in between too.
  const query = client.query.bind(client);
  const names = new PreparedNames();
  const holding = tryHold(client, names, { isLate: false, mayRunAgain: false }, (config) => query(config));
  const send = async (statement: PgStatement & { readonly isOne?: boolean }): Promise<PgResult> =>
    (holding ?? { query }).query(statement) as Promise<PgResult>;
  let status: unknown = 'I';
  client.connection.on('readyForQuery', (message) => {
    status = readProperty(message, 'status');
  });
  const isInTransaction = (): boolean => status === 'T' || status === 'E';
  const steered = engine.steered(createConnection(send, holding), isInTransaction);
  noteSteered(client, steered);
  const runnable = (statement: PgStatement): PgRunnable => runnableOf(statement, send, client);
  const run = async (statement: PgStatement): Promise<unknown> => {
    if (takeJoin(statement.text, steered.open)) return JOINED;
    if (answer === undefined) return (await steered.run(...runnable(statement)))();
    const give = await steered.together(async (step) => {
      const other = isInTransaction() ? answer(statement.text, step, runnable) : undefined;
      if (other === undefined) return step(...runnable(statement));
      const answered = await other;
      return () => answered;
    });
    return give();
  };
  Object.defineProperty(client, 'query', {
    configurable: true,
    writable: true,
    value: (first: unknown, second?: unknown, third?: unknown): unknown => {
      const callback = asCallback(second, third, readProperty(first, 'callback'));
      if (isSubmittable(first)) {
        const sendOne = async (): Promise<void> => {
          await holding?.sendAhead();
          query(first, callback);
        };
        submitInTurn(first, client, sendOne, (sql, execute) => steered.run(sql, execute));
        return first;
      }
      const statement = toStatement(first, second);
      // What it can not be is said by the client itself.
      if (statement === undefined) return query(Object(first), callback);
      const result = run(statement);
      if (callback === undefined) return result;
      callBack(
        callback,
        result.then((value) => [value]),
      );
      return undefined;
    },
  });
}

/** A statement of the caller, as it is and as the engine may want it. */
function runnableOf(
  given: PgStatement,
  send: (statement: PgStatement & { readonly isOne?: boolean }) => Promise<PgResult>,
  client: TypeParsers,
): PgRunnable {
  const { text, values, types = client, rowMode } = given;
  const end = PLAIN_END.exec(text)?.[1];
  const own = end === undefined ? given : { ...given, text: end.toUpperCase() };
  const execute = async () => {
    const result = await send(own);
    return () => result;
  };
  const executeAs = async (rewritten: Rewritten) => {
    const isOne = rewritten.parts === undefined;
    const form = { text: rewritten.sql, rowMode: 'array', types: RAW_TYPES, isOne };
    const sent = send(values === undefined ? form : { ...form, values });
    const result = await sent.catch((error: unknown) => {
      throw placeError(error, text, rewritten.sql);
    });
    return cutResult(result, rewritten, types, rowMode === 'array');
  };
  return [own.text, execute, Object.assign(executeAs, { inputLength: lengthOf(values) })];
}

/** An error points at a character of the statement: at the same one of the caller's text, or, behind what was added, at none. */
function placeError(error: unknown, text: string, sent: string): unknown {
  const position = Number(readProperty(error, 'position'));
  let same = 0;
  while (same < text.length && text[same] === sent[same]) same += 1;
  if (position > same + 1) Reflect.set(Object(error), 'position', undefined);
  return error;
}

/** @returns undefined for what is no statement */
function toStatement(first: unknown, second: unknown): PgStatement | undefined {
  const values = Array.isArray(second) ? { values: second as readonly unknown[] } : {};
  if (typeof first === 'string') return { text: first, ...values };
  if (typeof readProperty(first, 'text') !== 'string') return undefined;
  const { callback: _, ...statement } = { ...Object(first), ...values };
  return statement;
}

/** The engine's own way to the database. */
function createConnection(
  send: (statement: PgStatement) => Promise<PgResult>,
  holding: HoldingClient | undefined,
): CaptureConnection {
  const run = (text: string, params: readonly SqlValue[]): Promise<PgResult> => {
    const values = params.length === 0 ? {} : { values: params.map(toDriverValue) };
    return send({ text, ...values, rowMode: 'array', types: ENGINE_TYPES });
  };
  const query: CaptureConnection['query'] = async (sql, params = []) =>
    (await run(sql, params)).rows.filter((row) => Array.isArray(row));
  const execute: CaptureConnection['execute'] = async (sql, params = []) =>
    (await run(sql, params)).rowCount ?? 0;
  if (holding === undefined) return { query, execute };
  return {
    query,
    execute: async (sql, params = []) => {
      if (sql !== 'BEGIN') return execute(sql, params);
      holding.beginLate();
      return 0;
    },
    hold: (sql, params) => holding.hold(sql, params),
    ahead: (sql, params) => holding.ahead(sql, () => query(sql, params)),
    tell: (sql, params) => holding.tell(sql, params),
    behind: (sql, params) => holding.behind(sql, () => query(sql, params)),
  };
}

function isPgClient(client: object): client is PgClient {
  return (
    typeof readProperty(client, 'query') === 'function' &&
    typeof readProperty(client, 'getTypeParser') === 'function' &&
    typeof readProperty(readProperty(client, 'connection'), 'on') === 'function'
  );
}
