import { setTimeout as sleep } from 'node:timers/promises';
import { AuditError, configureAudit, createMemoryStore, getAudit } from '@indelible/core';
import { expect, test } from 'vitest';
import { runWithContext, withoutAudit } from '../src/index.js';
import { createTestLog, SECRET } from './log-of.js';

const reason = 'backfill of 2019';

test('what a pause covers is not recorded, and the pause is', async () => {
  const { audit, events } = createTestLog();
  const result = await runWithContext({ actor: { type: 'system', id: 'import' } }, () =>
    withoutAudit(
      async () => {
        await audit.record({ action: 'patient.imported' });
        return 7;
      },
      { reason, audit },
    ),
  );
  expect(result).toBe(7);
  const [paused, resumed, ...more] = await events();
  expect(more).toEqual([]);
  expect(paused).toMatchObject({
    action: 'audit.paused',
    category: 'system',
    reason,
    actor: { id: 'import' },
  });
  expect(resumed).toMatchObject({
    action: 'audit.resumed',
    outcome: 'success',
    reason,
    actor: { id: 'import' },
    details: { pausedBy: paused?.id },
  });
});

test('a pause ends with an exception, thrown at once or later', async () => {
  const { audit, events } = createTestLog();
  const failing = [
    () => {
      throw new RangeError('on purpose');
    },
    async () => {
      await sleep(1);
      throw new RangeError('on purpose');
    },
  ];
  for (const fn of failing) {
    await expect(withoutAudit(fn, { reason, audit })).rejects.toThrow(RangeError);
    await audit.record({ action: 'patient.imported' });
  }
  const found = await events();
  expect(found.map((event) => [event.action, event.outcome])).toEqual([
    ['audit.paused', 'success'],
    ['audit.resumed', 'failure'],
    ['patient.imported', 'success'],
    ['audit.paused', 'success'],
    ['audit.resumed', 'failure'],
    ['patient.imported', 'success'],
  ]);
});

test('a pause inside a pause ends without ending the outer one', async () => {
  const { audit, events } = createTestLog();
  await withoutAudit(
    async () => {
      await withoutAudit(() => audit.record({ action: 'patient.imported' }), { reason: 'inner', audit });
      expect((await audit.record({ action: 'patient.imported' })).where).toBe('paused');
    },
    { reason, audit },
  );
  expect((await events()).map((event) => event.reason)).toEqual([reason, reason]);
});

test('work that outlives the pause is recorded', async () => {
  const { audit, events } = createTestLog();
  let late: Promise<unknown> | undefined;
  await withoutAudit(
    () => {
      late = sleep(20).then(() => audit.record({ action: 'patient.imported' }));
    },
    { reason, audit },
  );
  await late;
  expect((await events()).map((event) => event.action)).toContain('patient.imported');
});

test('what can not be recorded as paused is not paused and not run', async () => {
  const { audit } = createTestLog();
  await audit.close();
  let ran = false;
  const attempt = withoutAudit(
    () => {
      ran = true;
    },
    { reason, audit },
  );
  await expect(attempt).rejects.toThrow(AuditError);
  expect(ran).toBe(false);
});

test('a pause needs a reason', async () => {
  const call: (...args: unknown[]) => Promise<unknown> = withoutAudit as never;
  await expect(call(() => 1)).rejects.toThrow(TypeError);
  await expect(call(() => 1, { reason: ' ' })).rejects.toThrow(TypeError);
  await expect(call('fn', { reason })).rejects.toThrow(TypeError);
});

test('the default audit is used where none is passed', async () => {
  const store = createMemoryStore();
  const audit = configureAudit({ store, lifecycleEvents: false, hmacKey: SECRET });
  await withoutAudit(() => undefined, { reason });
  expect((await store.list()).map((event) => event.columns.action)).toEqual([
    'audit.paused',
    'audit.resumed',
  ]);
  await audit.close();
});

test('an audit pauses by its own `without`, the default one too, and says so in itself', async () => {
  const { audit, events } = createTestLog();
  const result = await audit.without(
    async () => {
      await audit.record({ action: 'patient.imported' });
      return 7;
    },
    { reason },
  );
  expect(result).toBe(7);
  expect((await events()).map((event) => [event.action, event.reason])).toEqual([
    ['audit.paused', reason],
    ['audit.resumed', reason],
  ]);
  const call: (...args: unknown[]) => Promise<unknown> = audit.without.bind(audit) as never;
  await expect(call(() => 1)).rejects.toThrow(TypeError);

  const store = createMemoryStore();
  const configured = configureAudit({ store, lifecycleEvents: false, hmacKey: SECRET });
  await getAudit().without(() => getAudit().record({ action: 'patient.imported' }), { reason });
  expect((await store.list()).map((event) => event.columns.action)).toEqual([
    'audit.paused',
    'audit.resumed',
  ]);
  await configured.close();
});
