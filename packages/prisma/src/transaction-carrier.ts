import { joinThrough } from '@indelible/capture';
import { registerTransactionCarrier } from '@indelible/core';

interface RawClient {
  $executeRawUnsafe(sql: string): PromiseLike<unknown>;
}

let registered = false;

/** Makes `audit.record(…, { tx })` take Prisma's transaction clients. */
export function registerPrismaTransactions(): void {
  if (registered) return;
  registered = true;
  registerTransactionCarrier({
    carries: isRawClient,
    record: (tx, inputs) =>
      joinThrough('prisma', inputs, async (sql) => {
        if (isRawClient(tx)) await tx.$executeRawUnsafe(sql);
      }),
  });
}

function isRawClient(value: unknown): value is RawClient {
  return (
    typeof value === 'object' &&
    value !== null &&
    '$executeRawUnsafe' in value &&
    typeof value.$executeRawUnsafe === 'function'
  );
}
