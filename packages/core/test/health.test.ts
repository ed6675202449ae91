import { expect, test } from 'vitest';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import { openAudit } from './open-audit.js';

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
