import type { FindingList } from './finding-list.js';
import type { AuditStore } from './store.js';
import { verifyEvent } from './verify-event.js';
import type { VerifyPace } from './verify-pace.js';

/**
 * Checks what is not sealed: the pending events, the waiting list itself, and events that are on neither side.
 *
 * @returns the number of pending events
 */
export async function verifyWaiting(
  store: AuditStore,
  log: string,
  findings: FindingList,
  pace: VerifyPace,
): Promise<number> {
  let pending = 0;
  for await (const batch of store.pending(log)) {
    for (const event of batch) {
      if (pending++ % 32 === 0) {
        if (pace.due) await pace.rest(0, 0);
        if (pace.aborted) return pending;
      }
      verifyEvent(event, log, null, event.id, findings);
    }
  }
  for await (const batch of store.strayPending(log)) {
    for (const id of batch) {
      findings.add('pending-stray', null, id, 'waits, and is not there or has an entry already');
    }
    if (pace.aborted) return pending;
  }
  for await (const batch of store.orphans(log)) {
    for (const event of batch) {
      findings.add('orphans', null, event.id, 'is neither waiting nor in the log: its entry was deleted');
    }
    if (pace.aborted) return pending;
  }
  return pending;
}
