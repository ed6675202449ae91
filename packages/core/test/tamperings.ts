import type { FindingCode } from '../src/finding-codes.js';
import { createSealBatch } from '../src/seal-batch.js';
import type { Check } from '../src/verify-checks.js';
import type { VerifyLogOptions } from '../src/verify-log.js';
import { eventId, KEYS, makeEvent, OTHER_KEYS, prepare, SEALED_AT, sealedLog } from './make-event.js';
import { leafOf, linkOf, rewriteHead, rewriteLog } from './rewrite-log.js';
import type { EntryRow, EventRow, TamperingStore } from './tampering-store.js';

/** What was done behind the log's back, and exactly what verification has to say to it. */
export interface Tampering {
  readonly name: string;
  /** The log of eight entries is sealed with this key; undefined: with none. */
  readonly keys: typeof KEYS | undefined;
  readonly tamper: (store: TamperingStore) => Promise<void> | void;
  readonly options?: VerifyLogOptions;
  readonly expected: readonly (readonly [FindingCode, number | null])[];
  /** The check without which nobody would notice. */
  readonly only?: Check;
}

const DAY_US = 24n * 60n * 60n * 1_000_000n;

function event(store: TamperingStore, n: number): EventRow {
  const found = store.events.find(({ id }) => id === eventId(n));
  if (found === undefined) throw new Error(`no event ${n}`);
  return found;
}

function entry(store: TamperingStore, index: number): EntryRow {
  const found = store.entryRows.find((row) => row.index === index);
  if (found === undefined) throw new Error(`no entry ${index}`);
  return found;
}

function head(store: TamperingStore) {
  const [found] = store.heads;
  if (found === undefined) throw new Error('no head');
  return found;
}

function editBody(store: TamperingStore, n: number): Buffer {
  const body = Buffer.from(Buffer.from(event(store, n).body).toString().replace('visit', 'visat'));
  event(store, n).body = body;
  return body;
}

function deleteEntry(store: TamperingStore, index: number): void {
  const { eventId: id } = entry(store, index);
  store.entryRows = store.entryRows.filter((row) => row.index !== index);
  store.events = store.events.filter((row) => row.id !== id);
}

async function append(store: TamperingStore, n: number): Promise<void> {
  await store.append([prepare(makeEvent(n))]);
}

/** An event that stands in the log by the attacker's hand, at any index. */
async function forgeEntry(store: TamperingStore, n: number, index: number): Promise<EntryRow> {
  await append(store, n);
  store.pendingRows = store.pendingRows.filter(({ id }) => id !== eventId(n));
  const { leaf } = event(store, n);
  const hash = linkOf(undefined, head(store).hash, Math.max(index, 0), SEALED_AT, leaf);
  const row = { log: 'audit', index, eventId: eventId(n), leaf, hash, sealedAt: SEALED_AT };
  store.entryRows.push(row);
  return row;
}

export const TAMPERINGS: readonly Tampering[] = [
  {
    name: 'the body of an event is edited',
    keys: KEYS,
    tamper: (store) => void editBody(store, 3),
    expected: [['AUDIT_BODY_MISMATCH', 3]],
    only: 'body-hash',
  },
  {
    name: 'one query column is edited',
    keys: KEYS,
    tamper: (store) => {
      event(store, 3).columns.actorId = '7';
    },
    expected: [['AUDIT_COLUMN_MISMATCH', 3]],
    only: 'columns',
  },
  {
    name: 'body and leaf of an event are edited',
    keys: KEYS,
    tamper: (store) => {
      event(store, 3).leaf = leafOf(editBody(store, 3));
    },
    expected: [['AUDIT_LEAF_MISMATCH', 3]],
    only: 'entry-leaf',
  },
  {
    name: 'body and leaf are edited, the leaf of the entry too',
    keys: KEYS,
    tamper: (store) => {
      const leaf = leafOf(editBody(store, 3));
      event(store, 3).leaf = leaf;
      entry(store, 3).leaf = leaf;
    },
    expected: [
      ['AUDIT_TREE_MISMATCH', null],
      ['AUDIT_LINK_MISMATCH', 3],
    ],
  },
  {
    name: 'body, leaf and hash are edited by somebody without the key',
    keys: KEYS,
    tamper: (store) => {
      const leaf = leafOf(editBody(store, 3));
      event(store, 3).leaf = leaf;
      entry(store, 3).leaf = leaf;
      entry(store, 3).hash = linkOf(undefined, entry(store, 2).hash, 3, SEALED_AT, leaf);
    },
    expected: [
      ['AUDIT_TREE_MISMATCH', null],
      ['AUDIT_LINK_MISMATCH', 3],
      ['AUDIT_LINK_MISMATCH', 4],
    ],
  },
  {
    name: 'the time of sealing is edited',
    keys: KEYS,
    tamper: (store) => {
      entry(store, 3).sealedAt += 1n;
    },
    expected: [['AUDIT_LINK_MISMATCH', 3]],
    only: 'entry-link',
  },
  {
    name: 'the time of sealing is set below zero',
    keys: KEYS,
    tamper: (store) => {
      entry(store, 3).sealedAt = -(2n ** 63n);
    },
    expected: [
      ['AUDIT_LINK_MISMATCH', 3],
      ['AUDIT_TIME_SKEW', 3],
    ],
  },
  {
    name: 'the hash of an entry is edited',
    keys: KEYS,
    tamper: (store) => {
      entry(store, 3).hash = Buffer.alloc(32, 7);
    },
    expected: [['AUDIT_LINK_MISMATCH', 3]],
  },
  {
    name: 'the hash of the last entry is edited',
    keys: KEYS,
    tamper: (store) => {
      entry(store, 7).hash = Buffer.alloc(32, 7);
    },
    expected: [['AUDIT_LINK_MISMATCH', 7]],
  },
  {
    name: 'hashes and leaves are cut short',
    keys: KEYS,
    tamper: (store) => {
      entry(store, 3).hash = Buffer.alloc(0);
      entry(store, 5).leaf = Buffer.alloc(3);
    },
    expected: [
      ['AUDIT_LINK_MISMATCH', 3],
      ['AUDIT_LINK_MISMATCH', 5],
      ['AUDIT_LEAF_MISMATCH', 5],
    ],
  },
  {
    name: 'the first entry is deleted, with its event',
    keys: KEYS,
    tamper: (store) => deleteEntry(store, 0),
    expected: [['AUDIT_ENTRY_MISSING', 0]],
  },
  {
    name: 'entries in the middle are deleted, with their events',
    keys: KEYS,
    tamper: (store) => {
      deleteEntry(store, 3);
      deleteEntry(store, 4);
    },
    expected: [['AUDIT_ENTRY_MISSING', 3]],
    only: 'entry-gap',
  },
  {
    name: 'the last entry is deleted, with its event',
    keys: KEYS,
    tamper: (store) => deleteEntry(store, 7),
    expected: [['AUDIT_ENTRY_MISSING', 7]],
    only: 'entry-cut',
  },
  {
    name: 'an entry is deleted and its event stays',
    keys: KEYS,
    tamper: (store) => {
      store.entryRows = store.entryRows.filter((row) => row.index !== 3);
    },
    expected: [
      ['AUDIT_EVENT_ORPHANED', null],
      ['AUDIT_ENTRY_MISSING', 3],
    ],
  },
  {
    name: 'a sealed event is deleted',
    keys: KEYS,
    tamper: (store) => {
      store.events = store.events.filter(({ id }) => id !== eventId(3));
    },
    expected: [['AUDIT_EVENT_MISSING', 3]],
    only: 'event-there',
  },
  {
    name: 'all entries and events are deleted',
    keys: KEYS,
    tamper: (store) => {
      store.entryRows = [];
      store.events = [];
    },
    expected: [['AUDIT_ENTRY_MISSING', 0]],
  },
  {
    name: 'the tail is cut and the head made to fit, with the old MAC',
    keys: KEYS,
    tamper: (store) => {
      const { mac } = head(store);
      deleteEntry(store, 7);
      rewriteHead(store, 'audit', undefined);
      head(store).mac = mac;
    },
    expected: [['AUDIT_HEAD_INVALID', null]],
    only: 'head-mac',
  },
  {
    name: 'the tail is cut and the head made to fit, without a MAC',
    keys: KEYS,
    tamper: (store) => {
      deleteEntry(store, 7);
      rewriteHead(store, 'audit', undefined);
    },
    expected: [['AUDIT_HEAD_UNKEYED', null]],
    only: 'head-keyed',
  },
  {
    name: 'the head is deleted',
    keys: KEYS,
    tamper: (store) => {
      store.heads = [];
    },
    expected: [['AUDIT_HEAD_MISSING', null]],
    only: 'head-there',
  },
  {
    name: "an older head is put back, with its MAC, and the entries' end stays",
    keys: KEYS,
    tamper: async (store) => {
      const old = { ...head(store) };
      await append(store, 8);
      await store.seal({
        log: 'audit',
        limit: 9,
        compute: createSealBatch({ keys: KEYS, clock: () => SEALED_AT }),
      });
      store.heads = [old];
    },
    expected: [['AUDIT_ENTRY_UNEXPECTED', 8]],
    only: 'entry-beyond-head',
  },
  {
    name: 'the size of the head is raised',
    keys: KEYS,
    tamper: (store) => {
      head(store).size = 9;
    },
    expected: [
      ['AUDIT_HEAD_INVALID', null],
      ['AUDIT_ENTRY_MISSING', 8],
    ],
  },
  {
    name: 'the size of the head is lowered',
    keys: KEYS,
    tamper: (store) => {
      head(store).size = 7;
    },
    expected: [
      ['AUDIT_HEAD_INVALID', null],
      ['AUDIT_HEAD_MISMATCH', null],
      ['AUDIT_TREE_MISMATCH', null],
      ['AUDIT_ENTRY_UNEXPECTED', 7],
    ],
  },
  {
    name: 'the compact range of the head is edited',
    keys: KEYS,
    tamper: (store) => {
      head(store).range = Buffer.alloc(32, 7);
    },
    expected: [
      ['AUDIT_HEAD_INVALID', null],
      ['AUDIT_TREE_MISMATCH', null],
    ],
  },
  {
    name: 'the compact range of the head is edited in a log without a key',
    keys: undefined,
    tamper: (store) => {
      head(store).range = Buffer.alloc(32, 7);
    },
    expected: [['AUDIT_TREE_MISMATCH', null]],
    only: 'head-tree',
  },
  {
    name: 'the last link of the head is edited in a log without a key',
    keys: undefined,
    tamper: (store) => {
      head(store).hash = Buffer.alloc(32, 7);
    },
    expected: [['AUDIT_HEAD_MISMATCH', null]],
    only: 'head-link',
  },
  {
    name: 'a forged entry is added by somebody without the key',
    keys: KEYS,
    tamper: async (store) => void (await forgeEntry(store, 8, 8)),
    expected: [
      ['AUDIT_ENTRY_UNEXPECTED', 8],
      ['AUDIT_LINK_MISMATCH', 8],
    ],
  },
  {
    name: 'an entry is there twice',
    keys: KEYS,
    tamper: (store) => void store.entryRows.push({ ...entry(store, 3) }),
    expected: [['AUDIT_ENTRY_DUPLICATE', 3]],
    only: 'entry-repeated',
  },
  {
    name: 'a second entry hides behind the index of another',
    keys: KEYS,
    tamper: async (store) => void (await forgeEntry(store, 8, 3)),
    expected: [['AUDIT_ENTRY_UNEXPECTED', 3]],
    only: 'entry-out-of-order',
  },
  {
    name: 'an entry hides at a negative index',
    keys: KEYS,
    tamper: async (store) => void (await forgeEntry(store, 8, -4)),
    expected: [['AUDIT_ENTRY_UNEXPECTED', -4]],
  },
  {
    name: 'an event gets a second entry, and everything is rewritten with the key',
    keys: KEYS,
    tamper: (store) => {
      store.entryRows.push({ ...entry(store, 3), index: 8 });
      rewriteLog(store, 'audit', KEYS);
    },
    expected: [['AUDIT_ENTRY_DUPLICATE', 8]],
    only: 'event-once',
  },
  {
    name: 'two entries are swapped',
    keys: KEYS,
    tamper: (store) => {
      const [one, other] = [entry(store, 2), entry(store, 5)];
      one.index = 5;
      other.index = 2;
    },
    expected: [
      ['AUDIT_TREE_MISMATCH', null],
      ['AUDIT_LINK_MISMATCH', 2],
      ['AUDIT_LINK_MISMATCH', 3],
      ['AUDIT_LINK_MISMATCH', 5],
      ['AUDIT_LINK_MISMATCH', 6],
    ],
  },
  {
    name: 'the entries from the fifth on are renumbered',
    keys: KEYS,
    tamper: (store) => {
      for (const row of store.entryRows) if (row.index >= 4) row.index++;
    },
    expected: [
      ['AUDIT_HEAD_MISMATCH', null],
      ['AUDIT_ENTRY_MISSING', 4],
      ['AUDIT_LINK_MISMATCH', 6],
      ['AUDIT_LINK_MISMATCH', 7],
      ['AUDIT_ENTRY_UNEXPECTED', 8],
      ['AUDIT_LINK_MISMATCH', 8],
    ],
  },
  {
    name: 'an event of another log is moved here with its entry',
    keys: KEYS,
    tamper: async (store) => {
      await sealedLog(1, { keys: KEYS, log: 'other', store, from: 20 });
      const moved = store.entryRows.find((row) => row.log === 'other');
      if (moved === undefined) throw new Error('nothing to move');
      Object.assign(moved, { log: 'audit', index: 8 });
      event(store, 20).log = 'audit';
    },
    expected: [
      ['AUDIT_ENTRY_UNEXPECTED', 8],
      ['AUDIT_LINK_MISMATCH', 8],
      ['AUDIT_LOG_MISMATCH', 8],
    ],
  },
  {
    name: 'the row of an event is given to another log',
    keys: KEYS,
    tamper: (store) => {
      event(store, 3).log = 'other';
    },
    expected: [['AUDIT_LOG_MISMATCH', 3]],
    only: 'row-log',
  },
  {
    name: 'an event of another log takes the place of one, and everything is rewritten with the key',
    keys: KEYS,
    tamper: (store) => {
      const { body } = prepare(makeEvent(3, { log: 'other' }));
      event(store, 3).body = body;
      rewriteLog(store, 'audit', KEYS);
    },
    expected: [['AUDIT_LOG_MISMATCH', 3]],
    only: 'body-log',
  },
  {
    name: 'the id of an event is changed in both tables',
    keys: KEYS,
    tamper: (store) => {
      event(store, 3).id = eventId(99);
      entry(store, 3).eventId = eventId(99);
    },
    expected: [['AUDIT_COLUMN_MISMATCH', 3]],
    only: 'body-id',
  },
  {
    name: 'a body that is no event is put in, and everything is rewritten with the key',
    keys: KEYS,
    tamper: (store) => {
      event(store, 3).body = Buffer.from('{"v":1}');
      rewriteLog(store, 'audit', KEYS);
    },
    expected: [['AUDIT_EVENT_UNREADABLE', 3]],
    only: 'body-readable',
  },
  {
    name: 'an event is dated back by two days, and everything is rewritten with the key',
    keys: KEYS,
    tamper: (store) => {
      entry(store, 3).sealedAt += 2n * DAY_US;
      rewriteLog(store, 'audit', KEYS);
    },
    expected: [['AUDIT_TIME_SKEW', 3]],
    only: 'entry-time',
  },
  {
    name: 'everything is rewritten with another key',
    keys: KEYS,
    tamper: (store) => {
      editBody(store, 0);
      rewriteLog(store, 'audit', OTHER_KEYS);
    },
    expected: [
      ['AUDIT_HEAD_INVALID', null],
      ...Array.from({ length: 8 }, (_, index) => ['AUDIT_LINK_MISMATCH', index] as const),
    ],
  },
  {
    name: 'everything is rewritten without a key',
    keys: KEYS,
    tamper: (store) => rewriteLog(store, 'audit', undefined),
    expected: [
      ['AUDIT_HEAD_UNKEYED', null],
      ...Array.from({ length: 8 }, (_, index) => ['AUDIT_LINK_MISMATCH', index] as const),
    ],
  },
  {
    name: 'a pending event is edited',
    keys: KEYS,
    tamper: async (store) => {
      await append(store, 8);
      editBody(store, 8);
    },
    expected: [['AUDIT_PENDING_MISMATCH', null]],
    only: 'pending-hash',
  },
  {
    name: 'a query column of a pending event is edited',
    keys: KEYS,
    tamper: async (store) => {
      await append(store, 8);
      event(store, 8).columns.outcome = 'denied';
    },
    expected: [['AUDIT_COLUMN_MISMATCH', null]],
  },
  {
    name: 'a pending event is moved here from another log',
    keys: KEYS,
    tamper: async (store) => {
      await store.append([prepare(makeEvent(8, { log: 'other' }))]);
      event(store, 8).log = 'audit';
      store.pendingRows = [{ log: 'audit', id: eventId(8) }];
    },
    expected: [['AUDIT_LOG_MISMATCH', null]],
  },
  {
    name: 'a pending event loses its place in the waiting list',
    keys: KEYS,
    tamper: async (store) => {
      await append(store, 8);
      store.pendingRows = [];
    },
    expected: [['AUDIT_EVENT_ORPHANED', null]],
    only: 'orphans',
  },
  {
    name: 'the waiting list names an event that is not there',
    keys: KEYS,
    tamper: async (store) => {
      await append(store, 8);
      store.events = store.events.filter(({ id }) => id !== eventId(8));
    },
    expected: [['AUDIT_PENDING_STRAY', null]],
    only: 'pending-stray',
  },
];
