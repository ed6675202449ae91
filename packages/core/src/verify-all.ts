import { type KeyedFrom, keyedFromOf } from './keyed-from.js';
import { runVerification } from './run-verification.js';
import type { AuditStore } from './store.js';
import type { Verdict } from './verdict.js';
import { type VerifyLogOptions, verifyLog } from './verify-log.js';

export interface VerifyAllOptions extends Omit<VerifyLogOptions, 'keyedFrom'> {
  /** The index from which on entries must be keyed, see `AuditOptions`. @default 0 */
  readonly keyedFrom?: KeyedFrom | undefined;
  /** Only this log. @default every log of which the store holds a row */
  readonly log?: string | undefined;
  /** Logs that must be there. One that left no row gets a verdict of its own, which is never `valid`. @default none */
  readonly expected?: readonly string[] | undefined;
}

/**
 * Verifies every log of a store, one after the other, in the order of their names. A log counts that has a row in any
 * table: a head without entries is found, and so are entries without a head.
 *
 * @throws as `verifyLog`
 */
export async function verifyAll(
  store: AuditStore,
  options: VerifyAllOptions = {},
): Promise<readonly Verdict[]> {
  const optionsOf = (log: string) => ({ ...options, keyedFrom: keyedFromOf(options.keyedFrom, log) });
  if (options.log !== undefined) return [await verifyLog(store, options.log, optionsOf(options.log))];
  const summaries = await store.logs();
  const logs = new Set([...summaries.map(({ log }) => log), ...(options.expected ?? [])]);
  const total = summaries.reduce((sum, { entries }) => sum + entries, 0);
  const { onProgress } = options;
  const verdicts: Verdict[] = [];
  let done = 0;
  for (const log of [...logs].sort()) {
    const verdict = await runVerification(
      store,
      log,
      {
        ...optionsOf(log),
        ...(onProgress && { onProgress: (read) => onProgress(done + read, Math.max(total, done + read)) }),
      },
      new Set(),
    );
    done += verdict.size;
    verdicts.push(withDroppedLogs(verdict));
  }
  return verdicts;
}

function withDroppedLogs(verdict: Verdict): Verdict {
  const detail = 'there is no anchor: a log of which every row was deleted is not missed';
  return { ...verdict, notChecked: [...verdict.notChecked, { what: 'dropped-logs', detail }] };
}
