import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { verifyLog } from '../src/verify-log.js';
import { eventId, KEYS, notChecked, sealedLog, sealMore, TIME } from './make-event.js';
import { TamperingStore } from './tampering-store.js';

describe('a verification', () => {
  it('that runs while others seal answers for what was sealed when it began', async () => {
    const store = await sealedLog(8);
    let reads = 0;
    store.beforeHead = async () => {
      if (reads++ > 0) return;
      // After the first read of the head, before any entry.
      queueMicrotask(() => void sealMore(store, 8, 4));
    };
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(store.entryRows).toHaveLength(12);
    expect(verdict).toMatchObject({ result: 'valid', size: 8, findings: [] });
  });

  it('finds a forged entry also while others seal', async () => {
    const store = await sealedLog(8);
    const forged = { ...store.entryRows[0], log: 'audit', index: 40, eventId: eventId(77) };
    let reads = 0;
    store.beforeHead = async () => {
      if (reads++ === 0) queueMicrotask(() => void sealMore(store, 8, 4));
    };
    store.entryRows.push(forged as (typeof store.entryRows)[number]);
    const { findings } = await verifyLog(store, 'audit', { keys: KEYS });
    expect(findings).toContainEqual(expect.objectContaining({ code: 'AUDIT_ENTRY_UNEXPECTED', index: 40 }));
  });

  it('that is interrupted is incomplete, and says how far it came', async () => {
    const store = await sealedLog(200);
    const controller = new AbortController();
    store.batch = 50;
    store.beforeHead = () => controller.abort();
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, signal: controller.signal });
    expect(verdict).toMatchObject({ result: 'incomplete', findings: [] });
    expect(verdict.size).toBeLessThan(200);
    expect(notChecked(verdict)).toContain('interrupted');
  });

  it('that is interrupted after a finding is invalid', async () => {
    const store = await sealedLog(200);
    const controller = new AbortController();
    const [head] = store.heads;
    if (head !== undefined) head.mac = Buffer.alloc(32);
    store.beforeHead = () => controller.abort();
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, signal: controller.signal });
    expect(verdict.result).toBe('invalid');
  });

  it('that is interrupted says what it found in a batch that it did not finish', async () => {
    const store = await sealedLog(200);
    store.batch = 200;
    let clock = 0;
    // It rests whenever it looks at the clock.
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => (clock += 10));
    onTestFinished(() => spy.mockRestore());
    const controller = new AbortController();
    setImmediate(() => setImmediate(() => controller.abort()));
    const verdict = await verifyLog(store, 'audit', {
      keys: KEYS,
      maxSkewMs: 999,
      signal: controller.signal,
    });
    expect(verdict).toMatchObject({ result: 'invalid', size: 32 });
    expect(verdict.findings).toHaveLength(32);
  });

  it('lists at most `maxFindings` and says that there are more', async () => {
    const store = await sealedLog(20);
    for (const row of store.events) row.columns.ip = '10.0.0.1';
    const all = await verifyLog(store, 'audit', { keys: KEYS, maxFindings: 20 });
    const some = await verifyLog(store, 'audit', { keys: KEYS, maxFindings: 19 });
    const none = await verifyLog(store, 'audit', { keys: KEYS, maxFindings: 0 });
    expect([all.findings.length, all.truncated]).toEqual([20, false]);
    expect([some.findings.length, some.truncated]).toEqual([19, true]);
    expect([none.findings.length, none.truncated, none.result]).toEqual([0, true, 'invalid']);
  });

  it('takes another limit for the time between event and sealing', async () => {
    const store = await sealedLog(4);
    const strict = await verifyLog(store, 'audit', { keys: KEYS, maxSkewMs: 999 });
    const exact = await verifyLog(store, 'audit', { keys: KEYS, maxSkewMs: 1_000 });
    expect(strict.findings.map(({ code }) => code)).toEqual(Array(4).fill('AUDIT_TIME_SKEW'));
    expect(strict.findings[0]?.detail).toContain(TIME);
    expect(exact.result).toBe('valid');
  });

  it('tells of its progress up to the end', async () => {
    const store = await sealedLog(40);
    const told: [number, number][] = [];
    await verifyLog(store, 'audit', { keys: KEYS, onProgress: (done, total) => told.push([done, total]) });
    expect(told.at(-1)).toEqual([40, 40]);
  });

  it('lets the event loop run', async () => {
    const store = await sealedLog(4_000);
    store.batch = 4_000;
    let last = performance.now();
    let longest = 0;
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    let ticks = 0;
    const count = setInterval(() => ticks++, 1);
    await verifyLog(store, 'audit', { keys: KEYS });
    clearInterval(timer);
    clearInterval(count);
    expect(ticks).toBeGreaterThan(0);
    expect(longest).toBeLessThan(500);
  });

  it.each([
    [7 as unknown as string, {}],
    ['audit', { maxFindings: -1 }],
    ['audit', { maxSkewMs: Number.NaN }],
    ['audit', { keyedFrom: -1 }],
  ])('refuses options of the wrong form: %j %j', async (log, options) => {
    await expect(verifyLog(new TamperingStore(), log, options)).rejects.toThrow(TypeError);
  });

  it('passes on what the store throws', async () => {
    const store = await sealedLog(4);
    store.beforeHead = () => {
      throw new Error('the disk is gone');
    };
    await expect(verifyLog(store, 'audit', { keys: KEYS })).rejects.toThrow('the disk is gone');
  });
});
