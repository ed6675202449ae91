import type { JsonObject, ListedEvent } from '@indelible/core';

/** An event as a store lists it, with this body. */
export function listedEvent(
  body: JsonObject | string,
  place: { index: number | null; log?: string } = { index: 0 },
): ListedEvent {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
  return {
    id: '0190a8d0-0000-7000-8000-000000000001',
    log: place.log ?? 'audit',
    body: bytes,
    leaf: new Uint8Array(32),
    columns: {
      time: '2026-03-01T09:30:00.123Z',
      action: 'patient.updated',
      category: 'data',
      outcome: 'success',
      actorType: 'user',
      actorId: 'ada',
      resourceType: 'Patient',
      resourceId: '7',
      tenant: null,
      requestId: null,
      transactionId: null,
      ip: null,
    },
    index: place.index,
    sealedAt: place.index === null ? null : 1_772_357_400_123_456n,
  };
}

export function patientUpdate(overrides: JsonObject = {}): JsonObject {
  return {
    v: 1,
    id: '0190a8d0-0000-7000-8000-000000000001',
    log: 'audit',
    time: '2026-03-01T09:30:00.123Z',
    action: 'patient.updated',
    category: 'data',
    actor: { type: 'user', id: 'ada' },
    resource: { type: 'Patient', id: '7' },
    outcome: 'success',
    change: {
      operation: 'update',
      before: { phone: '555-1', active: false },
      after: { phone: null, active: true },
      fields: ['phone', 'active'],
      fidelity: 'exact',
    },
    context: { requestId: 'r-1' },
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...overrides,
  };
}
