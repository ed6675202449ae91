import type { Actor, EventContext } from './event.js';
import { sharedState } from './shared-state.js';

/** The context that is in force where an event is recorded. */
export interface AmbientContext extends EventContext {
  /** The actor, or a function that is asked each time an event is recorded: it may stand before authentication. */
  readonly actor?: Actor | (() => Actor | undefined | Promise<Actor | undefined>);
  /** True inside `withoutAudit`. */
  readonly paused?: boolean;
}

/** How core learns of the ambient context without knowing where it is kept. `@indelible/context` installs one. */
export interface ContextProvider {
  current(): AmbientContext | undefined;
}

export function setContextProvider(provider: ContextProvider): void {
  sharedState().contextProvider = provider;
}

/** The ambient context, or undefined outside of any scope. */
export function tryGetContext(): AmbientContext | undefined {
  return sharedState().contextProvider?.current();
}
