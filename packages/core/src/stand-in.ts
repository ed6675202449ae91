import type { Audit } from './audit.js';

export interface StandInOptions extends Pick<Audit, 'close' | 'offerStore'> {
  /** The audit that a call goes to. */
  readonly current: () => Audit;
}

/** An audit without a state of its own, which stands for whatever `current` gives at the time of each call. */
export function createStandIn({ current, close, offerStore }: StandInOptions): Audit {
  return Object.freeze({
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
    close,
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
}
