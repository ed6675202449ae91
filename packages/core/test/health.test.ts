import { expect, test } from 'vitest';
import { DEFAULT_POLICIES } from '../src/failure-policy.js';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import { createFaultyStore } from './faulty-store.js';
import { eventually, openAudit } from './open-audit.js';

const LOGIN = { action: 'auth.login' } as const;

test('health is not well again because events are stored, while a log can not be sealed', async () => {
  const store = createMemoryStore();
  const { audit } = openAudit({ store, sealAfterMs: 5 });
  await audit.record(LOGIN);
  await audit.flush();
  expect(audit.health()).toMatchObject({ ok: true, lastError: null });
  const { heads } = getMemoryTables(store);
  const head = heads.get('audit');
  if (head === undefined) throw new Error('there is no head');
  heads.set('audit', { ...head, size: 0 });
  for (let n = 0; n < 3; n += 1) {
    await audit.record(LOGIN);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await audit.record({ ...LOGIN, context: { tenant: 'north' } });
  expect(audit.health()).toMatchObject({ ok: false, lastError: { code: 'AUDIT_HEAD_INVALID' } });
  heads.set('audit', head);
  await audit.seal();
  expect(audit.health()).toMatchObject({ ok: true, lastError: null });
});

test('health says that an event is not vouched for, for as long as it waits', async () => {
  const store = createMemoryStore();
  const { audit: before } = openAudit({ store, sealAfterMs: false });
  await before.record(LOGIN);
  for (const event of getMemoryTables(store).events.values()) event.body[0] = 0;
  const { audit } = openAudit({ store });
  for (let n = 0; n < 3; n += 1) {
    await audit.record(LOGIN);
    await audit.flush();
  }
  expect(audit.health()).toMatchObject({ ok: false, lastError: { code: 'AUDIT_EVENT_REFUSED' } });
});

test('a head that was deleted is told of once, and not tried again and again', async () => {
  const store = createMemoryStore();
  let seals = 0;
  const counting: typeof store = {
    ...store,
    seal: (request) => {
      seals += 1;
      return store.seal(request);
    },
  };
  const { audit, errors } = openAudit({ store: counting, sealAfterMs: 5 });
  await audit.record(LOGIN);
  await audit.flush();
  getMemoryTables(store).heads.clear();
  seals = 0;
  for (let n = 0; n < 5; n += 1) {
    await audit.record(LOGIN);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  expect(errors.map(({ code }) => code)).toEqual(['AUDIT_INSERT_ONLY']);
  expect(seals).toBe(1);
  expect(audit.health()).toMatchObject({ ok: false, pending: 5 });
});

test('health says since when the oldest event waits, in the spool and for its seal', async () => {
  const faulty = createFaultyStore();
  const { audit } = openAudit({ store: faulty.store, sealAfterMs: false });
  expect(audit.health()).toMatchObject({ oldestPendingMs: null, oldestSpooledMs: null, spooledBytes: 0 });
  await audit.record(LOGIN);
  faulty.mood = 'down';
  await audit.record(LOGIN);
  await audit.record(LOGIN);
  const before = Date.now();
  while (Date.now() - before < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  const { oldestPendingMs, oldestSpooledMs, spooledBytes, spooled, pending } = audit.health();
  expect(oldestPendingMs).toBeGreaterThanOrEqual(20);
  expect(oldestSpooledMs).toBeGreaterThanOrEqual(20);
  expect(spooledBytes).toBeGreaterThan(400);
  expect({ spooled, pending }).toEqual({ spooled: 2, pending: 1 });
  faulty.mood = 'up';
  await audit.flush();
  expect(audit.health()).toMatchObject({ replayed: 2, spooled: 0, oldestSpooledMs: null });
  await audit.seal();
  expect(audit.health()).toMatchObject({ oldestPendingMs: null, pending: 0, sealed: 3 });
});

test('health says which policy is in use, who seals and when that last went well', async () => {
  const { audit } = openAudit({ store: createMemoryStore(), policy: { request: 'continue' } });
  expect(audit.health()).toMatchObject({
    policies: { ...DEFAULT_POLICIES, request: 'continue' },
    sealer: { by: 'own', lastSuccess: null, lastError: null },
  });
  const before = Date.now();
  await audit.record(LOGIN);
  await audit.flush();
  expect(audit.health().sealer.lastSuccess?.getTime()).toBeGreaterThanOrEqual(before);
});

test('health tells why a log is not sealed, until it is again', async () => {
  const store = createMemoryStore();
  let down = false;
  const { audit } = openAudit({
    store: {
      ...store,
      seal: async (request) => {
        if (down) throw new Error('connection terminated');
        return store.seal(request);
      },
    },
    sealAfterMs: 5,
  });
  await audit.record(LOGIN);
  await audit.flush();
  const { lastSuccess } = audit.health().sealer;
  down = true;
  await audit.record(LOGIN);
  await eventually(() => audit.health().sealer.lastError !== null, 'a seal fails');
  expect(audit.health()).toMatchObject({
    ok: false,
    pending: 1,
    sealer: { lastSuccess, lastError: { code: 'AUDIT_STORE_UNAVAILABLE' } },
  });
  down = false;
  await eventually(() => audit.health().pending === 0, 'it is sealed');
  expect(audit.health().sealer.lastError).toBeNull();
});

test('checkHealth asks the store, and a store that is down, hangs or is closed is an answer', async () => {
  const store = createMemoryStore();
  let mood: 'up' | 'down' | 'hanging' = 'up';
  const asked = {
    ...store,
    check: async () => {
      if (mood === 'down') throw new Error('connect ECONNREFUSED postgres://ada:secret@db/app');
      if (mood === 'hanging') await new Promise(() => {});
    },
  };
  const { audit } = openAudit({ store: asked, sealAfterMs: false, storeTimeoutMs: 50 });
  expect(audit.health().store).toBeNull();
  await audit.recordAll([LOGIN, LOGIN]);
  expect((await audit.checkHealth()).store).toMatchObject({
    reachable: true,
    error: null,
    pending: 2,
    partitionsAhead: null,
    oldestPendingMs: expect.any(Number),
  });
  mood = 'down';
  const { store: down } = await audit.checkHealth();
  expect(down).toMatchObject({ reachable: false, pending: null, oldestPendingMs: null });
  expect(down?.error?.message).not.toContain('secret');
  mood = 'hanging';
  for (let n = 0; n < 8; n += 1) {
    expect((await audit.checkHealth()).store?.error).toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
  }
  expect(audit.health().store?.reachable).toBe(false);
  mood = 'up';
  await audit.close();
  expect((await audit.checkHealth()).store?.reachable).toBe(false);
});

test('checkHealth tells a store that may not be read from one that is not there', async () => {
  const store = createMemoryStore();
  const blind = {
    ...store,
    inspect: async () => {
      throw new Error('permission denied for table audit_pending');
    },
  };
  const { audit } = openAudit({ store: blind, sealing: 'external' });
  await audit.record(LOGIN);
  expect((await audit.checkHealth()).store).toMatchObject({
    reachable: true,
    pending: null,
    error: { message: expect.stringContaining('permission denied') },
  });
});
