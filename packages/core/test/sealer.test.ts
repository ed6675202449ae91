import { describe, expect, test } from 'vitest';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import type { AuditStore } from '../src/store.js';
import { eventually, KEY, openAudit } from './open-audit.js';

const LOGIN = { action: 'auth.login' } as const;

/** Events that another process has left pending. */
async function leavePending(store: AuditStore, count: number): Promise<void> {
  const { audit } = openAudit({ store, sealAfterMs: false });
  await audit.recordAll(Array.from({ length: count }, () => LOGIN));
}

describe('sealing', () => {
  test('happens by itself soon after an append', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store, sealAfterMs: 20 });
    await audit.record(LOGIN);
    expect(audit.health()).toMatchObject({ pending: 1, sealed: 0 });
    await eventually(() => audit.health().sealed === 1, 'the event is sealed');
    expect(audit.health()).toMatchObject({ pending: 0 });
  });

  test('is not put off by events that keep coming', async () => {
    const { audit } = openAudit({ store: createMemoryStore(), sealAfterMs: 30 });
    const end = Date.now() + 300;
    while (Date.now() < end) {
      await audit.record(LOGIN);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    expect(audit.health().sealed).toBeGreaterThan(0);
  });

  test('takes more than one transaction for many events', async () => {
    const store = createMemoryStore();
    const sizes: number[] = [];
    const counting = {
      ...store,
      seal: async (request: Parameters<AuditStore['seal']>[0]) => {
        const outcome = await store.seal(request);
        sizes.push(outcome.sealed);
        return outcome;
      },
    };
    const { audit } = openAudit({ store: counting });
    await audit.recordAll(Array.from({ length: 1_000 }, () => LOGIN));
    await audit.flush();
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect((await audit.verify())[0]).toMatchObject({ result: 'valid', size: 1_000 });
  });

  test('is waited for no longer than `drainTimeoutMs` while another process holds the lock', async () => {
    const store = createMemoryStore();
    const busy = { ...store, seal: async () => ({ sealed: 0, busy: true }) };
    const { audit, errors } = openAudit({ store: busy, sealAfterMs: 10_000, drainTimeoutMs: 100 });
    await audit.record(LOGIN);
    const started = performance.now();
    await expect(audit.flush()).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
    await audit.close();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_STORE_TIMEOUT']);
    expect(await store.pendingLogs()).toEqual(['audit']);
  });

  test('takes up what others left, with the first event', async () => {
    const store = createMemoryStore();
    await leavePending(store, 7);
    const { audit } = openAudit({ store, sealAfterMs: 10, origin: 'other' });
    await audit.record(LOGIN);
    await eventually(async () => (await store.pendingLogs()).length === 0, 'all is sealed');
  });

  test('of what others left is over before the store is closed under it', async () => {
    const store = createMemoryStore();
    await leavePending(store, 7);
    let looked = (): void => {};
    const looking = new Promise<void>((resolve) => {
      looked = resolve;
    });
    let isClosed = false;
    let usedWhenClosed = 0;
    const noteUse = (): void => {
      if (isClosed) usedWhenClosed += 1;
    };
    const slow: AuditStore = {
      ...store,
      pendingLogs: async () => {
        looked();
        await new Promise((resolve) => setTimeout(resolve, 100));
        noteUse();
        return store.pendingLogs();
      },
      seal: (request) => {
        noteUse();
        return store.seal(request);
      },
    };
    const { audit, errors } = openAudit({ store: slow, sealAfterMs: 1, origin: 'other' });
    await audit.record(LOGIN);
    await looking;
    await audit.close();
    isClosed = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(usedWhenClosed).toBe(0);
    expect(errors).toEqual([]);
  });

  test('is left to others with `sealAfterMs: false`, and flush does not wait for it', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store, sealAfterMs: false });
    await audit.record(LOGIN);
    await audit.flush();
    expect(await store.pendingLogs()).toEqual(['audit']);
    expect(await audit.seal()).toBe(1);
    expect(await store.pendingLogs()).toEqual([]);
  });

  test('tries again while another holds the lock', async () => {
    const store = createMemoryStore();
    let busy = 5;
    const contended = {
      ...store,
      seal: async (request: Parameters<AuditStore['seal']>[0]) => {
        busy -= 1;
        return busy >= 0 ? { sealed: 0, busy: true } : store.seal(request);
      },
    };
    const { audit } = openAudit({ store: contended, sealAfterMs: 5 });
    await audit.record(LOGIN);
    await eventually(() => audit.health().sealed === 1, 'it is sealed by itself');
    busy = 5;
    await audit.record(LOGIN);
    await audit.flush();
    expect(audit.health().sealed).toBe(2);
  });

  test('of events that another sealer was quicker with counts them as done', async () => {
    const store = createMemoryStore();
    const slow = openAudit({ store, sealAfterMs: 10_000 }).audit;
    await slow.record(LOGIN);
    const quick = openAudit({ store }).audit;
    await quick.seal();
    expect(slow.health().pending).toBe(1);
    await slow.flush();
    expect(slow.health()).toMatchObject({ pending: 0, sealed: 0 });
  });

  test('stops for a log whose head was altered, tells of it once, and leaves the events pending', async () => {
    const store = createMemoryStore();
    const { audit, errors } = openAudit({ store, sealAfterMs: 5 });
    await audit.record(LOGIN);
    await audit.flush();
    const { heads } = getMemoryTables(store);
    const head = heads.get('audit');
    if (head === undefined) throw new Error('there is no head');
    heads.set('audit', { ...head, size: 0 });
    for (let n = 0; n < 3; n += 1) {
      await audit.record(LOGIN);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_HEAD_INVALID']);
    expect((await store.logs())[0]).toMatchObject({ events: 4, pending: 3, entries: 1 });
    await expect(audit.flush()).rejects.toMatchObject({ code: 'AUDIT_HEAD_INVALID' });
    await expect(audit.seal()).rejects.toMatchObject({ code: 'AUDIT_HEAD_INVALID' });
    heads.set('audit', head);
    expect(await audit.seal()).toBe(3);
    expect((await audit.verify())[0]).toMatchObject({ result: 'valid', size: 4 });
  });

  test('with another key stops too, and other logs go on', async () => {
    const store = createMemoryStore();
    const first = openAudit({ store, origin: 'north' }).audit;
    await first.record(LOGIN);
    await first.flush();
    const other = openAudit({ store, origin: 'north', hmacKey: `${KEY} no more`, sealAfterMs: 5 });
    await other.audit.record(LOGIN);
    await other.audit.record({ ...LOGIN, context: { tenant: 'east' } });
    await eventually(async () => (await store.head('north/east')) !== null, 'the other log is sealed');
    expect(other.errors.map(({ code }) => code)).toContain('AUDIT_HEAD_INVALID');
    expect((await store.head('north'))?.size).toBe(1);
  });

  test('does not vouch for an event that was altered while it waited, and goes on with those behind it', async () => {
    const store = createMemoryStore();
    const { audit, errors } = openAudit({ store, sealAfterMs: false });
    const altered = await audit.recordAll(Array.from({ length: 300 }, () => LOGIN));
    const { events } = getMemoryTables(store);
    for (const { id } of altered) {
      const event = events.get(id);
      if (event !== undefined) events.set(id, { ...event, body: new TextEncoder().encode('{}') });
    }
    await audit.recordAll(Array.from({ length: 20 }, () => LOGIN));
    let sealed = 0;
    for (let round = 0; round < 4; round += 1) sealed += await audit.seal();
    expect(sealed).toBe(20);
    expect((await store.logs())[0]).toMatchObject({ events: 320, pending: 300, entries: 20 });
    expect(errors[0]).toMatchObject({ code: 'AUDIT_EVENT_REFUSED' });
  });
});
