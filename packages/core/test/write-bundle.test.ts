import { describe, expect, it } from 'vitest';
import { proveContinuation, proveEvent } from '../src/log-proof.js';
import { makeCheckpoint } from '../src/make-checkpoint.js';
import { checkConsistency, checkInclusion } from '../src/merkle-proof.js';
import { createSigner } from '../src/note-signer.js';
import { writeBundle } from '../src/write-bundle.js';
import { KEYS, sealedLog } from './make-event.js';
import { leafOf, treeRoot } from './rewrite-log.js';
import type { TamperingStore } from './tampering-store.js';
import { pemOf, RFC_SEED } from './test-keys.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const signer = createSigner(pemOf(RFC_SEED));

async function noteOf(store: TamperingStore, log = 'audit'): Promise<string> {
  const made = await makeCheckpoint(store, log, { signer, keys: KEYS });
  return made?.note ?? '';
}

async function bundleOf(store: TamperingStore, note: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeBundle(store, note)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The files of an archive, by nothing but their sizes. */
function filesIn(tar: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  for (let at = 0; tar[at] !== 0; ) {
    const name = tar.toString('latin1', at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    files.set(name, tar.toString('utf8', at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

const hashesIn = (lines: readonly string[]) => lines.map((line) => Buffer.from(line, 'base64'));

describe('a bundle', () => {
  it('holds the checkpoint and every body, byte for byte', async () => {
    const store = await sealedLog(5, { keys: KEYS });
    const note = await noteOf(store);
    const bodies = store.entryRows.map(
      ({ eventId }) => store.events.find(({ id }) => id === eventId)?.body ?? '',
    );
    expect([...filesIn(await bundleOf(store, note))]).toEqual([
      ['indelible-bundle', 'indelible-bundle/1\n'],
      ['checkpoint', note],
      ['entries/000000000000.ndjson', bodies.map((body) => `${Buffer.from(body)}\n`).join('')],
    ]);
  });

  it('holds what was signed, also where the log has grown since', async () => {
    const store = await sealedLog(5, { keys: KEYS });
    const note = await noteOf(store);
    const before = await bundleOf(store, note);
    await sealedLog(3, { keys: KEYS, store, from: 100 });
    expect((await bundleOf(store, note)).equals(before)).toBe(true);
  });

  it('has its entries in files of a few thousand', async () => {
    const store = await sealedLog(4_100, { keys: KEYS });
    store.batch = 1_000;
    const files = filesIn(await bundleOf(store, await noteOf(store)));
    expect([...files.keys()].slice(2)).toEqual([
      'entries/000000000000.ndjson',
      'entries/000000004096.ndjson',
    ]);
  });

  it('is not written to its end where the log is not what was signed', async () => {
    const store = await sealedLog(5, { keys: KEYS });
    const note = await noteOf(store);
    const other = await sealedLog(5, { keys: KEYS, from: 100 });
    await expect(bundleOf(other, note)).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
    store.events[1]?.body.set([0x20], 1);
    await expect(bundleOf(store, note)).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });
});

describe('the proof of an event', () => {
  it('leads from each event to the root', async () => {
    const store = await sealedLog(11, { keys: KEYS });
    const note = await noteOf(store);
    const root = treeRoot(store.entryRows.map(({ leaf }) => leaf));
    for (let index = 0; index < 11; index++) {
      const [head, ...rest] = (await proveEvent(store, note, index)).split('\n');
      expect(head).toBe('c2sp.org/tlog-proof@v1');
      expect(rest[1]).toBe(`index ${index}`);
      const leaf = leafOf(Buffer.from(rest[0]?.slice('extra '.length) ?? '', 'base64'));
      const proof = hashesIn(rest.slice(2, rest.indexOf('')));
      expect(checkInclusion({ index, size: 11, leaf, root, proof }), `${index}`).toBe(true);
      expect(rest.slice(rest.indexOf('') + 1).join('\n')).toBe(note);
    }
  });

  it('is not made of an index that the checkpoint does not have', async () => {
    const store = await sealedLog(3, { keys: KEYS });
    await expect(proveEvent(store, await noteOf(store), 3)).rejects.toThrow(code('AUDIT_PROOF_INVALID'));
  });

  it('is not made where the log is not what was signed', async () => {
    const note = await noteOf(await sealedLog(3, { keys: KEYS }));
    const other = await sealedLog(3, { keys: KEYS, from: 100 });
    await expect(proveEvent(other, note, 1)).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });
});

describe('the proof that a log continues', () => {
  it('leads from each earlier size', async () => {
    const store = await sealedLog(11, { keys: KEYS });
    const note = await noteOf(store);
    const leaves = store.entryRows.map(({ leaf }) => leaf);
    for (let size = 1; size <= 11; size++) {
      const [head, ...rest] = (await proveContinuation(store, note, size)).split('\n');
      expect(head).toBe(`old ${size}`);
      const proof = hashesIn(rest.slice(0, rest.indexOf('')));
      const [root1, root2] = [treeRoot(leaves.slice(0, size)), treeRoot(leaves)];
      expect(checkConsistency({ size1: size, size2: 11, root1, root2, proof }), `${size}`).toBe(true);
    }
  });
});
