import { createSealBatch } from '../src/seal-batch.js';
import { eventId, KEYS, SEALED_AT } from './make-event.js';
import { leafOf, linkOf, rewriteHead } from './rewrite-log.js';
import { append, deleteEntry, editBody, entry, event, head, type Tampering } from './tampering.js';

export const TAMPERINGS_OF_ENTRIES: readonly Tampering[] = [
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
];
