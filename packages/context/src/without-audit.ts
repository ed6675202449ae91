import { type Audit, type EventInput, getAudit } from '@indelible/core';
import { isThenable, runScope, tryGetScope } from './audit-context.js';
import { WorkScope } from './audit-scope.js';

export interface WithoutAuditOptions {
  /** Why nothing is recorded: it stands in the log. */
  readonly reason: string;
  /** Where the pause is recorded. @default getAudit() */
  readonly audit?: Audit;
}

/**
 * Runs `fn` without recording what it does, for a backfill say. Only this asynchronous flow is paused, and only until
 * `fn` settles. `audit.paused` is durable before `fn` starts; if it can not be recorded, `fn` is not run.
 * `audit.resumed` follows, also after an exception.
 *
 * Inside another pause nothing is recorded: the outer pause is on record already.
 *
 * @throws TypeError without a reason
 */
export async function withoutAudit<T>(
  fn: () => T | PromiseLike<T>,
  options: WithoutAuditOptions,
): Promise<Awaited<T>> {
  if (typeof fn !== 'function') throw new TypeError('withoutAudit() takes a function');
  const reason = options?.reason;
  if (typeof reason !== 'string' || reason.trim() === '') {
    throw new TypeError('withoutAudit() takes { reason }, which says in the log why nothing was recorded');
  }
  const audit = options.audit ?? getAudit();
  const outer = tryGetScope();
  // The request may be over when the work is: what resumes is still the work of who paused.
  const before = outer?.context() ?? {};
  const paused = await recordIn(audit, before, { action: 'audit.paused', category: 'system', reason });

  let result: Awaited<T>;
  try {
    result = await settle(runScope<T>(new WorkScope(outer, { paused: true }), fn));
  } catch (error) {
    await recordIn(audit, before, resumed(paused, reason, 'failure')).catch((failure: unknown) => {
      // The caller needs the error of his own work; this one goes where failures without a caller go.
      audit.reportError(failure instanceof Error ? failure : new Error(String(failure)));
    });
    throw error;
  }
  await recordIn(audit, before, resumed(paused, reason, 'success'));
  return result;
}

async function settle<T>(result: T | PromiseLike<T>): Promise<Awaited<T>> {
  return await result;
}

async function recordIn(
  audit: Audit,
  context: ConstructorParameters<typeof WorkScope>[1],
  input: EventInput,
): Promise<string> {
  const recorded = runScope(new WorkScope(undefined, context), () => audit.record(input));
  return (isThenable(recorded) ? await recorded : recorded).id;
}

function resumed(pausedBy: string, reason: string, outcome: 'success' | 'failure'): EventInput {
  return { action: 'audit.resumed', category: 'system', reason, outcome, details: { pausedBy } };
}
