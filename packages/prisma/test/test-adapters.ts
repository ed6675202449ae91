import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import type { SqlQuery } from '../src/index.js';

export type AdapterKind = 'libsql' | 'better-sqlite3';

/** A Prisma driver adapter on a file, with every statement that reaches the driver counted. */
export function createAdapter(
  kind: AdapterKind,
  file: string,
  onStatement: () => void,
): PrismaLibSql | PrismaBetterSqlite3 {
  const factory =
    kind === 'libsql'
      ? new PrismaLibSql({ url: `file:${file}`, intMode: 'bigint' })
      : new PrismaBetterSqlite3({ url: `file:${file}` });
  const connect = factory.connect.bind(factory);
  Object.defineProperty(factory, 'connect', {
    configurable: true,
    writable: true,
    value: async () => {
      const adapter = await connect();
      count(adapter, onStatement);
      const start = adapter.startTransaction.bind(adapter);
      adapter.startTransaction = async (level) => {
        const transaction = await start(level);
        count(transaction, onStatement);
        return transaction;
      };
      return adapter;
    },
  });
  return factory;
}

function count(queryable: object, onStatement: () => void): void {
  for (const name of ['queryRaw', 'executeRaw'] as const) {
    const original: unknown = Reflect.get(queryable, name);
    if (typeof original !== 'function') throw new TypeError(`the adapter has no ${name}()`);
    Reflect.set(queryable, name, (query: SqlQuery): unknown => {
      onStatement();
      return Reflect.apply(original, queryable, [query]);
    });
  }
}
