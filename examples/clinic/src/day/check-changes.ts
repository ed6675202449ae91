import type { AuditEvent, JsonValue } from '@indelible/core';
import { isEqual } from './is-equal.js';
import type { TrailEntry } from './read-trail.js';

/** One change of the day whose values are known. */
interface KnownChange {
  readonly action: string;
  readonly id: string;
  readonly field: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

const MASKED = { $indelible: 'masked' };

const KNOWN: readonly KnownChange[] = [
  // What is secret by its name is masked in the log, though the table has to hold it.
  { action: 'staff.created', id: '2', field: 'passwordHash', after: MASKED },
  { action: 'session.created', id: '1', field: 'tokenHash', after: MASKED },
  { action: 'patient.created', id: '1', field: 'name', after: 'Alan' },
  { action: 'appointment.created', id: '1', field: 'fee', after: '45.5' },
  {
    action: 'patient.updated',
    id: '1',
    field: 'contact',
    before: { phone: '555 0137', city: 'Manchester' },
    after: { phone: '555 0173', city: 'Manchester' },
  },
  // Two updates of one row, by two people.
  { action: 'appointment.updated', id: '1', field: 'status', before: 'booked', after: 'arrived' },
  { action: 'appointment.updated', id: '1', field: 'status', before: 'arrived', after: 'done' },
  { action: 'prescription_item.created', id: '1', field: 'doseMg', after: '400' },
  // Nested rows and column expressions: what the database computed.
  { action: 'drug.updated', id: '2', field: 'stock', before: 60, after: 40 },
  { action: 'drug.updated', id: '3', field: 'stock', before: 30, after: 20 },
  // The bulk update, row by row.
  { action: 'appointment.updated', id: '3', field: 'room', before: '1', after: '2' },
  { action: 'appointment.updated', id: '4', field: 'room', before: '1', after: '2' },
  // The deleted row, and what the database took away by cascade.
  { action: 'patient.deleted', id: '3', field: 'name', before: 'Barbra' },
  { action: 'appointment.deleted', id: '4', field: 'room', before: '2' },
  { action: 'staff.updated', id: '2', field: 'passwordHash', before: MASKED, after: MASKED },
  { action: 'staff.updated', id: '3', field: 'role', before: 'nurse', after: 'doctor' },
  // The raw statement, row by row. That appointment 2 was still booked is the rollback's doing.
  { action: 'appointment.updated', id: '2', field: 'status', before: 'booked', after: 'missed' },
  { action: 'appointment.updated', id: '3', field: 'status', before: 'booked', after: 'missed' },
];

/** Holds the known changes against the trail. @returns what is wrong */
export function checkChanges(entries: readonly TrailEntry[]): string[] {
  const events = entries.map(({ event }) => event);
  const failures = KNOWN.filter((known) => !events.some((event) => isKnown(event, known))).map(
    ({ action, id, field, before, after }) =>
      `no ${action} of ${id} with ${field} ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
  );
  for (const { action, resource, change } of events) {
    if (change !== undefined && change.fidelity !== 'exact') {
      failures.push(`${action} of ${resource?.id} is ${change.fidelity}, not exact`);
    }
  }
  // Of the transaction that was rolled back nothing may be found anywhere.
  if (events.some(({ change }) => JSON.stringify(change ?? null).includes('5000'))) {
    failures.push('the rolled-back prescription is on record');
  }
  return failures;
}

function isKnown({ action, resource, change }: AuditEvent, known: KnownChange): boolean {
  const matches = (actual: JsonValue | undefined, expected: JsonValue | undefined) =>
    expected === undefined || isEqual(actual, expected);
  return (
    action === known.action &&
    resource?.id === known.id &&
    matches(change?.before?.[known.field], known.before) &&
    matches(change?.after?.[known.field], known.after)
  );
}
