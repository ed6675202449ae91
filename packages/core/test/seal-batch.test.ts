import { describe, expect, it } from 'vitest';
import { createSealBatch } from '../src/seal-batch.js';
import type { StoredEvent, StoredHead } from '../src/store.js';
import { eventId, KEYS, makeEvent, OTHER_KEYS, prepare, SEALED_AT } from './make-event.js';
import { compactRange, headMac, leafOf, linkOf, startOf } from './rewrite-log.js';

const clock = () => SEALED_AT;
const pending = (from: number, count: number): StoredEvent[] =>
  Array.from({ length: count }, (_, i) => prepare(makeEvent(from + i)));
const code = (expected: string) => expect.objectContaining({ code: expected });

function sealed(keys: typeof KEYS | undefined, count: number): StoredHead {
  const { head } = createSealBatch({ keys, clock })(null, pending(0, count));
  if (head === null) throw new Error('nothing was sealed');
  return head;
}

describe.each([
  ['with a key', KEYS],
  ['without a key', undefined],
])('a seal batch %s', (_, keys) => {
  it('gives entries and head the bytes of the design, over several batches', () => {
    const compute = createSealBatch({ keys, clock });
    const first = compute(null, pending(0, 5));
    const second = compute(first.head, pending(5, 3));
    const events = pending(0, 8);
    let hash: Uint8Array = startOf('audit');
    const expected = events.map(({ id, body }, index) => {
      const leaf = leafOf(body);
      hash = linkOf(keys?.link, hash, index, SEALED_AT, leaf);
      return { index, eventId: id, leaf, hash, sealedAt: SEALED_AT };
    });
    const plain = [...first.entries, ...second.entries].map((entry) => ({
      ...entry,
      leaf: Buffer.from(entry.leaf),
      hash: Buffer.from(entry.hash),
    }));
    expect(plain).toEqual(expected);
    const head = { log: 'audit', size: 8, hash, range: compactRange(events.map(({ body }) => leafOf(body))) };
    expect(second.head?.size).toBe(8);
    expect(Buffer.from(second.head?.hash ?? [])).toEqual(hash);
    expect(Buffer.from(second.head?.range ?? [])).toEqual(head.range);
    const mac = second.head?.mac ?? null;
    expect(mac === null ? null : Buffer.from(mac)).toEqual(
      keys === undefined ? null : headMac(keys.head, head),
    );
  });

  it('is pure: the same head and events give the same batch', () => {
    const compute = createSealBatch({ keys, clock });
    const head = sealed(keys, 3);
    expect(compute(head, pending(3, 2))).toEqual(compute(head, pending(3, 2)));
  });

  it('writes nothing where nothing waits', () => {
    const compute = createSealBatch({ keys, clock });
    expect(compute(null, [])).toEqual({ entries: [], head: null });
    expect(compute(sealed(keys, 2), [])).toEqual({ entries: [], head: null });
  });
});

describe('a pending event is left pending and reported', () => {
  const cases: [string, (event: StoredEvent) => StoredEvent, RegExp][] = [
    [
      'if its bytes do not hash to its leaf',
      (event) => ({ ...event, body: Buffer.concat([event.body, Buffer.from(' ')]) }),
      /leaf/,
    ],
    [
      'if it says that it belongs to another log',
      () => ({ ...prepare(makeEvent(1, { log: 'other' })), log: 'audit' }),
      /the log other/,
    ],
    [
      'if its row says that it belongs to another log',
      (event) => ({ ...event, log: 'other' }),
      /belongs to the log/,
    ],
    [
      'if it says that it is another event',
      () => ({ ...prepare(makeEvent(7)), id: eventId(1) }),
      /it is the event/,
    ],
    [
      'if its bytes are no event',
      (event) => {
        const body = Buffer.from('{}');
        return { ...event, body, leaf: leafOf(body) };
      },
      /no valid v/,
    ],
    ['if its leaf is missing', (event) => ({ ...event, leaf: new Uint8Array(0) }), /leaf/],
  ];
  it.each(cases)('%s', (_, tamper, reason) => {
    const [before, bad, after] = pending(0, 3);
    if (before === undefined || bad === undefined || after === undefined) throw new Error('three events');
    const refused: [string, string][] = [];
    const compute = createSealBatch({
      keys: KEYS,
      clock,
      log: 'audit',
      onRefused: ({ id }, why) => refused.push([id, why]),
    });
    const { entries, head } = compute(null, [before, tamper(bad), after]);
    expect(entries.map((entry) => [entry.index, entry.eventId])).toEqual([
      [0, eventId(0)],
      [1, eventId(2)],
    ]);
    expect(head?.size).toBe(2);
    expect(refused).toEqual([[eventId(1), expect.stringMatching(reason)]]);
  });

  it('if it is listed twice, the second time', () => {
    const refused: string[] = [];
    const [event] = pending(0, 1);
    if (event === undefined) throw new Error('one event');
    const { entries } = createSealBatch({ keys: KEYS, clock, onRefused: ({ id }) => refused.push(id) })(
      null,
      [event, event],
    );
    expect(entries).toHaveLength(1);
    expect(refused).toEqual([eventId(0)]);
  });

  it('and no head is written where nothing else waits', () => {
    const [event] = pending(0, 1);
    if (event === undefined) throw new Error('one event');
    const batch = createSealBatch({ keys: KEYS, clock })(null, [{ ...event, leaf: Buffer.alloc(32) }]);
    expect(batch).toEqual({ entries: [], head: null });
  });
});

describe('nothing is sealed on top of a head', () => {
  const head = sealed(KEYS, 3);
  const seal = (bad: StoredHead, options: Parameters<typeof createSealBatch>[0] = { keys: KEYS }) =>
    createSealBatch({ clock, ...options })(bad, pending(3, 1));

  it.each([
    ['another size', { ...head, size: 4 }],
    ['another link', { ...head, hash: Buffer.alloc(32) }],
    ['another range', { ...head, range: Buffer.alloc(64) }],
    ['another MAC', { ...head, mac: Buffer.alloc(32) }],
    ['a short MAC', { ...head, mac: Buffer.alloc(4) }],
    ['no MAC', { ...head, mac: null }],
    ['a size that is no number', { ...head, size: Number.NaN }],
    ['a negative size', { ...head, size: -3 }],
  ])('that somebody gave %s', (_, bad) => {
    expect(() => seal(bad)).toThrow(code('AUDIT_HEAD_INVALID'));
  });

  it('that another key made', () => {
    expect(() => seal(head, { keys: OTHER_KEYS })).toThrow(code('AUDIT_HEAD_INVALID'));
  });

  it('of another log', () => {
    expect(() => seal(head, { keys: KEYS, log: 'audit/beta' })).toThrow(code('AUDIT_HEAD_INVALID'));
  });

  it('that is keyed, without the key', () => {
    expect(() => seal(head, {})).toThrow(code('AUDIT_KEY_MISSING'));
  });

  it.each([
    ['link', { hash: Buffer.alloc(5) }],
    ['compact range', { range: Buffer.alloc(32) }],
    ['size', { size: -1 }],
    ['start', { size: 0, range: new Uint8Array(0) }],
  ])('that has an impossible %s and no key to tell', (_, change) => {
    const plain = sealed(undefined, 3);
    expect(() => seal({ ...plain, ...change }, {})).toThrow(code('AUDIT_HEAD_INVALID'));
  });

  it('that is unkeyed and longer than `keyedFrom`; up to there the key takes over', () => {
    const plain = sealed(undefined, 3);
    expect(() => seal(plain, { keys: KEYS, keyedFrom: 2 })).toThrow(code('AUDIT_HEAD_INVALID'));
    const { head: keyed, entries } = seal(plain, { keys: KEYS, keyedFrom: 3 });
    expect(keyed?.mac).toHaveLength(32);
    expect(Buffer.from(entries[0]?.hash ?? [])).toEqual(
      linkOf(KEYS.link, plain.hash, 3, SEALED_AT, entries[0]?.leaf ?? Buffer.alloc(32)),
    );
  });
});

it('a seal batch takes the time of the system in microseconds', () => {
  const before = BigInt(Date.now()) * 1000n;
  const { entries } = createSealBatch({ keys: KEYS })(null, pending(0, 1));
  const sealedAt = entries[0]?.sealedAt ?? 0n;
  expect(sealedAt >= before && sealedAt <= BigInt(Date.now()) * 1000n).toBe(true);
});
