import type { Audit } from './audit.js';
import { AuditError } from './audit-error.js';
import { sharedState } from './shared-state.js';

/** @throws AuditError `AUDIT_CONTEXT_MISSING` where `@indelible/context` is not loaded, and what that throws */
export function runWithout<T>(
  audit: Audit,
  fn: () => T | PromiseLike<T>,
  options: { readonly reason: string },
): Promise<Awaited<T>> {
  const without = sharedState().contextProvider?.without;
  if (without !== undefined) return without(audit, fn, options);
  return Promise.reject(
    new AuditError('AUDIT_CONTEXT_MISSING', 'core', '`audit.without()` pauses one asynchronous flow', {
      next: "Import '@indelible/context', which follows it.",
    }),
  );
}
