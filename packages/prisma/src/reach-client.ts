import { type HoldingClient, type PreparedNames, readProperty as read, tryHold } from '@indelible/capture';
import type { SqlAdapter, SqlTransaction } from './driver-adapter.js';

/** A transaction of the adapter, and what holds its statements back, where that can be. */
export interface HeldTransaction {
  readonly transaction: SqlTransaction;
  readonly holding?: HoldingClient;
}

/**
 * Begins a transaction of `@prisma/adapter-pg` with its first statement instead of a round trip of its own. The adapter's own
 * method does it, on a client that holds BEGIN back. Where its parts are not in their places it begins as ever.
 *
 * @param names of statements that the connections of this adapter keep prepared
 * @param mayRunAgain the transaction can be undone and run again
 */
export async function startLate(
  adapter: SqlAdapter,
  names: PreparedNames,
  mayRunAgain: boolean,
): Promise<HeldTransaction> {
  const pool = read(adapter, 'client');
  const connect = read(pool, 'connect');
  if (typeof connect !== 'function') return startHolding(adapter, names);
  let holding: HoldingClient | undefined;
  const client = {
    connect: async (): Promise<unknown> => {
      const own: unknown = await Reflect.apply(connect, pool, []);
      holding = tryHold(own, names, { isLate: true, mayRunAgain });
      return holding === undefined ? own : standIn(own, holding);
    },
  };
  const transaction = await Reflect.apply(
    adapter.startTransaction,
    Object.create(adapter, { client: { value: client } }),
    [],
  );
  return holding === undefined ? { transaction } : { transaction, holding };
}

/** Begins a transaction as the adapter does, and has its last statement go with COMMIT. */
export async function startHolding(
  adapter: SqlAdapter,
  names: PreparedNames,
  isolationLevel?: string,
): Promise<HeldTransaction> {
  const transaction = await adapter.startTransaction(isolationLevel);
  const own = read(transaction, 'client');
  const holding = tryHold(own, names, { isLate: false, mayRunAgain: false });
  if (holding === undefined) return { transaction };
  Reflect.set(transaction, 'client', standIn(own, holding));
  return { transaction, holding };
}

/** Answers as the client does in everything but `query`. */
function standIn(client: unknown, holding: HoldingClient): object {
  const own = Object(client);
  return new Proxy(
    {},
    {
      get: (_, name) => {
        if (name === 'query') return (config: unknown) => holding.query(config);
        const value: unknown = Reflect.get(own, name, own);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (name === 'release') holding.end();
          return Reflect.apply(value, own, args);
        };
      },
    },
  );
}
