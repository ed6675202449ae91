import type { EventInput } from './event.js';
import { sharedState } from './shared-state.js';

/** How `record(…, { tx })` reaches the transaction that an ORM package follows. Each ORM package registers one. */
export interface TransactionCarrier {
  /** True if the object is a transaction of this ORM on an audited client. */
  carries(tx: unknown): boolean;
  /**
   * Puts the events into the transaction: they are written right before its COMMIT and leave with its ROLLBACK.
   * @returns their ids, in order
   * @throws AuditError `AUDIT_TRANSACTION_UNKNOWN`
   */
  record(tx: unknown, inputs: readonly EventInput[]): Promise<readonly string[]>;
}

export function registerTransactionCarrier(carrier: TransactionCarrier): void {
  sharedState().transactionCarriers.push(carrier);
}

export function tryGetTransactionCarrier(tx: unknown): TransactionCarrier | undefined {
  return sharedState().transactionCarriers.find((carrier) => carrier.carries(tx));
}
