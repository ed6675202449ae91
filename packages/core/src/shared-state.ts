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
  /** Databases of ORMs that were audited before there was a default audit. */
  storeOffers: (StoreOffer | (() => Promise<StoreOffer>))[];
}

const KEY = Symbol.for('indelible.shared.v1');

export function sharedState(): SharedState {
  const holder = globalThis as { [KEY]?: SharedState };
  holder[KEY] ??= { transactionCarriers: [], storeOffers: [] };
  return holder[KEY];
}
