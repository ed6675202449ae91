import { afterEach, describe, expect, test } from 'vitest';
import { type AmbientContext, setContextProvider } from '../src/context-provider.js';
import type { Actor } from '../src/event.js';
import { createMemoryStore } from '../src/memory-store.js';
import { sharedState } from '../src/shared-state.js';
import { registerTransactionCarrier } from '../src/transaction-carrier.js';
import { createFaultyStore } from './faulty-store.js';
import { openAudit, storedEvents } from './open-audit.js';

let context: AmbientContext | undefined;
setContextProvider({ current: () => context });

afterEach(() => {
  context = undefined;
});

describe('record', () => {
  test('resolves with the id once the event is in the store', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store });
    const { id, where } = await audit.record({ action: 'invoice.exported', details: { format: 'pdf' } });
    expect(where).toBe('store');
    expect(await storedEvents(store)).toMatchObject([
      { id, action: 'invoice.exported', details: { format: 'pdf' } },
    ]);
  });

  test('two hundred concurrent calls share few appends', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => audit.record({ action: 'auth.login' })),
    );
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(200);
    expect(faulty.appends.length).toBeLessThanOrEqual(3);
    expect(await storedEvents(faulty.inner)).toHaveLength(200);
  });

  test('calls that arrive during an append share the next one', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    faulty.mood = { takesMs: 20 };
    const first = audit.record({ action: 'auth.login' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const rest = Array.from({ length: 50 }, () => audit.record({ action: 'auth.login' }));
    await Promise.all([first, ...rest]);
    expect(faulty.appends).toEqual([1, 50]);
  });

  test('writers that answer each other do not stop timers where the store is synchronous', async () => {
    const { audit } = openAudit({ store: createMemoryStore() });
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 5);
    for (let n = 0; n < 10_000 && !fired; n += 1) await audit.record({ action: 'auth.login' });
    expect(fired).toBe(true);
  });

  test('recordAll is one append of its own events together, whatever else is recorded', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    const many = Array.from({ length: 700 }, (_, n) => ({ action: 'invoice.sent', details: { n } }));
    const [recorded] = await Promise.all([audit.recordAll(many), audit.record({ action: 'auth.login' })]);
    expect(recorded).toHaveLength(700);
    expect([...faulty.appends].sort((one, other) => one - other)).toEqual([1, 700]);
    expect(await audit.recordAll([])).toEqual([]);
  });

  test('recordLater records without a promise, and flush waits for it', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    for (let n = 0; n < 100; n += 1) audit.recordLater({ action: 'request.completed', details: { n } });
    expect(faulty.appends).toEqual([]);
    await audit.flush();
    expect(faulty.appends).toEqual([100]);
    expect(audit.health()).toMatchObject({ recorded: 100, pending: 0, sealed: 100 });
  });

  test('recordLater counts an event that can not be made as lost, and tells of it', async () => {
    const store = createMemoryStore();
    const { audit, errors } = openAudit({ store });
    audit.recordLater({ action: 'no verb' });
    expect(audit.health().lost).toBe(1);
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_EVENT_LOST']);
    await audit.flush();
    expect(await storedEvents(store)).toMatchObject([{ action: 'audit.gap', details: { lost: 1 } }]);
  });

  test('an event that can not be made rejects its call alone', async () => {
    const { audit } = openAudit({ store: createMemoryStore() });
    await expect(audit.record({ action: 'no verb' })).rejects.toMatchObject({ code: 'AUDIT_EVENT_INVALID' });
    for (const wrong of [null, undefined, 7]) {
      // @ts-expect-error misuse
      await expect(audit.record(wrong)).rejects.toMatchObject({ code: 'AUDIT_EVENT_INVALID' });
    }
    expect(audit.health()).toMatchObject({ recorded: 0, lost: 0 });
  });

  test('records nothing where the context is paused', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    context = { paused: true };
    expect(await audit.record({ action: 'auth.login' })).toMatchObject({ where: 'paused' });
    expect(await audit.recordAll([{ action: 'auth.login' }, { action: 'auth.login' }])).toMatchObject([
      { where: 'paused' },
      { where: 'paused' },
    ]);
    audit.recordLater({ action: 'auth.login' });
    expect(await audit.prepare([{ action: 'auth.login' }])).toEqual([]);
    await audit.flush();
    expect(faulty.appends).toEqual([]);
  });

  test('an event of a tenant goes to the log of the tenant', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store, origin: 'clinic' });
    context = { tenant: 'north wing' };
    await audit.record({ action: 'auth.login' });
    context = undefined;
    await audit.record({ action: 'auth.login' });
    await audit.flush();
    expect((await store.logs()).map(({ log }) => log)).toEqual(['clinic', 'clinic/north%20wing']);
    expect((await audit.verify()).map(({ result }) => result)).toEqual(['valid', 'valid']);
  });
});

describe('the actor of an event', () => {
  const ada: Actor = { type: 'user', id: 'ada' };

  test('is asked for when the event is recorded, each time', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store });
    let actor: Actor | undefined;
    context = { actor: () => actor };
    await audit.record({ action: 'auth.login' });
    actor = ada;
    await audit.record({ action: 'auth.login' });
    context = { actor: async () => ({ type: 'user', id: 'grace' }) };
    await audit.record({ action: 'auth.login' });
    audit.recordLater({ action: 'auth.logout' });
    await audit.flush();
    const ids = (await storedEvents(store)).map((event) => event.actor.id);
    expect(ids).toEqual(['unknown', 'ada', 'grace', 'grace']);
  });

  test('is not asked for where the event names one', async () => {
    const store = createMemoryStore();
    const { audit, errors } = openAudit({ store });
    context = {
      actor: () => {
        throw new Error('no session');
      },
    };
    await audit.record({ action: 'auth.login', actor: ada });
    expect(await storedEvents(store)).toMatchObject([{ actor: ada }]);
    expect(errors).toEqual([]);
  });

  const failing: Readonly<Record<string, NonNullable<AmbientContext['actor']>>> = {
    'a function that throws': () => {
      throw new Error('no session');
    },
    'a function that rejects': () => Promise.reject(new Error('no session')),
    'a function that never answers': () => new Promise(() => {}),
    // @ts-expect-error what plain JavaScript can return
    'a function that returns no actor': () => ({ name: 'ada' }),
    // @ts-expect-error what plain JavaScript can return
    'a function that promises no actor': async () => 7,
  };
  for (const [what, actor] of Object.entries(failing)) {
    for (const onMissingActor of ['system', 'throw'] as const) {
      test(`loses no event to ${what}, with onMissingActor ${onMissingActor}`, async () => {
        const store = createMemoryStore();
        const { audit, errors } = openAudit({ store, storeTimeoutMs: 50, onMissingActor });
        context = { actor, requestId: 'r-1' };
        await audit.record({ action: 'auth.login', tags: ['web'] });
        expect(await storedEvents(store)).toMatchObject([
          {
            actor: { type: 'system', id: 'unknown' },
            tags: ['actor-failed', 'web'],
            context: { requestId: 'r-1' },
          },
        ]);
        expect(errors.map(({ code }) => code)).toEqual(['AUDIT_ACTOR_FAILED']);
      });
    }
  }

  test('that is missing is refused with onMissingActor `throw`', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store, onMissingActor: 'throw' });
    await expect(audit.record({ action: 'auth.login' })).rejects.toMatchObject({
      code: 'AUDIT_ACTOR_MISSING',
    });
    expect(await storedEvents(store)).toEqual([]);
  });
});

describe('record with a transaction', () => {
  test('hands the events to the one that carries it', async () => {
    const tx = {};
    const seen: string[] = [];
    registerTransactionCarrier({
      carries: (candidate) => candidate === tx,
      record: async (_tx, inputs) => {
        seen.push(...inputs.map(({ action }) => action));
        return inputs.map((_, at) => `id-${at}`);
      },
    });
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    expect(await audit.record({ action: 'invoice.sent' }, { tx })).toEqual({
      id: 'id-0',
      where: 'transaction',
    });
    expect(
      await audit.recordAll([{ action: 'invoice.paid' }, { action: 'invoice.closed' }], { tx }),
    ).toHaveLength(2);
    expect(seen).toEqual(['invoice.sent', 'invoice.paid', 'invoice.closed']);
    expect(faulty.appends).toEqual([]);
    sharedState().transactionCarriers.pop();
  });

  test('refuses one that nobody carries', async () => {
    const { audit } = openAudit({ store: createMemoryStore() });
    await expect(audit.record({ action: 'invoice.sent' }, { tx: {} })).rejects.toMatchObject({
      code: 'AUDIT_TRANSACTION_UNKNOWN',
    });
  });
});

describe('what ORM packages call', () => {
  test('committed events are counted and sealed', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store });
    const events = await audit.prepare([{ action: 'patient.created' }, { action: 'patient.updated' }]);
    await store.append(events);
    audit.committed(events);
    expect(audit.health()).toMatchObject({ recorded: 2, pending: 2 });
    await audit.flush();
    expect(audit.health()).toMatchObject({ recorded: 2, pending: 0, sealed: 2 });
  });

  test('delivered events follow the policy of their category', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    const events = await audit.prepare([
      { action: 'auth.login' },
      { action: 'patient.updated', category: 'data' },
    ]);
    faulty.mood = 'down';
    const [login, patient] = events;
    expect(login && (await audit.deliver([login]))).toMatchObject([{ where: 'spool' }]);
    await expect(audit.deliver(patient ? [patient] : [])).rejects.toMatchObject({
      code: 'AUDIT_STORE_UNAVAILABLE',
    });
    expect(audit.policy('data')).toBe('strict');
    expect(audit.policy('request')).toBe('spool');
    faulty.mood = 'up';
  });
});

describe('the life of an audit', () => {
  test('nothing is opened or written before the first event, and nothing but it is needed', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store, lifecycleEvents: true });
    audit.offerStore({ url: 'file:./never.db' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(faulty.appends).toEqual([]);
    await audit.close();
    expect(faulty.appends).toEqual([]);
  });

  test('start and stop are recorded around the events', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store, lifecycleEvents: true });
    await audit.record({ action: 'auth.login' });
    await audit.close();
    const actions = (await storedEvents(store)).map(({ action }) => action);
    expect(actions).toEqual(['audit.started', 'auth.login', 'audit.stopped']);
    expect((await store.logs())[0]).toMatchObject({ events: 3, pending: 0, entries: 3 });
  });

  test('close drains what is on its way, is idempotent, and leaves a store that was passed in open', async () => {
    const faulty = createFaultyStore();
    const { audit } = openAudit({ store: faulty.store });
    faulty.mood = { takesMs: 20 };
    const recorded = audit.record({ action: 'auth.login' });
    audit.recordLater({ action: 'auth.logout' });
    await Promise.all([audit.close(), audit.close()]);
    expect((await recorded).where).toBe('store');
    expect(await faulty.inner.list()).toHaveLength(2);
    await faulty.inner.check();
  });

  test('after close each call says so', async () => {
    const { audit, errors } = openAudit({ store: createMemoryStore() });
    await audit.close();
    await expect(audit.record({ action: 'auth.login' })).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
    await expect(audit.recordAll([{ action: 'auth.login' }])).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
    await expect(audit.store()).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
    await expect(audit.seal()).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
    audit.recordLater({ action: 'auth.login' });
    expect(errors.map(({ code }) => code)).toEqual(['AUDIT_EVENT_LOST']);
  });

  test('close ends also while the store is down: the events wait in the spool for the next process', async () => {
    const faulty = createFaultyStore();
    const first = openAudit({ store: faulty.store });
    faulty.mood = 'down';
    await first.audit.record({ action: 'auth.login' });
    await first.audit.close();
    faulty.mood = 'up';
    const { audit } = openAudit({ store: faulty.store, spool: { directory: first.spoolDirectory } });
    await audit.record({ action: 'auth.logout' });
    await audit.flush();
    expect((await storedEvents(faulty.inner)).map(({ action }) => action)).toEqual([
      'auth.login',
      'auth.logout',
    ]);
  });
});
