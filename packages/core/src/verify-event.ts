import { deriveColumns } from './columns.js';
import type { AuditEvent, EventColumns } from './event.js';
import { parseEventTime } from './event-time.js';
import { isExpectedBody } from './expected-body.js';
import type { FindingList } from './finding-list.js';
import { isLeafOf } from './leaf.js';
import { readBody } from './read-body.js';
import type { StoredEvent } from './store.js';

/**
 * Checks what an event says about itself: its bytes against its leaf, its columns, its log and its id against its bytes.
 *
 * @param index the index of its entry, or null while it is pending
 * @param id the id by which it was found
 * @returns its time in milliseconds since 1970-01-01 UTC, or NaN where the bytes can not be read
 */
export function verifyEvent(
  stored: StoredEvent,
  log: string,
  index: number | null,
  id: string,
  findings: FindingList,
): number {
  if (!isLeafOf(stored.body, stored.leaf)) {
    const check = index === null ? 'pending-hash' : 'body-hash';
    findings.add(check, index, id, 'the stored bytes do not hash to the leaf that was written with them');
  }
  if (isExpectedBody(stored, log, id)) return parseEventTime(stored.columns.time);
  return inspectBody(stored, log, index, id, findings);
}

/** Parses the body and reports whatever differs. */
export function inspectBody(
  stored: StoredEvent,
  log: string,
  index: number | null,
  id: string,
  findings: FindingList,
): number {
  if (stored.log !== log) findings.add('row-log', index, id, `the row says that it belongs to ${stored.log}`);
  let event: AuditEvent;
  try {
    event = readBody(stored.body);
  } catch (error) {
    findings.add('body-readable', index, id, error instanceof Error ? error.message : String(error));
    return Number.NaN;
  }
  if (event.log !== log) findings.add('body-log', index, id, `the body says that it belongs to ${event.log}`);
  if (event.id !== id || stored.id !== id)
    findings.add('body-id', index, id, `the body is that of ${event.id}`);
  const columns = differingColumns(deriveColumns(event), stored.columns);
  if (columns !== null) findings.add('columns', index, id, `differs from the body: ${columns.join(', ')}`);
  return parseEventTime(event.time);
}

function differingColumns(derived: EventColumns, stored: EventColumns): readonly string[] | null {
  if (
    derived.time === stored.time &&
    derived.action === stored.action &&
    derived.category === stored.category &&
    derived.outcome === stored.outcome &&
    derived.actorType === stored.actorType &&
    derived.actorId === stored.actorId &&
    derived.resourceType === stored.resourceType &&
    derived.resourceId === stored.resourceId &&
    derived.tenant === stored.tenant &&
    derived.requestId === stored.requestId &&
    derived.transactionId === stored.transactionId &&
    derived.ip === stored.ip
  ) {
    return null;
  }
  const other = new Map<string, unknown>(Object.entries(stored));
  return Object.entries(derived)
    .filter(([name, value]) => other.get(name) !== value)
    .map(([name]) => name);
}
