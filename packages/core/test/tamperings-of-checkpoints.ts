import { createHash } from 'node:crypto';
import { createSigner, signNote } from '../src/note-signer.js';
import { KEYS } from './make-event.js';
import { compactRange, rewriteLog, treeRoot } from './rewrite-log.js';
import { editBody, event, type Tampering } from './tampering.js';
import type { TamperingStore } from './tampering-store.js';
import { pemOf, RFC_SEED } from './test-keys.js';

const signer = createSigner(pemOf(RFC_SEED));
const options = { signer };
/** Has a name of its own, so that one key speaks for every log. */
const named = Object.freeze({ ...signer, name: 'signer.example' });

interface Kept {
  readonly origin?: string;
  readonly leaves?: readonly Uint8Array[];
  readonly by?: typeof signer;
}

/** A checkpoint of the first entries, as the sealing process keeps it. */
async function keep(store: TamperingStore, size: number, kept: Kept = {}): Promise<void> {
  const { origin = 'audit', by = signer } = kept;
  const leaves = kept.leaves ?? store.entryRows.slice(0, size).map(({ leaf }) => leaf);
  const text = `${origin}\n${leaves.length}\n${treeRoot(leaves).toString('base64')}\n`;
  const note = Buffer.from(await signNote(text, by, origin));
  store.checkpointRows.push({ log: 'audit', size, note, range: compactRange(leaves), madeAt: 1n });
}

function foreignLeaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => createHash('sha256').update(`${at}`).digest());
}

export const TAMPERINGS_OF_CHECKPOINTS: readonly Tampering[] = [
  {
    name: 'everything behind a checkpoint is rewritten with the key',
    keys: KEYS,
    options,
    tamper: async (store) => {
      await keep(store, 5);
      event(store, 2).body = editBody(store, 2);
      rewriteLog(store, 'audit', KEYS);
    },
    expected: [['AUDIT_CHECKPOINT_MISMATCH', null]],
    only: 'checkpoint-root',
  },
  {
    name: 'the log is cut and its head made anew with the key, and a checkpoint of more is left',
    keys: KEYS,
    options,
    tamper: async (store) => {
      await keep(store, 7);
      const cut = new Set(store.entryRows.slice(6).map(({ eventId }) => eventId));
      store.entryRows = store.entryRows.slice(0, 6);
      store.events = store.events.filter(({ id }) => !cut.has(id));
      rewriteLog(store, 'audit', KEYS);
    },
    expected: [['AUDIT_CHECKPOINT_AHEAD', null]],
    only: 'checkpoint-ahead',
  },
  {
    name: 'a checkpoint is of another log',
    keys: KEYS,
    options: { signer: named },
    tamper: (store) => keep(store, 5, { origin: 'audit/north', by: named }),
    expected: [['AUDIT_CHECKPOINT_ORIGIN', null]],
    only: 'checkpoint-origin',
  },
  {
    name: 'a checkpoint is signed by somebody else',
    keys: KEYS,
    options,
    tamper: (store) => keep(store, 5, { by: createSigner(pemOf(Buffer.alloc(32, 9))) }),
    expected: [['AUDIT_CHECKPOINT_INVALID', null]],
    only: 'checkpoint-note',
  },
  {
    name: 'a byte of a checkpoint is altered',
    keys: KEYS,
    options,
    tamper: async (store) => {
      await keep(store, 5);
      store.checkpointRows[0]?.note.set([0x39], 6);
    },
    expected: [['AUDIT_CHECKPOINT_INVALID', null]],
  },
  {
    name: 'a checkpoint stands at another size than it states',
    keys: KEYS,
    options,
    tamper: (store) => keep(store, 4, { leaves: store.entryRows.slice(0, 5).map(({ leaf }) => leaf) }),
    expected: [['AUDIT_CHECKPOINT_INVALID', null]],
  },
  {
    name: 'the tree beside a checkpoint is altered',
    keys: KEYS,
    options,
    tamper: async (store) => {
      await keep(store, 5);
      store.checkpointRows[0]?.range.set([0], 3);
    },
    expected: [['AUDIT_CHECKPOINT_INVALID', null]],
  },
  {
    name: 'there are two checkpoints of one size, and one is of another history',
    keys: KEYS,
    options,
    tamper: async (store) => {
      await keep(store, 5);
      await keep(store, 5, { leaves: foreignLeaves(5) });
    },
    expected: [['AUDIT_CHECKPOINT_MISMATCH', null]],
  },
  {
    name: 'the log is emptied, and a checkpoint of it is left',
    keys: KEYS,
    options,
    tamper: async (store) => {
      await keep(store, 5);
      [store.events, store.entryRows, store.heads] = [[], [], []];
    },
    expected: [['AUDIT_CHECKPOINT_AHEAD', null]],
  },
  {
    name: 'what was rewritten shows by its checkpoint without the signing key too',
    keys: KEYS,
    tamper: (store) => keep(store, 5, { leaves: foreignLeaves(5) }),
    expected: [['AUDIT_CHECKPOINT_MISMATCH', null]],
  },
];
