import type { Audit } from './audit.js';
import type { Actor, EventContext } from './event.js';
import { sharedState } from './shared-state.js';

/** The context that is in force where an event is recorded. */
export interface AmbientContext extends EventContext {
  /** The actor, or a function that is asked each time an event is recorded: it may stand before authentication. */
  readonly actor?: Actor | (() => Actor | undefined | Promise<Actor | undefined>);
  /** True inside `withoutAudit`. */
  readonly paused?: boolean;
  /**
   * The tenant that the request is of, where its framework's `tenant` option says so. Events of another tenant are refused here,
   * whoever names it.
   */
  readonly fixedTenant?: string;
}

/** Runs `fn` without recording what it does, and says so in the log. */
export type Without = <T>(
  audit: Audit,
  fn: () => T | PromiseLike<T>,
  options: { readonly reason: string },
) => Promise<Awaited<T>>;

/** How core learns of the ambient context without knowing where it is kept. `@indelible/context` installs one. */
export interface ContextProvider {
  current(): AmbientContext | undefined;
  /** What `audit.without()` does. */
  readonly without?: Without;
}

export function setContextProvider(provider: ContextProvider): void {
  sharedState().contextProvider = provider;
}

/** The ambient context, or undefined outside of any scope. */
export function tryGetContext(): AmbientContext | undefined {
  return sharedState().contextProvider?.current();
}
