import type { Audit, RecordOptions, StoreOffer } from './audit.js';
import type { ActionDefinitions } from './catalogue.js';
import { createAudit, type TypedAuditOptions } from './create-audit.js';
import type { EventInput } from './event.js';
import { sharedState } from './shared-state.js';
import { createTypedRecord, type TypedAudit } from './typed-record.js';

/**
 * Stands for whatever the default audit is at the time of each call: who asked for it before `configureAudit()` ran uses
 * what was configured. It has no state, so that each copy of this package in one process may have its own.
 */
const DEFAULT: Audit = Object.freeze({
  record: (...args: Parameters<Audit['record']>) => current().record(...args),
  recordAll: (...args: Parameters<Audit['recordAll']>) => current().recordAll(...args),
  recordLater: (...args: Parameters<Audit['recordLater']>) => current().recordLater(...args),
  without: <T>(fn: () => T | PromiseLike<T>, options: { readonly reason: string }) =>
    current().without(fn, options),
  flush: () => current().flush(),
  seal: () => current().seal(),
  checkpoint: (...args: Parameters<Audit['checkpoint']>) => current().checkpoint(...args),
  verify: (...args: Parameters<Audit['verify']>) => current().verify(...args),
  migrate: () => current().migrate(),
  health: () => current().health(),
  checkHealth: () => current().checkHealth(),
  close: async () => sharedState().defaultAudit?.close(),
  store: () => current().store(),
  offerStore,
  outbox: (...args: Parameters<Audit['outbox']>) => current().outbox(...args),
  prepare: (...args: Parameters<Audit['prepare']>) => current().prepare(...args),
  describeOperation: (...args: Parameters<Audit['describeOperation']>) =>
    current().describeOperation(...args),
  operationCommitted: (log: string) => current().operationCommitted(log),
  committed: (...args: Parameters<Audit['committed']>) => current().committed(...args),
  policy: (...args: Parameters<Audit['policy']>) => current().policy(...args),
  limits: () => current().limits(),
  deliver: (...args: Parameters<Audit['deliver']>) => current().deliver(...args),
  reportError: (...args: Parameters<Audit['reportError']>) => current().reportError(...args),
});

/**
 * Configures the process's default audit, which `getAudit()` gives and which every package uses that is passed none. One
 * that was configured before is closed: what it has still to write it writes.
 *
 * @throws AuditError `AUDIT_CONFIG_INVALID` that names the option, `AUDIT_KEY_WEAK`, `AUDIT_KEY_MISSING`
 * @example
 * const audit = configureAudit({ store: 'file:./audit.db' });
 */
export function configureAudit<const D extends ActionDefinitions = Record<never, never>>(
  options: TypedAuditOptions<D> = {},
): TypedAudit<D> {
  const audit = createAudit(options);
  const state = sharedState();
  const replaced = state.defaultAudit;
  for (const offer of state.defaultOffers ?? []) audit.offerStore(offer);
  state.defaultAudit = audit;
  // Reports its own failures; there is nobody here to wait for it.
  void replaced?.close();
  const record = (input: EventInput, given?: RecordOptions) => current().record(input, given);
  return Object.freeze({ ...DEFAULT, record: createTypedRecord(record) });
}

/** The default audit. Without `configureAudit()` it is configured by AUDIT_DATABASE_URL and AUDIT_HMAC_KEY. */
export function getAudit(): Audit {
  return DEFAULT;
}

/** The default audit if there is one already: configured, or used. */
export function tryGetAudit(): Audit | undefined {
  return sharedState().defaultAudit === undefined ? undefined : DEFAULT;
}

function current(): Audit {
  const state = sharedState();
  if (state.defaultAudit === undefined) {
    state.defaultAudit = createAudit();
    for (const offer of state.defaultOffers ?? []) state.defaultAudit.offerStore(offer);
  }
  return state.defaultAudit;
}

function offerStore(offer: StoreOffer | (() => Promise<StoreOffer>)): void {
  const state = sharedState();
  state.defaultOffers ??= [];
  state.defaultOffers.push(offer);
  state.defaultAudit?.offerStore(offer);
}
