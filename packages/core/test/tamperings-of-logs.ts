import { eventId, KEYS, makeEvent, OTHER_KEYS, prepare, sealedLog } from './make-event.js';
import { rewriteLog } from './rewrite-log.js';
import { append, DAY_US, editBody, entry, event, forgeEntry, head, type Tampering } from './tampering.js';

export const TAMPERINGS_OF_LOGS: readonly Tampering[] = [
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
