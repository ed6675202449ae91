import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AuditError } from '../src/audit-error.js';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import type { AuditStore } from '../src/store.js';
import { createUuidV7 } from '../src/uuid.js';
import { eventually, openAudit, storedEvents } from './open-audit.js';

const LOGIN = { action: 'auth.login' } as const;

/** A store whose database refuses the row of one event, as it does where a stray row of its id waits already. */
function storeThatRefuses(id: string): AuditStore {
  const store = createMemoryStore();
  return {
    ...store,
    append: async (events) => {
      if (events.some((event) => event.id === id))
        throw new AuditError('AUDIT_INSERT_ONLY', 'core', 'UNIQUE constraint failed');
      return store.append(events);
    },
  };
}

describe('an event whose row the database refuses', () => {
  test('does not take along the events that share its append', async () => {
    const id = createUuidV7();
    const store = storeThatRefuses(id);
    const { audit } = openAudit({ store, policy: { auth: 'strict' } });
    const results = await Promise.allSettled([
      audit.record(LOGIN),
      audit.record({ ...LOGIN, id }),
      audit.record(LOGIN),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await storedEvents(store)).toHaveLength(2);
  });

  test('does not hold up the spool behind it, and is kept for people', async () => {
    const id = createUuidV7();
    const store = storeThatRefuses(id);
    let isDown = true;
    const flaky: AuditStore = {
      ...store,
      append: async (events) => {
        if (isDown) throw new Error('down');
        return store.append(events);
      },
    };
    const { audit, spoolDirectory } = openAudit({ store: flaky });
    await audit.record(LOGIN);
    await audit.record({ ...LOGIN, id });
    await audit.record(LOGIN);
    isDown = false;
    await eventually(() => audit.health().spooled === 0, 'the spool is empty');
    await audit.flush();
    expect((await storedEvents(store)).filter(({ action }) => action === 'auth.login')).toHaveLength(2);
    expect(audit.health().lost).toBe(1);
    expect(readdirSync(spoolDirectory).filter((name) => name.endsWith('.rejected'))).toHaveLength(1);
  });
});

test('an event that a failing database refuses again and again, while it takes the next one, is not lost', async () => {
  const id = createUuidV7();
  const store = createMemoryStore();
  let isDown = true;
  let refusals = 0;
  const flaky: AuditStore = {
    ...store,
    append: async (events) => {
      const isCut = events.some((event) => event.id === id) && refusals < 4;
      if (isCut && !isDown) refusals += 1;
      if (isDown || isCut) throw new Error('the connection was cut');
      return store.append(events);
    },
  };
  const { audit, spoolDirectory } = openAudit({ store: flaky });
  await audit.record({ ...LOGIN, id });
  await audit.record(LOGIN);
  isDown = false;
  await eventually(() => audit.health().spooled === 0, 'the spool is empty');
  await audit.flush();
  expect(refusals).toBe(4);
  expect((await storedEvents(store)).map((event) => event.id)).toContain(id);
  expect(audit.health().lost).toBe(0);
  expect(readdirSync(spoolDirectory).filter((name) => name.endsWith('.rejected'))).toEqual([]);
});

test('pending events that are not vouched for do not keep those behind them from being sealed', async () => {
  const store = createMemoryStore();
  const { audit: before } = openAudit({ store, sealAfterMs: false });
  await before.recordAll(Array.from({ length: 600 }, () => LOGIN));
  for (const event of getMemoryTables(store).events.values()) event.body[0] = 0;
  const { audit, errors } = openAudit({ store });
  const { id } = await audit.record(LOGIN);
  await audit.flush();
  expect((await store.find(id))?.index).toBe(0);
  expect(errors.filter(({ code }) => code === 'AUDIT_EVENT_REFUSED').length).toBeGreaterThan(100);
  const [verdict] = await audit.verify();
  expect(verdict?.result).toBe('invalid');
  expect(new Set(verdict?.findings.map(({ code }) => code))).toEqual(
    new Set(['AUDIT_PENDING_MISMATCH', 'AUDIT_EVENT_UNREADABLE']),
  );
});
