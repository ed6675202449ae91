import assert from 'node:assert/strict';
import { auditErrorCode } from '../audit-error.js';
import type { ErrorCode } from '../error-codes.js';
import type { AuditStore, SealOutcome, StoreSupports } from '../store.js';
import { chainFault, chainSeal } from './chain-seal.js';
import type { RawEntry, RawSnapshot, StoreHarness } from './store-harness.js';

/** One case's database with the stores that it has opened. */
export class StoreSession {
  private readonly opened: AuditStore[] = [];

  constructor(
    readonly harness: StoreHarness,
    readonly supports: StoreSupports,
  ) {}

  async open(): Promise<AuditStore> {
    const store = await this.harness.open();
    this.opened.push(store);
    return store;
  }

  /** A store whose tables are there. */
  async ready(): Promise<AuditStore> {
    const store = await this.open();
    await store.migrate();
    return store;
  }

  /** A second store on the same database, or the same one where there can be only one. */
  async beside(store: AuditStore): Promise<AuditStore> {
    return this.supports.processes ? this.open() : store;
  }

  snapshot(): Promise<RawSnapshot> {
    return this.harness.raw.snapshot();
  }

  async dispose(): Promise<void> {
    try {
      for (const store of this.opened) await store.close();
    } finally {
      await this.harness.dispose();
    }
  }
}

export type StoreCase = (session: StoreSession) => Promise<void>;

/** Cases of one subject, by their names. */
export type StoreCases = Readonly<Record<string, StoreCase>>;

export function sealSome(store: AuditStore, log: string, limit = 1_000): Promise<SealOutcome> {
  return store.seal({ log, limit, compute: chainSeal(log) });
}

/** Seals until nothing is pending, trying again while another seal is on. */
export async function sealAll(store: AuditStore, log: string, limit = 1_000): Promise<number> {
  let sealed = 0;
  for (let tries = 0; tries < 2_000; tries += 1) {
    const outcome = await sealSome(store, log, limit);
    sealed += outcome.sealed;
    if (outcome.busy) await pause(1 + Math.random() * 4);
    else if (outcome.sealed === 0) return sealed;
  }
  throw new Error(`the log ${log} could not be sealed: always busy`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function collect<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

export async function rejectsWith(code: ErrorCode, call: () => Promise<unknown>, what = code): Promise<void> {
  try {
    await call();
  } catch (error) {
    assert.equal(auditErrorCode(error), code, `${what}: rejected with ${String(error)}`);
    return;
  }
  assert.fail(`${what}: expected ${code}, and nothing was thrown`);
}

export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array, `${what} is not bytes`);
  assert.equal(Buffer.compare(actual, expected), 0, `${what} came back altered`);
}

export function entriesOf(snapshot: RawSnapshot, log: string): RawEntry[] {
  return snapshot.entries.filter((entry) => entry.log === log);
}

/** The chain of the log holds, and its head states its end. */
export function assertChain(snapshot: RawSnapshot, log: string, size: number): void {
  const entries = entriesOf(snapshot, log);
  assert.equal(entries.length, size, `entries of ${log}`);
  assert.equal(chainFault(entries), null);
  assert.equal(new Set(entries.map((entry) => entry.eventId)).size, size, 'an event is sealed twice');
  const head = snapshot.heads.find((row) => row.log === log);
  assert.equal(head?.size ?? 0, size, 'the size in the head');
  const last = entries.at(-1);
  if (head !== undefined && last !== undefined) sameBytes(head.hash, last.hash, "the head's hash");
}

/** Every event is pending or an entry, and never both. */
export function assertNoneAstray(snapshot: RawSnapshot): void {
  const pending = new Set(snapshot.pending.map((row) => row.id));
  const sealed = new Set(snapshot.entries.map((row) => row.eventId));
  for (const { id } of snapshot.events) {
    assert.ok(pending.has(id) !== sealed.has(id), `${id} is ${pending.has(id) ? 'both' : 'neither'}`);
  }
}
