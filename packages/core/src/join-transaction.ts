import type { Recorded } from './audit.js';
import { AuditError } from './audit-error.js';
import type { EventInput } from './event.js';
import { tryGetTransactionCarrier } from './transaction-carrier.js';

/** Hands events to the ORM package that knows the transaction. @throws AuditError `AUDIT_TRANSACTION_UNKNOWN` */
export async function joinTransaction(
  tx: unknown,
  inputs: readonly EventInput[],
): Promise<readonly Recorded[]> {
  const carrier = tryGetTransactionCarrier(tx);
  if (carrier === undefined) {
    throw new AuditError(
      'AUDIT_TRANSACTION_UNKNOWN',
      'core',
      'no audited client knows the transaction in `tx`',
    );
  }
  const ids = await carrier.record(tx, inputs);
  return ids.map((id) => ({ id, where: 'transaction' }));
}
