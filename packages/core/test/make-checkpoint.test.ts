import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../src/checkpoint.js';
import { type MakeCheckpointOptions, makeCheckpoint } from '../src/make-checkpoint.js';
import { createSigner, signerKey } from '../src/note-signer.js';
import type { HashedEntry } from '../src/rehash-log.js';
import { openNote } from '../src/signed-note.js';
import { KEYS, sealedLog } from './make-event.js';
import { rewriteHead, treeRoot } from './rewrite-log.js';
import { TamperingStore } from './tampering-store.js';
import { pemOf, RFC_SEED } from './test-keys.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const signer = createSigner(pemOf(RFC_SEED));

function make(store: TamperingStore, options: Partial<MakeCheckpointOptions> = {}) {
  return makeCheckpoint(store, 'audit', { signer, keys: KEYS, ...options });
}

/** What `make` gave, which must be there. */
async function made(store: TamperingStore, options: Partial<MakeCheckpointOptions> = {}) {
  const checkpoint = await make(store, options);
  if (checkpoint === null) throw new Error('there is no checkpoint');
  return checkpoint;
}

describe('a checkpoint of a log', () => {
  it('states the size and the root of its bodies, signed under its name', async () => {
    const store = await sealedLog(7, { keys: KEYS });
    const { note, size } = await made(store);
    const { text } = openNote(note, [signerKey(signer, 'audit')]);
    const root = treeRoot(store.entryRows.map(({ leaf }) => leaf));
    expect(parseCheckpoint(text)).toMatchObject({ origin: 'audit', size: 7, root: new Uint8Array(root) });
    expect(size).toBe(7);
  });

  it('is not made of a log without entries', async () => {
    expect(await make(new TamperingStore())).toBeNull();
  });

  it('on top of an earlier one hashes only what is new, and comes to the same', async () => {
    const store = await sealedLog(5, { keys: KEYS });
    const since = await made(store);
    await sealedLog(4, { keys: KEYS, store, from: 100 });
    const hashed: number[] = [];
    const onEntries = (entries: readonly HashedEntry[]) =>
      void hashed.push(...entries.map(({ index }) => index));
    const later = await made(store, { since, onEntries });
    expect(hashed).toEqual([5, 6, 7, 8]);
    expect(later.note).toBe((await made(store)).note);
  });

  it('of a log in which nothing is new is the same again', async () => {
    const store = await sealedLog(5, { keys: KEYS });
    const since = await made(store);
    expect((await made(store, { since })).note).toBe(since.note);
  });

  it.each<[string, (store: TamperingStore) => void]>([
    ['a body was altered', (store) => void store.events[2]?.body.set([0x20], 1)],
    [
      'a body and its leaf were altered',
      (store) => {
        const row = store.events[2];
        row?.body.set([0x20], 1);
        row?.leaf.set([0], 0);
      },
    ],
    ['an event is gone', (store) => void store.events.splice(2, 1)],
    ['an entry is gone', (store) => void store.entryRows.splice(2, 1)],
    ['the last entry is gone', (store) => void store.entryRows.pop()],
    [
      'an entry stands there twice',
      (store) => {
        const [row] = store.entryRows.slice(2, 3);
        if (row !== undefined) store.entryRows.splice(2, 0, { ...row });
      },
    ],
    [
      'two entries were swapped',
      (store) => {
        const [one, other] = store.entryRows.slice(2, 4);
        if (one !== undefined && other !== undefined) [one.index, other.index] = [other.index, one.index];
      },
    ],
    [
      'the head states another tree under its key',
      (store) => {
        const [head] = store.heads;
        head?.range.set([0], 0);
        rewriteHead(store, 'audit', KEYS);
        store.entryRows[0]?.leaf.set([0], 0);
      },
    ],
  ])('is refused where %s', async (_, tamper) => {
    const store = await sealedLog(6, { keys: KEYS });
    tamper(store);
    await expect(make(store)).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });

  it('names the entry that is missing', async () => {
    const store = await sealedLog(6, { keys: KEYS });
    store.entryRows.pop();
    await expect(make(store)).rejects.toThrow('the entry 5 is missing');
  });

  it('is refused where the end was cut and the head put back, though it has its MAC', async () => {
    const store = await sealedLog(5, { keys: KEYS });
    const [head] = structuredClone(store.heads);
    await sealedLog(4, { keys: KEYS, store, from: 100 });
    const since = await made(store);
    if (head !== undefined) store.heads = [head];
    store.entryRows = store.entryRows.slice(0, 5);
    await expect(make(store, { since })).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
    store.heads = [];
    store.entryRows = [];
    await expect(make(store, { since })).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });

  it('is refused where what was signed before was rewritten, with the key', async () => {
    const store = await sealedLog(6, { keys: KEYS });
    const since = await made(await sealedLog(6, { keys: KEYS, from: 500 }));
    await expect(make(store, { since })).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });

  it.each<[string, (store: TamperingStore) => void]>([
    ['has a wrong MAC', (store) => void store.heads[0]?.mac?.set([0, 0], 0)],
    ['has none', (store) => void Object.assign(store.heads[0] ?? {}, { mac: null })],
  ])('is refused where the head %s', async (_, tamper) => {
    const store = await sealedLog(6, { keys: KEYS });
    tamper(store);
    await expect(make(store)).rejects.toThrow(code('AUDIT_HEAD_INVALID'));
  });

  it('of a keyed log takes the key', async () => {
    const store = await sealedLog(6, { keys: KEYS });
    await expect(make(store, { keys: undefined })).rejects.toThrow(code('AUDIT_KEY_MISSING'));
  });

  it('of a log that has no key takes none', async () => {
    const store = await sealedLog(6, {});
    expect((await made(store, { keys: undefined })).size).toBe(6);
  });
});
