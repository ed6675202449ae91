import { createHash } from 'node:crypto';
import type { EventColumns, PreparedEvent } from '../event.js';

export const SAMPLE_LOG = 'audit';

export interface SampleOptions {
  readonly log?: string;
  readonly body?: Uint8Array;
  readonly columns?: Partial<EventColumns>;
}

/** The id of the n-th sample: UUIDv7 in form, ascending. */
export function sampleId(n: number): string {
  return `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`;
}

/**
 * The n-th event. Its bytes are what the suite wants them to be and need not be JSON: a store does not look into them.
 */
export function sampleEvent(n: number, options: SampleOptions = {}): PreparedEvent {
  const body = options.body ?? new TextEncoder().encode(JSON.stringify({ v: 1, n, note: 'Ada’s entry ✓' }));
  return {
    id: sampleId(n),
    log: options.log ?? SAMPLE_LOG,
    category: 'data',
    body,
    leaf: leafOf(body),
    columns: {
      time: new Date(1_700_000_000_000 + n).toISOString(),
      action: 'patient.updated',
      category: 'data',
      outcome: 'success',
      actorType: 'user',
      actorId: 'ada',
      resourceType: 'Patient',
      resourceId: String(n),
      tenant: null,
      requestId: null,
      transactionId: null,
      ip: null,
      ...options.columns,
    },
  };
}

export function sampleEvents(from: number, to: number, options?: SampleOptions): PreparedEvent[] {
  return Array.from({ length: to - from }, (_, at) => sampleEvent(from + at, options));
}

export function leafOf(body: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(0)).update(body).digest();
}
