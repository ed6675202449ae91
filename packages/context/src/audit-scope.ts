import { type AmbientContext, AuditError } from '@indelible/core';

/**
 * What may be set on a context. Pausing is not among it: only `withoutAudit` pauses, and says so in the log. Nor is the tenant
 * that a request is of, which only its framework package fixes.
 */
export type ContextPatch = Omit<AmbientContext, 'paused' | 'fixedTenant'>;

/**
 * One stretch of work with its context. Two copies of this package in one process hand scopes to each other, so this
 * shape is a contract between versions.
 */
export interface AuditScope {
  /** The scope that was open where this one was opened. */
  readonly outer: AuditScope | undefined;
  /** True once the work is over. What outlives the work is no longer in this scope. */
  readonly ended: boolean;
  /** The scope's own values over those of the outer ones, as a plain object made at each call. */
  context(): AmbientContext;
  /** Changes the scope's own values; outer scopes keep theirs. */
  update(patch: ContextPatch): void;
  /** Calls `listener` once the work is over. Scopes of older copies of this package do not have it. */
  onEnd?(listener: () => void): void;
}

/** The scope itself, or the nearest one around it that is still open. */
export function openScope(scope: AuditScope | undefined): AuditScope | undefined {
  let open = scope;
  while (open?.ended) open = open.outer;
  return open;
}

/** True if `inner` is `outer` or was opened somewhere inside it. */
export function isWithin(inner: AuditScope | undefined, outer: AuditScope): boolean {
  for (let scope = inner; scope !== undefined; scope = scope.outer) {
    if (scope === outer) return true;
  }
  return false;
}

/** A copy without what is undefined, so that a missing value never hides an outer one. */
export function definedOnly<T extends object>(values: T): Partial<T> {
  const kept: Partial<T> = {};
  for (const key of Object.keys(values) as (keyof T)[]) {
    if (values[key] !== undefined) kept[key] = values[key];
  }
  return kept;
}

/** The scope of a function's work: `runWithContext` and `withoutAudit` open one. */
export class WorkScope implements AuditScope {
  readonly outer: AuditScope | undefined;
  ended = false;
  #own: Partial<AmbientContext>;
  #listeners: (() => void)[] | undefined;

  constructor(outer: AuditScope | undefined, own: AmbientContext) {
    this.outer = outer;
    this.#own = definedOnly(own);
  }

  context(): AmbientContext {
    return { ...this.outer?.context(), ...this.#own };
  }

  update(patch: ContextPatch): void {
    this.#own = { ...this.#own, ...patchOnly(patch) };
  }

  onEnd(listener: () => void): void {
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  end(): void {
    this.ended = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }
}

/** Callers without types may pass `paused`; a pause that nobody recorded must not come in that way. */
export function patchOnly(patch: ContextPatch): Partial<ContextPatch> {
  const { paused: _, fixedTenant: __, ...rest } = definedOnly(patch) as Partial<AmbientContext>;
  return rest;
}

/**
 * Told where the mistake is made: later it would cost events.
 *
 * @throws AuditError `AUDIT_TENANT_MISMATCH`
 */
export function checkTenant(scope: AuditScope | undefined, { tenant }: ContextPatch): void {
  if (scope === undefined || tenant === undefined) return;
  const { fixedTenant } = scope.context();
  if (fixedTenant === undefined || fixedTenant === tenant) return;
  throw new AuditError(
    'AUDIT_TENANT_MISMATCH',
    'context',
    'the context names another tenant than its request is of',
  );
}
