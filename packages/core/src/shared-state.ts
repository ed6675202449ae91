import type { Audit, StoreOffer } from './audit.js';
import type { ContextProvider } from './context-provider.js';
import type { TransactionCarrier } from './transaction-carrier.js';

/** What all copies of this package in one process share. */
export interface SharedState {
  defaultAudit?: Audit;
  /** Kept, because the audit may be configured after the ORM was. */
  defaultOffers?: (StoreOffer | (() => Promise<StoreOffer>))[];
  contextProvider?: ContextProvider;
  transactionCarriers: TransactionCarrier[];
  /** What each package that collects before it records is told before an audit drains. */
  flushers?: Set<() => void>;
}

const KEY = Symbol.for('indelible.shared.v1');

export function sharedState(): SharedState {
  const holder = globalThis as { [KEY]?: SharedState };
  holder[KEY] ??= { transactionCarriers: [] };
  return holder[KEY];
}
