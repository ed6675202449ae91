import { AsyncLocalStorage } from 'node:async_hooks';
import { type AmbientContext, AuditError, tryGetContext } from '@indelible/core';
import {
  type AuditScope,
  type ContextPatch,
  checkTenant,
  openScope,
  patchOnly,
  WorkScope,
} from './audit-scope.js';

const KEY = Symbol.for('indelible.context.v1');

// Two copies of this package must see each other's scopes, or a request's rows would lose their actor.
const holder = globalThis as { [KEY]?: AsyncLocalStorage<AuditScope> };
holder[KEY] ??= new AsyncLocalStorage<AuditScope>();
const storage = holder[KEY];

/** The innermost scope that is still open here. */
export function tryGetScope(): AuditScope | undefined {
  return openScope(storage.getStore());
}

/** Runs `fn` inside a scope that somebody else opens and ends. For framework packages. */
export function runInScope<T>(scope: AuditScope, fn: () => T): T {
  return storage.run(scope, fn);
}

/**
 * Runs `fn` with this context merged over the one around it, which is in force again afterwards, whatever happens.
 *
 * The scope ends when `fn` returns, or when the promise that it returns settles. Work that outlives it (a timer, a
 * listener) is from then on in the scope around it if that is still open, else in none. A scope that was opened inside
 * another one keeps the values of both until it ends itself.
 *
 * A lazy promise, as Prisma returns, is started inside the scope.
 *
 * @returns what `fn` returns; for a thenable a real promise of its value
 * @throws TypeError if the arguments are not an object and a function
 * @throws AuditError `AUDIT_TENANT_MISMATCH` inside the request of another tenant
 * @example
 * await runWithContext({ actor: { type: 'system', id: 'nightly-import' } }, () => importPatients());
 */
export function runWithContext<T>(context: ContextPatch, fn: () => PromiseLike<T>): Promise<T>;
export function runWithContext<T>(context: ContextPatch, fn: () => T): T;
export function runWithContext<T>(context: ContextPatch, fn: () => T | PromiseLike<T>): T | Promise<T> {
  checkPatch(context);
  if (typeof fn !== 'function') throw new TypeError('runWithContext() takes a context and a function');
  const outer = tryGetScope();
  checkTenant(outer, context);
  return runScope(new WorkScope(outer, patchOnly(context)), fn);
}

/**
 * Runs `fn` for this tenant, also inside the request of another one: an operator's work for a customer, a job that goes through
 * all of them. What it records is of this tenant and goes to its log, with the actor of the request, and code inside of it that
 * names another tenant is refused. Never pass it a tenant that a request has sent without having checked who sends it.
 *
 * @throws TypeError if the arguments are not a text and a function
 * @example
 * await runForTenant(customer.tenant, () => resetQuota(customer));
 */
export function runForTenant<T>(tenant: string, fn: () => PromiseLike<T>): Promise<T>;
export function runForTenant<T>(tenant: string, fn: () => T): T;
export function runForTenant<T>(tenant: string, fn: () => T | PromiseLike<T>): T | Promise<T> {
  if (typeof tenant !== 'string' || tenant === '' || typeof fn !== 'function') {
    throw new TypeError('runForTenant() takes a tenant and a function');
  }
  return runScope(new WorkScope(tryGetScope(), { tenant, fixedTenant: tenant }), fn);
}

/** Runs `fn` in the scope and ends the scope with it. */
export function runScope<T>(scope: WorkScope, fn: () => T | PromiseLike<T>): T | Promise<T> {
  return storage.run(scope, () => {
    let result: T | PromiseLike<T>;
    try {
      result = fn();
    } catch (error) {
      scope.end();
      throw error;
    }
    if (!isThenable(result)) {
      scope.end();
      return result;
    }
    const started = result;
    return new Promise<T>((resolve, reject) => {
      const ending =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          scope.end();
          settle(value);
        };
      try {
        started.then(ending(resolve), ending(reject));
      } catch (error) {
        ending(reject)(error);
      }
    });
  });
}

/** @throws AuditError `AUDIT_CONTEXT_MISSING` outside of any scope */
export function getContext(): AmbientContext {
  const context = tryGetContext();
  if (context === undefined) throw missing('getContext()');
  return context;
}

/**
 * Changes the innermost open scope: for middleware that learns the tenant or the actor late. Scopes around it keep their
 * values, scopes inside it see the new ones unless they have their own.
 *
 * @throws AuditError `AUDIT_CONTEXT_MISSING` outside of any scope, `AUDIT_TENANT_MISMATCH` inside the request of another tenant
 */
export function updateContext(patch: ContextPatch): void {
  checkPatch(patch);
  const scope = tryGetScope();
  if (scope === undefined) throw missing('updateContext()');
  checkTenant(scope, patch);
  scope.update(patch);
}

/**
 * Ties a callback to the scope that is open now, for libraries that call back from wherever they happen to be: pools of
 * connections, event emitters, queues. When the callback runs after the scope's end it is in none.
 */
export function bindContext<A extends unknown[], T>(fn: (...args: A) => T): (...args: A) => T {
  const scope = tryGetScope();
  return scope === undefined
    ? (...args) => storage.exit(fn, ...args)
    : (...args) => storage.run(scope, fn, ...args);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

function checkPatch(patch: unknown): void {
  if (typeof patch !== 'object' || patch === null) throw new TypeError('the context is an object');
}

function missing(what: string): AuditError {
  return new AuditError(
    'AUDIT_CONTEXT_MISSING',
    'context',
    `${what} was called where no audit context is open`,
  );
}
