import { canonicalize } from '../src/canonical-json.js';
import { deriveColumns } from '../src/columns.js';
import type { AuditEvent, PreparedEvent } from '../src/event.js';
import { deriveKeys } from '../src/keys.js';
import { hashLeaf } from '../src/leaf.js';
import { createSealBatch } from '../src/seal-batch.js';
import type { Verdict } from '../src/verdict.js';
import { TamperingStore } from './tampering-store.js';

export const SECRET = 'a secret of more than thirty-two bytes';
export const KEYS = deriveKeys(SECRET);
export const OTHER_KEYS = deriveKeys('another secret of more than thirty-two bytes');
/** The time of all events, and one second before that of their sealing. */
export const TIME = '2025-11-21T22:48:00.123Z';
export const SEALED_AT = BigInt(Date.parse(TIME) + 1_000) * 1000n;

export function eventId(n: number): string {
  return `0198c7a0-1234-7abc-8def-${n.toString(16).padStart(12, '0')}`;
}

export function makeEvent(n: number, overrides: Partial<AuditEvent> = {}): AuditEvent {
  return {
    v: 1,
    id: eventId(n),
    log: 'audit',
    time: TIME,
    action: 'patient.updated',
    category: 'data',
    actor: { type: 'user', id: '42' },
    resource: { type: 'Patient', id: `${n}` },
    outcome: 'success',
    context: { requestId: 'r-1', source: 'http' },
    details: { note: `visit ${n}` },
    salt: 'AAECAwQFBgcICQoLDA0ODw==',
    ...overrides,
  };
}

export function prepare(event: AuditEvent): PreparedEvent {
  const body = Buffer.from(canonicalize(JSON.parse(JSON.stringify(event))));
  const { id, log, category } = event;
  return { id, log, category, body, leaf: hashLeaf(body), columns: deriveColumns(event) };
}

/** A store whose log holds `size` sealed events. */
export async function sealedLog(
  size: number,
  options: {
    keys?: typeof KEYS | undefined;
    keyedFrom?: number;
    log?: string;
    store?: TamperingStore;
    from?: number;
  } = {
    keys: KEYS,
  },
): Promise<TamperingStore> {
  const { log = 'audit', store = new TamperingStore(), from = 0 } = options;
  const events = Array.from({ length: size }, (_, i) => prepare(makeEvent(from + i, { log })));
  await store.append(events);
  await store.seal({ log, limit: size, compute: createSealBatch({ ...options, clock: () => SEALED_AT }) });
  return store;
}

/** Appends events to a log and seals them, as a sealer does that knows the keys. */
export async function sealMore(store: TamperingStore, from: number, count: number): Promise<void> {
  await store.append(Array.from({ length: count }, (_, i) => prepare(makeEvent(from + i))));
  await store.seal({
    log: 'audit',
    limit: count,
    compute: createSealBatch({ keys: KEYS, keyedFrom: 1_000, clock: () => SEALED_AT }),
  });
}

/** What a verdict lists as not checked. */
export function notChecked(verdict: Verdict): readonly string[] {
  return verdict.notChecked.map(({ what }) => what);
}
