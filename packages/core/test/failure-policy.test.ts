import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createFaultyStore } from './faulty-store.js';
import { eventually, openAudit, storedEvents } from './open-audit.js';
import { temporaryDirectory } from './temporary-directory.js';

const LOGIN = { action: 'auth.login', resource: { type: 'User', id: 'ada' } } as const;
const INVOICE = { action: 'invoice.sent', category: 'data' } as const;

function files(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

describe('a store that is down', () => {
  test('fails the operation under `strict`, with one clear error', async () => {
    const faulty = createFaultyStore();
    const { audit, errors } = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    await expect(audit.record(INVOICE)).rejects.toMatchObject({
      name: 'AuditError',
      code: 'AUDIT_STORE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(audit.health()).toMatchObject({ ok: false, recorded: 0, lost: 0 });
    expect(errors).toEqual([]);
    faulty.mood = 'up';
    expect(await audit.record(INVOICE)).toMatchObject({ where: 'store' });
    expect(audit.health()).toMatchObject({ ok: true, lastError: null });
  });

  test('sends events to the spool under `spool`, and they come to the store in order when it is back', async () => {
    const faulty = createFaultyStore();
    const { audit, errors, spoolDirectory } = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const recorded = await audit.record({ ...LOGIN, details: { n } });
      expect(recorded.where).toBe('spool');
      ids.push(recorded.id);
    }
    expect(audit.health()).toMatchObject({ ok: false, recorded: 5, spooled: 5, lost: 0 });
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_STORE_UNAVAILABLE']);
    expect(await storedEvents(faulty.inner)).toEqual([]);
    faulty.mood = 'up';
    await eventually(
      async () => (await storedEvents(faulty.inner)).length === 5,
      'the spool is replayed by itself',
    );
    expect((await storedEvents(faulty.inner)).map(({ id }) => id)).toEqual(ids);
    await audit.flush();
    expect(audit.health()).toMatchObject({ ok: true, spooled: 0, pending: 0, sealed: 5 });
    expect(files(spoolDirectory)).toEqual([]);
    expect((await audit.record(LOGIN)).where).toBe('store');
  });

  test('loses events under `continue`, tells of it, and records the gap when it is back', async () => {
    const faulty = createFaultyStore();
    const { audit, errors } = openAudit({ store: faulty.store, policy: { request: 'continue' } });
    faulty.mood = 'down';
    const request = { action: 'request.completed', category: 'request' } as const;
    expect((await audit.record(request)).where).toBe('lost');
    audit.recordLater(request);
    audit.recordLater(request);
    await eventually(() => audit.health().lost === 3, 'three are lost');
    expect(audit.health()).toMatchObject({ ok: false, recorded: 0 });
    expect(errors.map(({ code }) => code)).toContain('AUDIT_EVENT_LOST');
    faulty.mood = 'up';
    await eventually(
      async () => (await storedEvents(faulty.inner)).length > 0,
      'the gap is recorded by itself',
    );
    const [gap] = await storedEvents(faulty.inner);
    expect(gap).toMatchObject({ action: 'audit.gap', category: 'system', details: { lost: 3 } });
    expect(await storedEvents(faulty.inner)).toHaveLength(1);
  });

  test('does not lose the gap itself when the process ends first', async () => {
    const faulty = createFaultyStore();
    const directory = `${temporaryDirectory()}/spool`;
    const options = { store: faulty.store, spool: { directory }, policy: { auth: 'continue' } } as const;
    const first = openAudit(options);
    faulty.mood = 'down';
    await first.audit.record(LOGIN);
    await first.audit.close();
    faulty.mood = 'up';
    const second = openAudit(options);
    await second.audit.record(INVOICE);
    await eventually(async () => (await storedEvents(faulty.inner)).length === 2, 'the gap is there');
    expect(await faulty.inner.list({ action: 'audit.gap' })).toHaveLength(1);
  });

  test('rejects a flush, and keeps what is spooled', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    await audit.record(LOGIN);
    await expect(audit.flush()).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
    faulty.mood = 'up';
    await audit.flush();
    expect(await storedEvents(faulty.inner)).toHaveLength(1);
  });

  test('makes the events of one recordAll follow the strictest of their policies', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    for (const inputs of [
      [LOGIN, INVOICE],
      [INVOICE, LOGIN],
    ]) {
      await expect(audit.recordAll(inputs)).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
    }
    expect(audit.health()).toMatchObject({ spooled: 0, lost: 0 });
  });
});

describe('an outage in the middle of a replay', () => {
  test('is outlived: what was replayed is not replayed again, and the order stays', async () => {
    const faulty = createFaultyStore();
    const { audit, spoolDirectory } = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    await audit.record(LOGIN);
    const told = await Promise.all(Array.from({ length: 1_200 }, () => audit.record(LOGIN)));
    expect(told.every(({ where }) => where === 'spool')).toBe(true);
    const stop = setInterval(() => {
      if (faulty.appends.filter((events) => events === 500).length > 0) faulty.mood = 'down';
    }, 0);
    faulty.appends.length = 0;
    faulty.mood = { takesMs: 20 };
    await eventually(() => faulty.appends.length > 1 && !audit.health().ok, 'the second outage is noticed');
    clearInterval(stop);
    const inBetween = (await storedEvents(faulty.inner)).length;
    expect(inBetween).toBe(500);
    expect(audit.health()).toMatchObject({ spooled: 701, replayed: 500, lost: 0 });
    const late = await audit.record(LOGIN);
    expect(late.where).toBe('spool');
    faulty.appends.length = 0;
    faulty.mood = 'up';
    await audit.flush();
    const stored = (await storedEvents(faulty.inner)).map(({ id }) => id);
    expect(stored.slice(1)).toEqual([...told.map(({ id }) => id), late.id]);
    expect(faulty.appends.reduce((sum, events) => sum + events, 0)).toBe(702);
    expect(files(spoolDirectory)).toEqual([]);
  });
});

describe('a store that hangs', () => {
  test('fails the operation under `strict` after `storeTimeoutMs`', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, storeTimeoutMs: 60 });
    faulty.mood = 'hanging';
    const start = Date.now();
    await expect(audit.record(INVOICE)).rejects.toMatchObject({ code: 'AUDIT_STORE_TIMEOUT' });
    expect(Date.now() - start).toBeGreaterThanOrEqual(50);
    faulty.mood = 'up';
    expect((await audit.record(INVOICE)).where).toBe('store');
    faulty.release();
  });

  test('sends events to the spool, and an append that succeeds later doubles nothing', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, storeTimeoutMs: 60 });
    faulty.mood = 'hanging';
    const { id, where } = await audit.record(LOGIN);
    expect(where).toBe('spool');
    faulty.mood = 'up';
    await eventually(async () => (await faulty.inner.find(id)) !== null, 'the spool is replayed');
    faulty.release();
    await audit.flush();
    expect(await storedEvents(faulty.inner)).toHaveLength(1);
    expect(audit.health()).toMatchObject({ recorded: 1, sealed: 1, lost: 0, spooled: 0 });
  });

  test('a commit whose answer is lost doubles nothing', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, storeTimeoutMs: 60 });
    faulty.mood = 'late';
    expect((await audit.record(LOGIN)).where).toBe('spool');
    faulty.mood = 'up';
    await audit.flush();
    faulty.release();
    expect(await storedEvents(faulty.inner)).toHaveLength(1);
    const verdicts = await audit.verify();
    expect(verdicts.map(({ result }) => result)).toEqual(['valid']);
  });

  test('is not waited for by events that may be spooled: they are safe long before the timeout', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, storeTimeoutMs: 20_000 });
    faulty.mood = 'hanging';
    const start = Date.now();
    const outcomes = await Promise.all([audit.record(LOGIN), audit.record(LOGIN)]);
    expect(outcomes.map(({ where }) => where)).toEqual(['spool', 'spool']);
    const later = Date.now();
    expect((await audit.record(LOGIN)).where).toBe('spool');
    expect(Date.now() - later).toBeLessThan(1_000);
    expect(later - start).toBeLessThan(5_000);
    faulty.mood = 'up';
    faulty.release();
    await audit.flush();
    expect(await storedEvents(faulty.inner)).toHaveLength(3);
  });

  test('is not asked again and again while earlier calls have not come back', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, storeTimeoutMs: 20 });
    faulty.mood = 'hanging';
    for (let n = 0; n < 10; n += 1) await audit.record(INVOICE).catch(() => {});
    expect(faulty.appends.length).toBe(4);
    faulty.mood = 'up';
    faulty.release();
    await eventually(
      () =>
        audit.record(INVOICE).then(
          () => true,
          () => false,
        ),
      'it works again',
    );
  });

  test('keeps memory bounded: beyond `maxBuffered` the policy applies', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, maxBuffered: 10, policy: { request: 'continue' } });
    faulty.mood = 'hanging';
    const strict = Array.from({ length: 10 }, () => audit.record(INVOICE).catch(() => null));
    await expect(audit.record(INVOICE)).rejects.toMatchObject({
      code: 'AUDIT_STORE_UNAVAILABLE',
      message: expect.stringContaining('maxBuffered'),
    });
    expect((await audit.record(LOGIN)).where).toBe('spool');
    audit.recordLater({ action: 'request.completed', category: 'request' });
    expect(audit.health()).toMatchObject({ lost: 1, pending: 10 });
    faulty.mood = 'up';
    faulty.release();
    await Promise.all(strict);
    await audit.flush();
    const actions = (await storedEvents(faulty.inner)).map(({ action }) => action);
    expect(actions.filter((action) => action === 'invoice.sent')).toHaveLength(10);
    expect(actions).toContain('audit.gap');
    expect(actions).toContain('auth.login');
  });
});

test('a store that is slow only delays', async () => {
  const faulty = createFaultyStore();
  const { audit } = openAudit({ store: faulty.store });
  faulty.mood = { takesMs: 30 };
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => audit.record(LOGIN)));
  expect(outcomes.every(({ where }) => where === 'store')).toBe(true);
  expect(audit.health()).toMatchObject({ ok: true, recorded: 20, lost: 0 });
});

describe('a spool that fails too', () => {
  test('a full one rejects the call, and the event is counted and told of as lost', async () => {
    const faulty = createFaultyStore();
    const directory = `${temporaryDirectory()}/spool`;
    const { audit, errors } = openAudit({ store: faulty.store, spool: { directory, maxBytes: 900 } });
    faulty.mood = 'down';
    expect((await audit.record(LOGIN)).where).toBe('spool');
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => audit.record(LOGIN)));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'AUDIT_SPOOL_FULL' } });
    expect(audit.health().lost).toBe(refused.length);
    expect(errors.map(({ code }) => code)).toContain('AUDIT_EVENT_LOST');
    faulty.mood = 'up';
    await audit.flush();
    const gaps = await faulty.inner.list({ action: 'audit.gap' });
    expect(gaps).toHaveLength(1);
    expect(await storedEvents(faulty.inner)).toHaveLength(1 + (4 - refused.length) + 1);
  });

  test('one that can not be written is told of, and a store that works takes the event all the same', async () => {
    const faulty = createFaultyStore();
    const file = `${temporaryDirectory()}/file`;
    writeFileSync(file, '');
    const { audit } = openAudit({ store: faulty.store, spool: { directory: `${file}/spool` } });
    faulty.mood = 'down';
    await expect(audit.record(LOGIN)).rejects.toMatchObject({ code: 'AUDIT_SPOOL_UNAVAILABLE' });
    faulty.mood = 'up';
    expect((await audit.record(LOGIN)).where).toBe('store');
    expect(audit.health().lost).toBe(1);
  });
});

describe('one event that no store takes', () => {
  test('does not fail the events that share its append', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    const { id } = await audit.record(INVOICE);
    const outcomes = await Promise.allSettled([
      audit.record(INVOICE),
      audit.record({ ...INVOICE, id, details: { other: true } }),
      audit.record(LOGIN),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'AUDIT_ID_CONFLICT' } });
    expect(await storedEvents(faulty.inner)).toHaveLength(3);
  });

  test('does not hold up the spool behind it', async () => {
    const faulty = createFaultyStore();
    const poisoned = {
      ...faulty.store,
      append: async (events: Parameters<typeof faulty.store.append>[0]) => {
        if (events.some(({ columns }) => columns.actorId === 'poison')) throw new Error('value too long');
        return faulty.store.append(events);
      },
    };
    const { audit, errors, spoolDirectory } = openAudit({ store: poisoned });
    faulty.mood = 'down';
    await audit.record(LOGIN);
    await audit.record({ ...LOGIN, actor: { type: 'user', id: 'poison' } });
    await audit.record(LOGIN);
    await audit.record(LOGIN);
    faulty.mood = 'up';
    await audit.flush();
    expect(await faulty.inner.list({ action: 'auth.login' })).toHaveLength(3);
    expect(await faulty.inner.list({ action: 'audit.gap' })).toHaveLength(1);
    expect(audit.health()).toMatchObject({ lost: 1, spooled: 0 });
    expect(errors.map(({ code }) => code)).toContain('AUDIT_EVENT_LOST');
    expect(files(spoolDirectory).map((name) => name.split('.').at(-1))).toEqual(['rejected']);
  });
});
