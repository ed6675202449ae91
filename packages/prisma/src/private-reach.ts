import {
  callersCount,
  cutParts,
  cutRows,
  type EngineRows,
  isCallersRow,
  type Rewritten,
  readProperty as read,
  type StatementAnswer,
  type StatementForm,
} from '@indelible/capture';
import { AuditError } from '@indelible/core';
import type { SqlAdapterFactory } from './driver-adapter.js';

/**
 * The driver-adapter factory that a client was made with. Prisma hands it to nobody, and no public way leads from an
 * extension to the connection.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function reachAdapterFactory(client: object): SqlAdapterFactory {
  const factory = read(read(client, '_engineConfig'), 'adapter');
  if (isFactory(factory)) return factory;
  throw unsupported('the driver adapter of this client can not be found');
}

/** The models, fields and their database names. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachDataModel(client: object): object {
  const dataModel = read(client, '_runtimeDataModel');
  if (typeof dataModel === 'object' && dataModel !== null && 'models' in dataModel) return dataModel;
  throw unsupported('the data model of this client can not be found');
}

const ENGINE_CALLS = ['request', 'requestBatch', 'transaction'] as const;

/**
 * Calls `check` once the client is connected, before its first operation. A client that had connected before it was
 * audited runs on a connection that nobody watches.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function beforeFirstOperation(client: object, check: () => void): void {
  const engine = read(client, '_engine');
  const start = read(engine, 'start');
  if (typeof engine !== 'object' || engine === null || typeof start !== 'function') {
    throw unsupported('the engine of this client can not be found');
  }
  const originals = ENGINE_CALLS.map((name) => [name, read(engine, name)] as const);
  for (const [name, original] of originals) {
    if (typeof original !== 'function') throw unsupported(`the engine of this client has no ${name}()`);
    Reflect.set(engine, name, async (...args: unknown[]): Promise<unknown> => {
      await Reflect.apply(start, engine, []);
      check();
      for (const [known] of originals) Reflect.deleteProperty(engine, known);
      return Reflect.apply(original, engine, args);
    });
  }
}

/** Has `work` done once a client, or one that is extended from it, has disconnected. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function afterDisconnect(client: object, work: () => Promise<void>): void {
  const original = read(client, '_originalClient');
  const disconnect = read(original, '$disconnect');
  if (typeof original !== 'object' || original === null || typeof disconnect !== 'function') {
    throw unsupported('this client has no $disconnect()');
  }
  Reflect.set(original, '$disconnect', async function (this: unknown): Promise<void> {
    await Reflect.apply(disconnect, this, []);
    await work();
  });
}

/**
 * Lets libsql make its errors without stacks. Its client makes one for every statement that gives no rows, and catches it,
 * and a stack costs more than preparing the statement. What it throws would hold the objects that its frames ran on:
 * Prisma's debug log keeps the last hundred errors, and a statement that met somebody else's lock stays in progress until
 * nobody holds it any more.
 * Where the driver is not found in its place nothing is lost but that.
 */
export function spareDriverStacks(queryable: object): void {
  const client = read(queryable, 'client');
  const execute = read(client, 'execute');
  if (typeof client !== 'object' || client === null || typeof execute !== 'function') return;
  // A statement runs within the call, so nobody else's error is made meanwhile.
  Reflect.set(client, 'execute', (...args: unknown[]): unknown => {
    const limit: unknown = Reflect.get(Error, 'stackTraceLimit');
    Reflect.set(Error, 'stackTraceLimit', 0);
    try {
      return Reflect.apply(execute, client, args) as unknown;
    } finally {
      Reflect.set(Error, 'stackTraceLimit', limit);
    }
  });
}

/** Has the answers to this very query object shown to `take`, before the adapter reads them: one for each statement of it. */
export type Intercept = (query: object, take: (answers: readonly DriverAnswer[]) => void) => void;

/** What a driver answers to one statement. */
export interface DriverAnswer {
  fields: unknown[];
  rows: unknown[][];
  rowCount?: number | null;
  /** What the caller's own statement would have answered in the place of rows. */
  told?: StatementAnswer;
}

/**
 * Looks at what node-postgres answers a transaction. The adapter's own methods give either rows or a count, and fail where
 * a column's type is none of Prisma's, after the statement has run.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function interceptAnswers(queryable: object): Intercept {
  const perform = reachPerform(queryable);
  const waiting = new WeakMap<object, (answers: readonly DriverAnswer[]) => void>();
  Reflect.set(queryable, 'performIO', async (query: object): Promise<unknown> => {
    const answer = await perform(query);
    waiting.get(query)?.((Array.isArray(answer) ? answer : [answer]).filter(isAnswer));
    return answer;
  });
  return (query, take) => {
    waiting.set(query, take);
  };
}

/** The method by which an adapter sends a statement to its driver. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachPerform(queryable: object): (query: object) => Promise<unknown> {
  const perform = read(queryable, 'performIO');
  if (typeof perform !== 'function') throw unsupported('the driver adapter has no performIO()');
  return async (query) => Reflect.apply(perform, queryable, [query]) as unknown;
}

/**
 * Leaves in the answers what the caller's own statements would have given.
 * @returns the engine's columns
 */
export function cutAnswers(
  answers: readonly DriverAnswer[],
  { parts, ...form }: Omit<Rewritten, 'sql'>,
): EngineRows {
  if (parts !== undefined) return cutParts(answers, parts, cutAnswer);
  const [answer, ...others] = answers;
  // Of several statements that run as they were written there is nothing to cut.
  return answer === undefined || others.length > 0 ? [] : cutAnswer(answer, form);
}

function cutAnswer(answer: DriverAnswer, form: StatementForm): EngineRows {
  const { columns, returnsRows, answer: tell } = form;
  const { rows, fields } = answer;
  const kept = returnsRows ? fields.length - columns : 0;
  const start = Math.max(0, fields.length - columns);
  const cut = columns === 0 ? [] : cutRows(rows, start);
  answer.fields = fields.slice(0, kept);
  if (!returnsRows) answer.rows = [];
  else if (form.own !== undefined) answer.rows = rows.filter((_, at) => isCallersRow(cut[at] ?? [], form));
  const count = callersCount(cut, form);
  if (count !== undefined) answer.rowCount = count;
  if (!returnsRows && tell !== undefined) answer.told = tell(cut);
  return cut;
}

/** The settings that a factory of `@prisma/adapter-pg` makes its pool with. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachPoolConfig(factory: object): object {
  const config = read(factory, 'config');
  if (typeof config === 'object' && config !== null) return config;
  throw unsupported('the settings of the driver adapter can not be found');
}

function isAnswer(value: unknown): value is DriverAnswer {
  return Array.isArray(read(value, 'fields')) && Array.isArray(read(value, 'rows'));
}

function isFactory(value: unknown): value is SqlAdapterFactory {
  return (
    typeof read(value, 'connect') === 'function' &&
    typeof read(value, 'adapterName') === 'string' &&
    typeof read(value, 'provider') === 'string'
  );
}

function unsupported(message: string): AuditError {
  return new AuditError('AUDIT_ORM_UNSUPPORTED', 'prisma', message);
}
