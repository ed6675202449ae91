import type { Audit, StoreOffer } from './audit.js';
import { sharedState } from './shared-state.js';

/**
 * For ORM packages: the database that the default audit uses where no store is configured. A client is often audited in
 * a module that loads before the audit is configured, so an offer waits until there is one.
 */
export function offerDefaultStore(offer: StoreOffer | (() => Promise<StoreOffer>)): void {
  const state = sharedState();
  state.storeOffers.push(offer);
  state.defaultAudit?.offerStore(offer);
}

/** Hands the waiting offers to an audit that has just become the default one. */
export function takeStoreOffers(audit: Audit): void {
  for (const offer of sharedState().storeOffers) audit.offerStore(offer);
}
