import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, QueryRunner, SelectQueryBuilder } from 'typeorm';
import { unsupported } from './reach.js';

/** The builder of a SELECT, of any entity. */
export type Builder = SelectQueryBuilder<object>;

/** What is told of the reads of one data source. Each is awaited before the caller gets anything. */
export interface ReadListener {
  entities(builder: Builder, entities: readonly object[]): Promise<unknown>;
  rows(builder: Builder, rows: readonly unknown[]): Promise<unknown>;
  stream(builder: Builder): Promise<unknown>;
  /** SQL that the application has written itself, and that gave rows. */
  raw(sql: string): Promise<unknown>;
}

const listeners = new WeakMap<object, ReadListener>();
const patched = new WeakSet<object>();

/** `write`: TypeORM reads what it needs to write. `told`: a builder of a SELECT sends the statement. */
const doing = new AsyncLocalStorage<'write' | 'told'>();

/**
 * Has what the builders and the query runners of a data source read shown to `listener`. Subscribers hear of entities only, and
 * not at all where `callListeners(false)` says so.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function listenToReads(dataSource: DataSource, listener: ReadListener): void {
  listeners.set(dataSource, listener);
  const builder = dataSource.createQueryBuilder();
  patchSelect(prototypeOf(builder));
  for (const write of [builder.insert(), builder.delete(), builder.softDelete(), builder.update({})])
    around(prototypeOf(write), 'execute', (run) => doing.run('write', run));
  const managers = prototypeOf(dataSource.manager);
  for (const name of ['save', 'remove', 'softRemove', 'recover'])
    around(managers, name, (run) => doing.run('write', run));
  watchRunners(dataSource, listener);
}

function patchSelect(select: object): void {
  if (patched.has(select)) return;
  patched.add(select);
  around(select, 'loadRawResults', (run) => (doing.getStore() === 'write' ? run() : doing.run('told', run)));
  around(select, 'executeEntitiesAndRawResults', async (run, builder) => {
    const result: unknown = await run();
    const entities: unknown = read(result, 'entities');
    if (Array.isArray(entities)) await listenerOf(builder)?.entities(builder, entities);
    return result;
  });
  around(select, 'getRawMany', async (run, builder) => {
    const rows: unknown = await run();
    if (Array.isArray(rows)) await listenerOf(builder)?.rows(builder, rows);
    return rows;
  });
  around(select, 'stream', async (run, builder) => {
    const stream: unknown = await doing.run('told', run);
    await listenerOf(builder)?.stream(builder);
    return stream;
  });
}

function listenerOf(builder: Builder): ReadListener | undefined {
  return doing.getStore() === undefined ? listeners.get(builder.dataSource) : undefined;
}

function watchRunners({ driver }: DataSource, listener: ReadListener): void {
  const create: unknown = Reflect.get(driver, 'createQueryRunner');
  if (typeof create !== 'function')
    throw unsupported('the driver of this data source has no createQueryRunner()');
  Reflect.set(driver, 'createQueryRunner', (mode: unknown): unknown => {
    const runner: unknown = Reflect.apply(create, driver, [mode]);
    if (isRunner(runner) && !patched.has(runner)) watchRunner(runner, listener);
    return runner;
  });
}

function watchRunner(runner: QueryRunner, listener: ReadListener): void {
  patched.add(runner);
  around(runner, 'query', async (run, _, [sql]) => {
    const answer: unknown = await run();
    const rows: unknown = read(answer, 'records') ?? answer;
    const isRaw = doing.getStore() === undefined && typeof sql === 'string';
    if (isRaw && Array.isArray(rows) && rows.length > 0) await listener.raw(sql);
    return answer;
  });
  around(runner, 'stream', async (run, _, [sql]) => {
    const stream: unknown = await run();
    if (doing.getStore() === undefined && typeof sql === 'string') await listener.raw(sql);
    return stream;
  });
}

type Run = () => Promise<unknown>;

/** Puts `wrap` around a method of TypeORM's. @throws AuditError `AUDIT_ORM_UNSUPPORTED` where there is none */
function around(
  holder: object,
  name: string,
  wrap: (run: Run, self: Builder, args: readonly unknown[]) => Promise<unknown>,
): void {
  const own: unknown = Reflect.get(holder, name);
  if (typeof own !== 'function') throw unsupported(`TypeORM has no ${name}() where it is expected`);
  if (patched.has(own)) return;
  const wrapped = async function (this: Builder, ...args: readonly unknown[]): Promise<unknown> {
    return wrap(async () => Reflect.apply(own, this, args) as unknown, this, args);
  };
  patched.add(wrapped);
  Reflect.set(holder, name, wrapped);
}

function prototypeOf(value: object): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype === 'object' && prototype !== null) return prototype;
  throw unsupported('an object of TypeORM has no class');
}

function isRunner(value: unknown): value is QueryRunner {
  return typeof read(value, 'query') === 'function';
}

function read(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;
}
