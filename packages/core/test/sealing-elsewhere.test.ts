import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/memory-store.js';
import { createFaultyStore } from './faulty-store.js';
import { openAudit, storedEvents } from './open-audit.js';

const LOGIN = { action: 'auth.login' } as const;

/** A memory store that a process without rights on the log's own tables would have. */
function insertOnly() {
  const store = createMemoryStore();
  const forbidden: string[] = [];
  const refuse = (name: string) => async () => {
    forbidden.push(name);
    throw new Error(`permission denied: ${name}`);
  };
  return {
    store,
    forbidden,
    writing: { ...store, seal: refuse('seal'), pendingLogs: refuse('pendingLogs'), head: refuse('head') },
  };
}

test('where another process seals, this one never tries, and flush resolves when its events are stored', async () => {
  const { store, forbidden, writing } = insertOnly();
  const { audit, errors } = openAudit({ store: writing, sealing: 'external', lifecycleEvents: true });
  await audit.record(LOGIN);
  audit.recordLater(LOGIN);
  await audit.flush();
  expect(await storedEvents(store)).toHaveLength(3);
  expect(audit.health()).toMatchObject({
    ok: true,
    recorded: 3,
    pending: 0,
    sealed: 0,
    sealer: { by: 'external', lastSuccess: null },
  });
  await audit.close();
  expect(await storedEvents(store)).toHaveLength(4);
  expect({ forbidden, errors }).toEqual({ forbidden: [], errors: [] });
});

test('it refuses to seal when it is asked to: without the key it would begin a log that has none', async () => {
  const { store, forbidden, writing } = insertOnly();
  const { audit } = openAudit({ store: writing, sealing: 'external' });
  await audit.record(LOGIN);
  await expect(audit.seal()).rejects.toMatchObject({ code: 'AUDIT_SEALED_ELSEWHERE' });
  expect(forbidden).toEqual([]);
  expect((await store.logs())[0]).toMatchObject({ pending: 1, hasHead: false });
});

test('flush brings what is spooled to the store there too', async () => {
  const faulty = createFaultyStore();
  const { audit } = openAudit({ store: faulty.store, sealing: 'external' });
  faulty.mood = 'down';
  expect((await audit.record(LOGIN)).where).toBe('spool');
  await expect(audit.flush()).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  faulty.mood = 'up';
  await audit.flush();
  expect(await storedEvents(faulty.inner)).toHaveLength(1);
});
