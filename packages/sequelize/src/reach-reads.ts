import { AsyncLocalStorage } from 'node:async_hooks';
import { readProperty as read } from '@indelible/capture';
import { type SequelizeLike, unsupported } from './reach-sequelize.js';

/** What is told of the reads of one instance. Each is awaited before the caller gets anything. */
export interface ReadListener {
  /** What a finder found. @param options as Sequelize has completed them */
  found(model: unknown, options: unknown, found: unknown): Promise<unknown>;
  /** What an aggregate gave. @param name `count`, `max` */
  aggregated(model: unknown, name: unknown, value: unknown): Promise<unknown>;
  /** SQL that the application has written itself, and that gave rows. */
  raw(sql: string): Promise<unknown>;
}

/** Set while Sequelize itself makes the SQL. */
const told = new AsyncLocalStorage<true>();

/**
 * Has what finders, aggregates and raw SQL give shown to `listener`. Hooks are not called for all of them, and for none where
 * `hooks: false` says so.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function listenToReads(sequelize: SequelizeLike, listener: ReadListener): void {
  const queries = callOf(sequelize, 'getQueryInterface')();
  if (typeof queries !== 'object' || queries === null) throw missing('its query interface');
  const select = callOf(queries, 'select');
  Reflect.set(queries, 'select', async (...args: readonly unknown[]): Promise<unknown> => {
    const found = await told.run(true, () => select(...args));
    await listener.found(args[0], args[2], found);
    return found;
  });
  const rawSelect = callOf(queries, 'rawSelect');
  Reflect.set(queries, 'rawSelect', async (...args: readonly unknown[]): Promise<unknown> => {
    const value = await told.run(true, () => rawSelect(...args));
    await listener.aggregated(args[3], args[2], value);
    return value;
  });
  const query = callOf(sequelize, 'query');
  Reflect.set(sequelize, 'query', async (...args: readonly unknown[]): Promise<unknown> => {
    const answer = await query(...args);
    const sql = textOf(args[0]);
    if (told.getStore() === undefined && sql !== undefined && showsRows(answer)) await listener.raw(sql);
    return answer;
  });
}

/** `query()` gives rows, a row, or rows beside what the driver says of them. */
function showsRows(answer: unknown): boolean {
  if (!Array.isArray(answer)) return typeof answer === 'object' && answer !== null;
  const [first] = answer;
  return Array.isArray(first) ? first.length > 0 : answer.length > 0;
}

function textOf(sql: unknown): string | undefined {
  const text = typeof sql === 'string' ? sql : read(sql, 'query');
  return typeof text === 'string' ? text : undefined;
}

function callOf(holder: object, name: string): (...args: readonly unknown[]) => unknown {
  const method: unknown = Reflect.get(holder, name);
  if (typeof method !== 'function') throw missing(`${name}()`);
  return (...args) => Reflect.apply(method, holder, args) as unknown;
}

function missing(what: string): Error {
  return unsupported(
    `this Sequelize instance has not ${what}, where its reads would be seen`,
    'Use Sequelize 6.',
  );
}
