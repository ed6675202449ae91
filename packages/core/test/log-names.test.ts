import { expect, test } from 'vitest';
import { logName } from '../src/log-name.js';
import { overflowLog } from '../src/log-names.js';
import { createMemoryStore } from '../src/memory-store.js';
import { createFaultyStore } from './faulty-store.js';
import { openAudit, storedEvents } from './open-audit.js';

const READ = { action: 'patient.read', category: 'access' } as const;
const of = (tenant: string) => ({ ...READ, context: { tenant } });

test('a flood of tenants makes no more logs than `maxLogs`, and loses no event', async () => {
  const store = createMemoryStore();
  const { audit, errors } = openAudit({ store, maxLogs: 3 });
  await audit.recordAll(Array.from({ length: 500 }, (_, at) => of(`random-${at}`)));
  await audit.flush();
  const logs = (await store.logs()).map(({ log }) => log).sort();
  expect(logs).toEqual(['audit/random-0', 'audit/random-1', 'audit/random-2', 'audit/~overflow']);
  const events = await storedEvents(store);
  expect(events).toHaveLength(500);
  expect(events.at(-1)).toMatchObject({ log: 'audit/~overflow', context: { tenant: 'random-499' } });
  expect(audit.health()).toMatchObject({
    sealed: 500,
    lost: 0,
    logs: { inUse: 3, limit: 3, overflowed: 497 },
  });
  expect((await audit.verify()).map(({ result }) => result)).toEqual(Array(4).fill('valid'));
  expect(errors.map(({ code }) => code)).toEqual(['AUDIT_LOGS_EXCEEDED']);
});

test('the tenants that were there first, and events without one, keep their logs', async () => {
  const store = createMemoryStore();
  const { audit } = openAudit({ store, maxLogs: 1 });
  for (const tenant of ['north', 'flood', 'north']) await audit.record(of(tenant));
  await audit.record(READ);
  const logs = (await storedEvents(store)).map(({ log }) => log);
  expect(logs).toEqual(['audit/north', 'audit/~overflow', 'audit/north', 'audit']);
});

test('the limit is told of once, and goes on being counted', async () => {
  const { audit, errors } = openAudit({ store: createMemoryStore(), maxLogs: 0 });
  for (let n = 0; n < 5; n += 1) {
    await audit.record(of(`t${n}`));
    await audit.flush();
  }
  expect(errors).toHaveLength(1);
  expect(audit.health().logs.overflowed).toBe(5);
});

test('no tenant can name the overflow log', () => {
  for (const tenant of ['~overflow', '%7Eoverflow', '../~overflow']) {
    expect(logName('audit', tenant)).not.toBe(overflowLog('audit'));
  }
});

test('a notice of a late replay stands in the log of its events, whichever that is by now', async () => {
  const faulty = createFaultyStore();
  const { audit, spoolDirectory } = openAudit({ store: faulty.store, maxLogs: 0 });
  faulty.mood = 'down';
  const hour = 3_600_000;
  const { createUuidV7 } = await import('../src/uuid.js');
  const id = createUuidV7(new Date(Date.now() - 30 * hour));
  await audit.record({ ...of('north'), id, time: new Date(Date.now() - 30 * hour) });
  await audit.close();
  faulty.mood = 'up';
  const next = openAudit({ store: faulty.store, spool: { directory: spoolDirectory } });
  await next.audit.record(READ);
  await expect.poll(async () => (await storedEvents(faulty.inner)).length).toBe(3);
  await next.audit.flush();
  const notice = (await storedEvents(faulty.inner)).find(({ action }) => action === 'audit.replayed');
  expect(notice).toMatchObject({ log: 'audit/~overflow', context: { tenant: 'north' } });
  const verdicts = await next.audit.verify();
  expect(verdicts.map(({ result }) => result)).toEqual(['valid', 'valid']);
});
