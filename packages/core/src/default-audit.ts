import type { Audit, RecordOptions, StoreOffer } from './audit.js';
import type { ActionDefinitions } from './catalogue.js';
import { createAudit, type TypedAuditOptions } from './create-audit.js';
import type { EventInput } from './event.js';
import { sharedState } from './shared-state.js';
import { createStandIn } from './stand-in.js';
import { createTypedRecord, type TypedAudit } from './typed-record.js';

/**
 * Stands for whatever the default audit is at the time of each call: who asked for it before `configureAudit()` ran uses
 * what was configured. It has no state, so that each copy of this package in one process may have its own.
 */
const DEFAULT: Audit = createStandIn({
  current,
  close: async () => sharedState().defaultAudit?.close(),
  offerStore,
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
