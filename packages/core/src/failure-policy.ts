import type { FailurePolicy } from './audit.js';
import type { Category, PreparedEvent } from './event.js';

/** The policies where none is configured: a row change shares the fate of its transaction, everything else goes on. */
export const DEFAULT_POLICIES: Readonly<Record<Category, FailurePolicy>> = Object.freeze({
  auth: 'spool',
  access: 'spool',
  data: 'strict',
  admin: 'spool',
  billing: 'spool',
  security: 'spool',
  request: 'spool',
  system: 'spool',
});

export const FAILURE_POLICIES = ['continue', 'spool', 'strict'] as const satisfies readonly FailurePolicy[];

/** Events that stand and fall together follow the strictest of their policies. */
export function strictestPolicy(
  events: readonly PreparedEvent[],
  policies: Readonly<Record<Category, FailurePolicy>>,
): FailurePolicy {
  let strictest = 0;
  for (const event of events)
    strictest = Math.max(strictest, FAILURE_POLICIES.indexOf(policies[event.category]));
  return FAILURE_POLICIES[strictest] ?? 'strict';
}
