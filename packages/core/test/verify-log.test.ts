import { describe, expect, it } from 'vitest';
import { createSealBatch } from '../src/seal-batch.js';
import { verifyLog } from '../src/verify-log.js';
import { eventId, KEYS, makeEvent, prepare, SEALED_AT, sealedLog, TIME } from './make-event.js';
import { linkOf, rewriteHead, rewriteLog, treeRoot } from './rewrite-log.js';
import { TamperingStore } from './tampering-store.js';
import { TAMPERINGS } from './tamperings.js';

const notChecked = (verdict: { notChecked: readonly { what: string }[] }) =>
  verdict.notChecked.map(({ what }) => what);

async function sealMore(
  store: TamperingStore,
  from: number,
  count: number,
  keys: typeof KEYS | undefined = KEYS,
) {
  await store.append(Array.from({ length: count }, (_, i) => prepare(makeEvent(from + i))));
  await store.seal({
    log: 'audit',
    limit: count,
    compute: createSealBatch({ keys, keyedFrom: 1_000, clock: () => SEALED_AT }),
  });
}

describe('an untouched log', () => {
  it('is valid, with its size and the root of its tree', async () => {
    const store = await sealedLog(8);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(verdict).toMatchObject({ result: 'valid', log: 'audit', size: 8, findings: [], truncated: false });
    expect(Buffer.from(verdict.root)).toEqual(treeRoot(store.entryRows.map((row) => row.leaf)));
    expect(notChecked(verdict)).toEqual(['rollback']);
  });

  it('is valid without a key, and the verdict says that it is unkeyed', async () => {
    const store = await sealedLog(8, { keys: undefined });
    const verdict = await verifyLog(store, 'audit');
    expect(verdict.result).toBe('valid');
    expect(notChecked(verdict)).toEqual(['unkeyed', 'rollback']);
  });

  it('that is keyed can not be called valid without the key', async () => {
    const verdict = await verifyLog(await sealedLog(8), 'audit');
    expect(verdict).toMatchObject({ result: 'incomplete', findings: [] });
    expect(notChecked(verdict)).toEqual(['unkeyed', 'rollback']);
  });

  it('can not be called valid without the key where the configuration requires one', async () => {
    const verdict = await verifyLog(await sealedLog(8, { keys: undefined }), 'audit', { keyedFrom: 0 });
    expect(verdict.result).toBe('incomplete');
  });

  it('with pending events is valid and lists them as not checked', async () => {
    const store = await sealedLog(8);
    await store.append([prepare(makeEvent(8))]);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(verdict.result).toBe('valid');
    expect(notChecked(verdict)).toEqual(['pending', 'rollback']);
  });

  it('without a head is never valid', async () => {
    const store = new TamperingStore();
    const empty = await verifyLog(store, 'audit', { keys: KEYS });
    await store.append([prepare(makeEvent(0))]);
    const waiting = await verifyLog(store, 'audit', { keys: KEYS });
    for (const verdict of [empty, waiting]) {
      expect(verdict).toMatchObject({ result: 'incomplete', findings: [] });
      expect(notChecked(verdict)).toContain('no-head');
    }
  });

  it('that was keyed later is valid from `keyedFrom` on, and the verdict counts what is older', async () => {
    const store = await sealedLog(5, { keys: undefined });
    await sealMore(store, 5, 3);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, keyedFrom: 5 });
    expect(verdict).toMatchObject({ result: 'valid', size: 8 });
    expect(verdict.notChecked[0]?.detail).toMatch(/^5 entries are older than the key/);
  });
});

describe('tampering', () => {
  it.each(TAMPERINGS)('$name', async ({ keys, tamper, options, expected }) => {
    const store = await sealedLog(8, { keys });
    await tamper(store);
    const verdict = await verifyLog(store, 'audit', { keys, ...options });
    expect(verdict.findings.map(({ code, index }) => [code, index])).toEqual(expected);
    expect(verdict.result).toBe('invalid');
  });

  it('flipping any one bit of a body shows at its index', async () => {
    const store = await sealedLog(4);
    const row = store.events.find(({ id }) => id === eventId(2));
    if (row === undefined) throw new Error('no event');
    const original = row.body;
    for (let at = 0; at < original.length; at++) {
      row.body = original.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
      const { findings } = await verifyLog(store, 'audit', { keys: KEYS });
      expect(findings).toContainEqual(expect.objectContaining({ code: 'AUDIT_BODY_MISMATCH', index: 2 }));
      expect(new Set(findings.map(({ index }) => index))).toEqual(new Set([2]));
    }
  });

  const columns = Object.keys(prepare(makeEvent(0)).columns) as (keyof ReturnType<
    typeof prepare
  >['columns'])[];
  it.each(columns)('editing the column %s shows and is named', async (column) => {
    const store = await sealedLog(4);
    const row = store.events.find(({ id }) => id === eventId(2));
    if (row !== undefined) row.columns[column] = 'edited';
    const { findings } = await verifyLog(store, 'audit', { keys: KEYS });
    expect(findings).toEqual([
      expect.objectContaining({
        code: 'AUDIT_COLUMN_MISMATCH',
        index: 2,
        detail: `differs from the body: ${column}`,
      }),
    ]);
  });

  it.each([null, 7, undefined, {}])(
    'a column that is no text at all is a finding, not an exception: %j',
    async (value) => {
      const store = await sealedLog(4);
      const row = store.events.find(({ id }) => id === eventId(2));
      for (const column of columns) if (row !== undefined) Object.assign(row.columns, { [column]: value });
      const { findings } = await verifyLog(store, 'audit', { keys: KEYS });
      expect(findings.map(({ code, index }) => [code, index])).toEqual([['AUDIT_COLUMN_MISMATCH', 2]]);
    },
  );

  it('rewriting entries below `keyedFrom` without the key shows once they were keyed', async () => {
    const store = await sealedLog(5, { keys: undefined });
    await sealMore(store, 5, 3);
    const [row] = store.entryRows.filter(({ index }) => index === 6);
    if (row !== undefined) row.hash = Buffer.alloc(32, 1);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, keyedFrom: 1_000 });
    expect(verdict.findings.map(({ code, index }) => [code, index])).toEqual([['AUDIT_LINK_MISMATCH', 6]]);
  });

  it('an unkeyed link after a keyed one shows below `keyedFrom` too', async () => {
    const store = await sealedLog(5, { keys: undefined });
    await sealMore(store, 5, 3);
    const [before, last] = store.entryRows.filter(({ index }) => index >= 6);
    if (before === undefined || last === undefined) throw new Error('no entries');
    last.hash = linkOf(undefined, before.hash, 7, last.sealedAt, last.leaf);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, keyedFrom: 1_000 });
    expect(verdict.findings.map(({ code, index }) => [code, index])).toEqual([['AUDIT_LINK_MISMATCH', 7]]);
  });

  it('taking the MAC off the head of a keyed log shows below `keyedFrom` too', async () => {
    const store = await sealedLog(8);
    rewriteHead(store, 'audit', undefined);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, keyedFrom: 1_000 });
    expect(verdict.findings.map(({ code }) => code)).toEqual(['AUDIT_HEAD_UNKEYED']);
  });

  it('an unkeyed entry at or after `keyedFrom` is refused', async () => {
    const store = await sealedLog(8, { keys: undefined });
    const verdict = await verifyLog(store, 'audit', { keys: KEYS, keyedFrom: 6 });
    expect(verdict.findings.map(({ code, index }) => [code, index])).toEqual([
      ['AUDIT_HEAD_UNKEYED', null],
      ['AUDIT_LINK_MISMATCH', 6],
      ['AUDIT_LINK_MISMATCH', 7],
    ]);
  });

  it('an empty head that somebody put in place of a log is not called valid', async () => {
    const store = await sealedLog(8);
    store.entryRows = [];
    store.events = [];
    rewriteHead(store, 'audit', undefined);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(verdict.result).toBe('incomplete');
    expect(notChecked(verdict)).toContain('no-head');
  });
});

it('two events whose ids have one fingerprint are not taken for one', async () => {
  const store = await sealedLog(8);
  store.entryRows.push({ ...(store.entryRows[3] ?? expect.unreachable()), index: 8 });
  rewriteLog(store, 'audit', KEYS);
  // Reading the first one again shows another id than the set believed to know.
  const entries = store.entries.bind(store);
  store.entries = async function* (log, range = {}) {
    for await (const batch of entries(log, range)) {
      yield range.from === 3 ? batch.map((row) => ({ ...row, eventId: eventId(99) })) : batch;
    }
  };
  expect(await verifyLog(store, 'audit', { keys: KEYS })).toMatchObject({ result: 'valid', findings: [] });
});

describe('what can not be seen without an anchor is listed as not checked', () => {
  it.each([
    [
      'a tail that is cut by somebody with the key',
      (store: TamperingStore) => {
        store.entryRows = store.entryRows.slice(0, 5);
        store.events = store.events.slice(0, 5);
        rewriteHead(store, 'audit', KEYS);
      },
    ],
    [
      'a log that is rewritten by somebody with the key',
      (store: TamperingStore) => {
        store.entryRows = store.entryRows.slice(1).map((row) => ({ ...row, index: row.index - 1 }));
        store.events = store.events.slice(1);
        rewriteLog(store, 'audit', KEYS);
      },
    ],
  ])('%s', async (_, tamper) => {
    const store = await sealedLog(8);
    tamper(store);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(verdict).toMatchObject({ result: 'valid', findings: [] });
    expect(notChecked(verdict)).toContain('rollback');
  });

  it("yesterday's database", async () => {
    const store = await sealedLog(8);
    const yesterday = structuredClone({
      events: store.events,
      entryRows: store.entryRows,
      heads: store.heads,
    });
    await sealMore(store, 8, 2);
    Object.assign(store, yesterday);
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(verdict).toMatchObject({ result: 'valid', size: 8 });
    expect(notChecked(verdict)).toContain('rollback');
  });

  it('an event that is deleted while it waits, with its place in the list', async () => {
    const store = await sealedLog(8);
    await store.append([prepare(makeEvent(8)), prepare(makeEvent(9))]);
    store.events = store.events.filter(({ id }) => id !== eventId(8));
    store.pendingRows = store.pendingRows.filter(({ id }) => id !== eventId(8));
    const verdict = await verifyLog(store, 'audit', { keys: KEYS });
    expect(verdict).toMatchObject({ result: 'valid', findings: [] });
    expect(notChecked(verdict)).toContain('pending');
  });
});

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
