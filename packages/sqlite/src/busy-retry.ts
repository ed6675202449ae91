import { AuditError } from '@indelible/core';
import { BusyError } from './sqlite-error.js';

const LONGEST_PAUSE_MS = 20;

/** Until when a call may try, in the time of `performance.now()`. */
export type Deadline = number;

export function deadlineIn(ms: number): Deadline {
  return performance.now() + ms;
}

/**
 * Runs synchronous work, and again in a later tick for as long as somebody else holds the lock: waiting inside SQLite
 * would stop the event loop, and with it the very transaction that is waited for where that belongs to this process.
 *
 * @throws AuditError `AUDIT_STORE_TIMEOUT` past the deadline
 */
export async function retryWhileBusy<T>(work: () => T, deadline: Deadline, fileName: string): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      if (performance.now() >= deadline) throw timeout(fileName, error);
    }
    // The jitter keeps processes that met once from meeting again and again.
    await pause(0.5 + Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE_MS));
  }
}

function timeout(fileName: string, cause: BusyError): AuditError {
  return new AuditError('AUDIT_STORE_TIMEOUT', 'sqlite', `${fileName} stayed locked by another transaction`, {
    cause: cause.cause,
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
