import { AuditError } from './audit-error.js';
import type { AmbientContext } from './context-provider.js';
import type { Actor, EventInput } from './event.js';

/** The tag of an event whose actor could not be found out. */
export const ACTOR_FAILED_TAG = 'actor-failed';

/** Who acted where that could not be found out. */
export const UNKNOWN_ACTOR: Actor = Object.freeze({ type: 'system', id: 'unknown' });

export interface ResolvedAmbient {
  /** Its own `actor`, where it has one, is the one that was asked. */
  readonly context: AmbientContext;
  readonly actor: Actor | undefined;
  /** The actor function failed: the events say so. */
  readonly failed: boolean;
}

/**
 * Asks the actor function of a context. A promise only where the function returns one. Never fails: what the function
 * throws is reported, and so is one that does not answer within `timeoutMs`.
 */
export function resolveAmbient(
  ambient: AmbientContext,
  ask: () => Actor | undefined | Promise<Actor | undefined>,
  timeoutMs: number,
  report: (error: Error) => void,
): ResolvedAmbient | Promise<ResolvedAmbient> {
  const accept = (actor: Actor | undefined): ResolvedAmbient => ({ context: ambient, actor, failed: false });
  const refuse = (cause: unknown): ResolvedAmbient => {
    report(
      new AuditError('AUDIT_ACTOR_FAILED', 'core', 'the actor of an event could not be found out', { cause }),
    );
    return { context: ambient, actor: UNKNOWN_ACTOR, failed: true };
  };
  try {
    const answer = ask();
    if (!isThenable(answer)) return accept(answer);
    return withTimeout(answer, timeoutMs).then(accept, refuse);
  } catch (cause) {
    return refuse(cause);
  }
}

export function actorFailed(cause: unknown): AuditError {
  return new AuditError('AUDIT_ACTOR_FAILED', 'core', 'the actor of an event could not be found out', {
    cause,
  });
}

/** Says on the event that its actor is not known because asking for it failed. */
export function markActorFailed(input: EventInput): EventInput {
  if (input.actor !== undefined) return input;
  return { ...input, tags: [ACTOR_FAILED_TAG, ...(input.tags ?? [])] };
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // Keeps the process alive: the event that waits for its actor is nowhere yet.
    const timer = setTimeout(() => reject(new Error(`the actor function did not answer in ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
