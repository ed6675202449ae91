import type { FindingCode } from '../src/finding-codes.js';
import type { Check } from '../src/verify-checks.js';
import type { VerifyLogOptions } from '../src/verify-log.js';
import { eventId, type KEYS, makeEvent, prepare, SEALED_AT } from './make-event.js';
import { linkOf } from './rewrite-log.js';
import type { EntryRow, EventRow, TamperingStore } from './tampering-store.js';

/** What was done behind the log's back, and exactly what verification has to say to it. */
export interface Tampering {
  readonly name: string;
  /** The log of eight entries is sealed with this key; undefined: with none. */
  readonly keys: typeof KEYS | undefined;
  readonly tamper: (store: TamperingStore) => Promise<void> | void;
  readonly options?: VerifyLogOptions;
  readonly expected: readonly (readonly [FindingCode, number | null])[];
  /** The check without which nobody would notice. */
  readonly only?: Check;
}

export const DAY_US = 24n * 60n * 60n * 1_000_000n;

export function event(store: TamperingStore, n: number): EventRow {
  const found = store.events.find(({ id }) => id === eventId(n));
  if (found === undefined) throw new Error(`no event ${n}`);
  return found;
}

export function entry(store: TamperingStore, index: number): EntryRow {
  const found = store.entryRows.find((row) => row.index === index);
  if (found === undefined) throw new Error(`no entry ${index}`);
  return found;
}

export function head(store: TamperingStore) {
  const [found] = store.heads;
  if (found === undefined) throw new Error('no head');
  return found;
}

export function editBody(store: TamperingStore, n: number): Buffer {
  const body = Buffer.from(Buffer.from(event(store, n).body).toString().replace('visit', 'visat'));
  event(store, n).body = body;
  return body;
}

export function deleteEntry(store: TamperingStore, index: number): void {
  const { eventId: id } = entry(store, index);
  store.entryRows = store.entryRows.filter((row) => row.index !== index);
  store.events = store.events.filter((row) => row.id !== id);
}

export async function append(store: TamperingStore, n: number): Promise<void> {
  await store.append([prepare(makeEvent(n))]);
}

/** An event that stands in the log by the attacker's hand, at any index. */
export async function forgeEntry(store: TamperingStore, n: number, index: number): Promise<EntryRow> {
  await append(store, n);
  store.pendingRows = store.pendingRows.filter(({ id }) => id !== eventId(n));
  const { leaf } = event(store, n);
  const hash = linkOf(undefined, head(store).hash, Math.max(index, 0), SEALED_AT, leaf);
  const row = { log: 'audit', index, eventId: eventId(n), leaf, hash, sealedAt: SEALED_AT };
  store.entryRows.push(row);
  return row;
}
