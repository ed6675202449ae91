import { describe, expect, it } from 'vitest';
import { verifyAll } from '../src/verify-all.js';
import { KEYS, sealedLog } from './make-event.js';
import { TamperingStore } from './tampering-store.js';

async function twoLogs(): Promise<TamperingStore> {
  const store = await sealedLog(4, { keys: KEYS, log: 'audit/beta', from: 100 });
  return sealedLog(3, { keys: KEYS, log: 'audit', store });
}

const summary = (verdicts: Awaited<ReturnType<typeof verifyAll>>) =>
  verdicts.map(({ log, result, size }) => [log, result, size]);

describe('verifyAll', () => {
  it('verifies every log, in the order of their names', async () => {
    expect(summary(await verifyAll(await twoLogs(), { keys: KEYS }))).toEqual([
      ['audit', 'valid', 3],
      ['audit/beta', 'valid', 4],
    ]);
  });

  it('says that a log which left no row is not missed', async () => {
    const store = await twoLogs();
    for (const rows of ['events', 'entryRows', 'heads'] as const) {
      const left = store[rows].filter((row) => row.log !== 'audit/beta');
      Object.assign(store, { [rows]: left });
    }
    const verdicts = await verifyAll(store, { keys: KEYS });
    expect(summary(verdicts)).toEqual([['audit', 'valid', 3]]);
    expect(verdicts[0]?.notChecked.map(({ what }) => what)).toEqual(['rollback', 'dropped-logs']);
  });

  it('misses a log that it was told to expect', async () => {
    const verdicts = await verifyAll(new TamperingStore(), { keys: KEYS, expected: ['audit'] });
    expect(summary(verdicts)).toEqual([['audit', 'incomplete', 0]]);
  });

  it.each(['events', 'entryRows', 'heads', 'pendingRows'] as const)(
    'finds a log of which only %s are left',
    async (kept) => {
      const store = await twoLogs();
      for (const { id } of store.events) store.pendingRows.push({ log: 'audit/beta', id });
      for (const rows of ['events', 'entryRows', 'heads', 'pendingRows'] as const) {
        const left = store[rows].filter((row) => row.log === 'audit/beta' && rows === kept);
        Object.assign(store, { [rows]: left });
      }
      expect(summary(await verifyAll(store, { keys: KEYS }))).toEqual([
        ['audit/beta', 'invalid', kept === 'entryRows' ? 4 : 0],
      ]);
    },
  );

  it('verifies one log where one is named', async () => {
    expect(summary(await verifyAll(await twoLogs(), { keys: KEYS, log: 'audit/beta' }))).toEqual([
      ['audit/beta', 'valid', 4],
    ]);
  });

  it('tells of its progress over all logs', async () => {
    const told: [number, number][] = [];
    await verifyAll(await twoLogs(), { keys: KEYS, onProgress: (done, total) => told.push([done, total]) });
    expect(told).toEqual([
      [3, 7],
      [7, 7],
    ]);
  });
});
