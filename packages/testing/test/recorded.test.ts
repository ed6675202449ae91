import { AssertionError } from 'node:assert';
import { runWithContext } from '@indelible/context';
import { configureAudit, createMemoryStore, defineActions, getAudit } from '@indelible/core';
import { afterEach, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import {
  assertRecorded,
  assertRecordedExactly,
  assertVerifies,
  createTestAudit,
  type TestAudit,
} from '../src/index.js';
import { auditMatchers } from '../src/vitest.js';

expect.extend(auditMatchers);

function openLog(options?: Parameters<typeof createTestAudit>[0]): TestAudit {
  const log = createTestAudit(options);
  onTestFinished(() => log.audit.close());
  return log;
}

const ada = { type: 'user', id: 'ada' } as const;

afterEach(() => configureAudit({ store: createMemoryStore() }).close());

test('the events of a test are at hand as they are stored, sealed and without those of the audit itself', async () => {
  const log = openLog();
  await runWithContext({ actor: ada, tenant: 'north' }, () =>
    log.audit.record({ action: 'invoice.exported', details: { password: 'hunter22', at: new Date(0) } }),
  );
  const [event, ...more] = await log.events();
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    action: 'invoice.exported',
    actor: ada,
    log: 'audit/north',
    details: { password: { $indelible: 'masked' }, at: '1970-01-01T00:00:00.000Z' },
  });
  const [listed] = await (await log.audit.store()).list();
  expect(listed?.index).toBe(0);
  expect(log.errors).toEqual([]);
});

test('what was forgotten is no longer among the events, and still in the log', async () => {
  const log = openLog();
  await log.audit.record({ action: 'fixture.made' });
  await log.forget();
  await log.audit.record({ action: 'invoice.exported' });
  await expect(log).toHaveRecordedExactly([{ action: 'invoice.exported' }]);
  expect(await (await log.audit.store()).list()).toHaveLength(2);
});

test('more events than fit on a page of the store are all there, in their order', async () => {
  const log = openLog();
  const actions = Array.from({ length: 1_001 }, (_, at) => `page.event${at}`);
  await log.audit.recordAll(actions.map((action) => ({ action })));
  expect((await log.events()).map(({ action }) => action)).toEqual(actions);
});

test('it is the default audit where the test asks for that, and only there', async () => {
  const aside = openLog();
  const log = openLog({ asDefault: true });
  await getAudit().record({ action: 'invoice.exported' });
  await expect(log).toHaveRecordedExactly([{ action: 'invoice.exported' }]);
  await expect(aside).toHaveRecordedExactly([]);
});

test('a write of the audit that fails reaches the caller or the errors, and no other test', async () => {
  const store = createMemoryStore();
  const seen: Error[] = [];
  const log = createTestAudit({ store, onError: (error) => seen.push(error) });
  await store.close();
  await expect(log.audit.record({ action: 'invoice.exported' })).rejects.toMatchObject({
    code: 'AUDIT_CLOSED',
  });
  log.audit.recordLater({ action: 'invoice.exported' });
  await log.audit.close();
  expect(log.errors.length).toBeGreaterThan(0);
  expect(seen).toEqual(log.errors);
  const next = openLog();
  await next.audit.record({ action: 'invoice.exported' });
  await expect(next).toHaveRecordedExactly([{ action: 'invoice.exported' }]);
});

test('the actions of a catalogue are typed', async () => {
  const actions = defineActions({ 'invoice.exported': { category: 'billing' } });
  const log = createTestAudit({ actions });
  await log.audit.record('invoice.exported', { reason: 'month end' });
  await assertRecordedExactly(log, [{ action: 'invoice.exported', category: 'billing' }]);
  // @ts-expect-error not in the catalogue
  expectTypeOf(log.audit.record).toBeCallableWith('invoice.shredded', {});
  await log.audit.close();
});

test('exactly these events: one too many, one too few, another order and another value are told', async () => {
  const log = openLog();
  await log.audit.record({ action: 'first.done', actor: ada });
  await log.audit.record({ action: 'second.done', actor: ada, outcome: 'denied' });

  await expect(log).toHaveRecordedExactly([
    { action: 'first.done', actor: { id: 'ada' } },
    { action: expect.stringContaining('second'), id: expect.any(String), resource: undefined },
  ]);
  const wrong = [
    [[{ action: 'first.done' }], /recorded 2, which nobody expected:[\s\S]*second\.done/],
    [[{ action: 'first.done' }, {}, {}], /expected 3, which nothing matches: \{\}/],
    [
      [{ action: 'second.done' }, { action: 'first.done' }],
      /expected 1, [\s\S]*expected 2, [\s\S]*recorded 1, /,
    ],
    [[{ action: 'first.done' }, { outcome: 'success' }], /2\. second\.done by user ada \(denied\)/],
    [[{ resource: undefined }, { actor: undefined }], /expected 2/],
  ] as const;
  for (const [expected, message] of wrong) {
    await expect(assertRecordedExactly(log, expected)).rejects.toThrow(message);
    await expect(expect(log).toHaveRecordedExactly(expected)).rejects.toThrow(message);
    await expect(log).not.toHaveRecordedExactly(expected);
  }
  await expect(assertRecordedExactly(log, [])).rejects.toBeInstanceOf(AssertionError);
});

test('in any order each event counts once, whatever else it would match', async () => {
  const log = openLog();
  await log.audit.record({ action: 'page.read', resource: { type: 'Page', id: '1' } });
  await log.audit.record({ action: 'page.read', resource: { type: 'Page', id: '2' } });
  await log.audit.record({ action: 'page.closed' });
  const any = { order: 'any' } as const;
  await expect(log).toHaveRecordedExactly(
    [{ action: 'page.closed' }, { action: 'page.read' }, { resource: { id: '1' } }],
    any,
  );
  await expect(log).not.toHaveRecordedExactly(
    [{ action: 'page.closed' }, { resource: { id: '1' } }, { resource: { id: '1' } }],
    any,
  );
  await expect(log).not.toHaveRecordedExactly([{ action: 'page.read' }, { action: 'page.read' }], any);
});

test('one such event among others', async () => {
  const log = openLog();
  await expect(assertRecorded(log, { action: 'page.read' })).rejects.toThrow(/nothing was recorded/);
  await log.audit.record({ action: 'page.read', tags: ['a', 'b'], details: { list: [1, { two: 2 }] } });
  await expect(log).toHaveRecorded({ tags: ['a', 'b'], details: { list: [1, { two: 2 }] } });
  await expect(log).not.toHaveRecorded({ tags: ['a'] });
  await expect(log).not.toHaveRecorded({ tags: { 0: 'a' } });
  await expect(log).not.toHaveRecorded({ details: { list: [1, { two: '2' }] } });
  await expect(log).not.toHaveRecorded({ details: { list: [1] } });
});

test('the log verifies, unless it was tampered with or there is none', async () => {
  const store = createMemoryStore();
  const log = openLog({ store });
  await expect(assertVerifies(log)).rejects.toThrow(/nothing to verify/);
  await log.audit.record({ action: 'page.read' });
  await expect(log).toVerify();
  await assertVerifies(log);

  const append = store.entries;
  store.entries = async function* (...args) {
    for await (const batch of append(...args)) {
      yield batch.map((entry) => ({
        ...entry,
        event: entry.event && {
          ...entry.event,
          body: Buffer.from(Buffer.from(entry.event.body).toString().replace('page.read', 'page.sold')),
        },
      }));
    }
  };
  await expect(log).not.toVerify();
  await expect(assertVerifies(log)).rejects.toThrow(
    /the log audit is invalid[\s\S]*AUDIT_BODY_MISMATCH at 0/,
  );
});

test('a matcher on something else is a mistake of the test', async () => {
  await expect(expect(7).toHaveRecordedExactly([])).rejects.toThrow(TypeError);
  await expect(expect({}).toVerify()).rejects.toThrow(TypeError);
  await expect(expect(openLog()).toHaveNoUnauditedWrite()).rejects.toThrow(TypeError);
});
