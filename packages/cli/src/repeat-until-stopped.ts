import { setTimeout as sleep } from 'node:timers/promises';
import { auditErrorCode } from '@indelible/core';
import type { CommandCall } from './command.js';

const MAX_RETRY_MS = 30_000;
/** Different messages that are remembered. */
const MAX_TOLD = 100;

/** What the configuration is wrong about: trying again would never help, whoever says it. */
const NEVER_PASSING: ReadonlySet<string> = new Set([
  'AUDIT_TABLES_MISSING',
  'AUDIT_SCHEMA_NEWER',
  'AUDIT_CONFIG_INVALID',
  'AUDIT_DRIVER_MISSING',
  'AUDIT_KEY_WEAK',
]);

/** Ends the repeating, with the error that it carries. */
export class Hopeless extends Error {
  constructor(readonly thrown: unknown) {
    super('there is nothing to wait for');
  }
}

/**
 * Does work again and again until the user interrupts: at each interval, and after a failure later and later, up to half a
 * minute. Each failure is told once, until the work went well again.
 *
 * @returns whether the last time went well
 * @throws what `Hopeless` carries, and what no later try can change, such as missing tables
 */
export async function repeatUntilStopped(
  { signal, terminal }: Pick<CommandCall, 'signal' | 'terminal'>,
  intervalMs: number,
  work: () => Promise<void>,
): Promise<'well' | 'failed'> {
  let pauseMs = intervalMs;
  const told = new Set<string>();
  while (!signal.aborted) {
    try {
      await work();
      pauseMs = intervalMs;
      if (told.size > 0) terminal.warn('works again');
      told.clear();
    } catch (error) {
      if (error instanceof Hopeless) throw error.thrown;
      if (NEVER_PASSING.has(auditErrorCode(error) ?? '')) throw error;
      pauseMs = Math.min(Math.max(pauseMs, 1) * 2, MAX_RETRY_MS);
      const message = error instanceof Error ? error.message : String(error);
      if (!told.has(message)) terminal.warn(`${message} (trying again)`);
      if (told.size < MAX_TOLD) told.add(message);
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return told.size === 0 ? 'well' : 'failed';
}

/** True for failures of the way to the database, which may be over on the next try. */
export function isPassing(error: unknown): boolean {
  const code = auditErrorCode(error);
  return code === 'AUDIT_STORE_UNAVAILABLE' || code === 'AUDIT_STORE_TIMEOUT';
}
