import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AuditOptions } from '../src/audit.js';
import { createAudit } from '../src/create-audit.js';
import type { AuditEvent } from '../src/event.js';
import { deriveKeys } from '../src/keys.js';
import { createMemoryStore } from '../src/memory-store.js';
import { createSealBatch } from '../src/seal-batch.js';
import type { AuditStore } from '../src/store.js';
import { createUuidV7, uuidTime } from '../src/uuid.js';
import { verifyLog } from '../src/verify-log.js';
import { createFaultyStore } from './faulty-store.js';
import { makeEvent, prepare } from './make-event.js';
import { eventually, KEY, openAudit, storedEvents } from './open-audit.js';
import { temporaryDirectory } from './temporary-directory.js';

const HOUR = 3_600_000;
const LOGIN = { action: 'auth.login', resource: { type: 'User', id: 'ada' } } as const;

const clock = Date.now;
let ahead = 0;
vi.spyOn(Date, 'now').mockImplementation(() => clock() + ahead);

/** Never back again: the ids of one process rise. */
function pass(hours: number): void {
  ahead += hours * HOUR;
}

interface Outage {
  readonly hours: number;
  readonly options?: Partial<AuditOptions>;
  readonly events?: number;
}

/** Events that wait in the spool for so long, and are in the log then. */
async function surviveOutage({ hours, options, events = 3 }: Outage) {
  const faulty = createFaultyStore();
  const opened = openAudit({ store: faulty.store, ...options });
  faulty.mood = 'down';
  const ids: string[] = [];
  for (const { id } of await opened.audit.recordAll(Array(events).fill(LOGIN))) ids.push(id);
  await eventually(() => faulty.appends.length > 2, 'the recovery has tried while the events were fresh');
  pass(hours);
  faulty.mood = 'up';
  await opened.audit.flush();
  return { ...opened, store: faulty.inner, ids };
}

async function notices(store: AuditStore): Promise<AuditEvent[]> {
  return (await storedEvents(store)).filter(({ action }) => action === 'audit.replayed');
}

/** Inserts an event into the log as somebody can who may write the table and has no key. */
async function insert(store: AuditStore, event: AuditEvent): Promise<void> {
  await store.append([prepare(event)]);
}

describe('events that waited in the spool for longer than verification allows', () => {
  test('are no finding: the log says that they waited, and the verdict that their time is not checked', async () => {
    const { audit, store, ids } = await surviveOutage({ hours: 50 });
    const [notice] = await notices(store);
    expect(await notices(store)).toHaveLength(1);
    expect(notice).toMatchObject({
      category: 'system',
      actor: { type: 'system', id: 'indelible' },
      details: { replayed: 3, ids, oldest: uuidTime(ids[0] ?? '').toISOString() },
    });
    const [verdict] = await audit.verify();
    expect(verdict).toMatchObject({ result: 'valid', size: 4, findings: [] });
    const delayed = verdict?.notChecked.find(({ what }) => what === 'delayed');
    expect(delayed?.detail).toContain('3 entries, from index 0 on');
  });

  test('of one hour and less are not worth an event', async () => {
    const { store, audit } = await surviveOutage({ hours: 0.9 });
    expect(await notices(store)).toEqual([]);
    const [verdict] = await audit.verify();
    expect(verdict?.result).toBe('valid');
    expect(verdict?.notChecked.map(({ what }) => what)).not.toContain('delayed');
  });

  test('are told of in the log of their tenant each, however the tenant is called', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    const tenants = ['clinic', 'a/b é', 'nul\0', '\ud800', 'x'.repeat(500)];
    for (const tenant of tenants) await audit.record({ ...LOGIN, context: { tenant } });
    await audit.record(LOGIN);
    pass(50);
    faulty.mood = 'up';
    await audit.flush();
    const verdicts = await audit.verify();
    expect(verdicts.map(({ result, size }) => [result, size])).toEqual(Array(6).fill(['valid', 2]));
  });

  test('are many, and each is named in a notice that fits', async () => {
    const { audit, store } = await surviveOutage({
      hours: 50,
      events: 5_300,
      options: { maxEventBytes: 4_096 },
    });
    expect((await notices(store)).length).toBeGreaterThan(100);
    const [verdict] = await audit.verify();
    expect(verdict).toMatchObject({ result: 'valid', findings: [] });
    expect(verdict?.notChecked.find(({ what }) => what === 'delayed')?.detail).toContain('5300 entries');
  });

  test('are excused where there is no key, and for entries that are older than the key', async () => {
    const faulty = createFaultyStore();
    const spool = { directory: `${temporaryDirectory()}/spool` };
    const audit = createAudit({ store: faulty.store, spool, lifecycleEvents: false, onError: () => {} });
    onTestFinished(() => audit.close());
    faulty.mood = 'down';
    await audit.record(LOGIN);
    pass(50);
    faulty.mood = 'up';
    await audit.flush();
    const [verdict] = await audit.verify();
    expect(verdict).toMatchObject({ result: 'valid', size: 2 });
    expect(verdict?.notChecked.map(({ what }) => what)).toContain('delayed');
    const keyed = await verifyLog(faulty.inner, 'audit', { keys: deriveKeys(KEY), keyedFrom: 2 });
    expect(keyed.findings.map(({ code }) => code)).not.toContain('AUDIT_TIME_SKEW');
  });

  test('get one notice also where the store answers too late to be believed', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, storeTimeoutMs: 60 });
    faulty.mood = 'down';
    await audit.record(LOGIN);
    pass(50);
    faulty.mood = { takesMs: 200 };
    await eventually(() => faulty.appends.length > 4, 'it was tried again');
    faulty.mood = 'up';
    await eventually(() => audit.health().spooled === 0, 'it is replayed');
    await audit.flush();
    expect(await notices(faulty.inner)).toHaveLength(1);
  });
});

describe('an event that is dated back', () => {
  const now = () => new Date(Date.now()).toISOString();
  const twoDaysAgo = () => new Date(Date.now() - 48 * HOUR);

  test('by the application itself is a finding, whether it waited or not', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    await audit.record({ ...LOGIN, time: new Date(Date.now() - 50 * HOUR) });
    faulty.mood = 'down';
    await audit.record({ ...LOGIN, time: new Date(Date.now() - 50 * HOUR) });
    pass(50);
    faulty.mood = 'up';
    await audit.flush();
    const [verdict] = await audit.verify();
    expect(verdict?.findings.map(({ code, index }) => [code, index])).toEqual([
      ['AUDIT_TIME_SKEW', 0],
      ['AUDIT_TIME_SKEW', 1],
    ]);
  });

  test.each([
    ['without a MAC', () => ({})],
    ['with a MAC of his own', () => ({ mac: Buffer.alloc(32, 7).toString('base64') })],
    ['with a MAC that is no text', () => ({ mac: 7 })],
  ])('by somebody who inserts it with a notice %s is a finding', async (_, mac) => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store });
    const id = createUuidV7(twoDaysAgo());
    await insert(store, makeEvent(0, { id, time: twoDaysAgo().toISOString() }));
    const details = { replayed: 1, oldest: now(), ids: [id], ...mac() };
    await insert(
      store,
      makeEvent(1, {
        id: createUuidV7(),
        time: now(),
        action: 'audit.replayed',
        category: 'system',
        details,
      }),
    );
    await audit.seal();
    const [verdict] = await audit.verify();
    expect(verdict?.findings.map(({ code, index }) => [code, index])).toEqual([['AUDIT_TIME_SKEW', 0]]);
    expect(verdict?.notChecked.map(({ what }) => what)).not.toContain('delayed');
  });

  test('and put into a notice that was made for others, or for another log, is a finding', async () => {
    const { audit, store } = await surviveOutage({ hours: 50 });
    const [notice] = await notices(store);
    const id = createUuidV7(twoDaysAgo());
    const time = twoDaysAgo().toISOString();
    const kept = notice?.details?.ids;
    const ids = Array.isArray(kept) ? kept : [];
    const copy = { action: 'audit.replayed', category: 'system', time: now() } as const;
    await insert(store, makeEvent(0, { id, time }));
    await insert(
      store,
      makeEvent(1, { ...copy, id: createUuidV7(), details: { ...notice?.details, ids: [...ids, id] } }),
    );
    const [first = ''] = ids;
    const log = 'audit/other';
    const other = createMemoryStore();
    await insert(other, makeEvent(2, { id: String(first), log, time }));
    const details = notice?.details ?? {};
    await insert(other, makeEvent(3, { ...copy, id: createUuidV7(), log, details }));
    await audit.seal();
    const keys = deriveKeys(KEY);
    await other.seal({ log, limit: 9, compute: createSealBatch({ keys, log }) });
    const [own] = await audit.verify();
    const moved = await verifyLog(other, log, { keys });
    for (const findings of [own?.findings, moved.findings]) {
      expect(findings?.map(({ code }) => code)).toEqual(['AUDIT_TIME_SKEW']);
    }
  });
});
