import { joinThrough } from '@indelible/capture';
import { registerTransactionCarrier } from '@indelible/core';

/** An entity manager of a transaction, or a query runner. */
interface Querying {
  query(sql: string): Promise<unknown>;
}

let registered = false;

/** Makes `audit.record(…, { tx })` take TypeORM's entity managers and query runners. */
export function registerTypeormTransactions(): void {
  if (registered) return;
  registered = true;
  registerTransactionCarrier({
    carries: isQuerying,
    record: (tx, inputs) =>
      joinThrough('typeorm', inputs, async (sql) => {
        if (isQuerying(tx)) await tx.query(sql);
      }),
  });
}

function isQuerying(value: unknown): value is Querying {
  if (typeof value !== 'object' || value === null || !('query' in value)) return false;
  const isManager = 'getRepository' in value && 'transaction' in value;
  const isRunner = 'startTransaction' in value && 'isTransactionActive' in value;
  return typeof value.query === 'function' && (isManager || isRunner);
}
