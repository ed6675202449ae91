import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import { macHead } from '../src/head.js';
import { deriveKeys } from '../src/keys.js';
import { hashLeaf } from '../src/leaf.js';
import { firstLink, Linker } from '../src/link.js';
import { checkConsistency, checkInclusion, proveConsistency, proveInclusion } from '../src/merkle-proof.js';
import { rootOf } from '../src/merkle-tree.js';
import { readBody } from '../src/read-body.js';
import { makeReplayNotices, readReplayNotice } from '../src/replay-notice.js';
import { createSealBatch } from '../src/seal-batch.js';
import { makeEvent, prepare } from './make-event.js';
import format from './vectors/format-1.json' with { type: 'json' };
import rfc6962 from './vectors/rfc6962.json' with { type: 'json' };

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => Buffer.from(text, 'hex');

describe('the bytes of format 1', () => {
  const { log, secret } = format;
  const keys = deriveKeys(secret);
  const last = format.entries.at(-1);

  it.each(['link', 'head', 'pseudonym', 'webhook', 'replay', 'operation'] as const)(
    'derive the key %s',
    (purpose) => {
      expect(hex(keys[purpose])).toBe(format.keys[purpose]);
      const direct = hkdfSync('sha256', secret, '', `indelible/${purpose}/v1`, 32);
      expect(hex(new Uint8Array(direct))).toBe(format.keys[purpose]);
    },
  );

  it('of a notice that events waited in a spool', () => {
    const { ids, mac } = format.replay;
    const late = ids.map((id) => ({ ...prepare(makeEvent(0, { log })), id }));
    const made: unknown[] = [];
    const options = { keys, maxEventBytes: 65_536 };
    makeReplayNotices(late, {
      ...options,
      prepare: (notice) => {
        made.push(notice);
        return prepare(makeEvent(0, { log }));
      },
    });
    expect(made).toMatchObject([{ replayed: 2, ids, mac }]);
    const event = makeEvent(0, { log, action: 'audit.replayed', details: { ids, mac } });
    expect(readReplayNotice(prepare(event).body, log, keys)).toEqual({ ids, vouched: true });
  });

  it('start the chain from the name of the log', () => {
    expect(hex(firstLink(log))).toBe(format.firstLink);
    expect(createHash('sha256').update(`indelible/log/v1\n${log}\n`).digest('hex')).toBe(format.firstLink);
  });

  it.each(format.entries.map((entry, index) => ({ ...entry, index })))(
    'of entry $index: canonical body, leaf and links',
    ({ event, body, leaf, sealedAt, link, plainLink, index }) => {
      expect(canonicalize(JSON.parse(JSON.stringify(event)))).toBe(body);
      expect(readBody(Buffer.from(body))).toEqual(event);
      expect(hex(hashLeaf(Buffer.from(body)))).toBe(leaf);
      expect(createHash('sha256').update('\0').update(body).digest('hex')).toBe(leaf);
      for (const [key, field, expected] of [
        [keys.link, 'link', link],
        [null, 'plainLink', plainLink],
      ] as const) {
        const previous = bytes(format.entries[index - 1]?.[field] ?? format.firstLink);
        const linker = new Linker(key);
        expect(hex(linker.link(previous, index, BigInt(sealedAt), bytes(leaf)))).toBe(expected);
        const numbers = Buffer.alloc(16);
        numbers.writeBigUInt64BE(BigInt(index), 0);
        numbers.writeBigUInt64BE(BigInt(sealedAt), 8);
        const direct = key === null ? createHash('sha256') : createHmac('sha256', key);
        direct.update('indelible/link/v1\n').update(previous).update(numbers).update(bytes(leaf));
        expect(direct.digest('hex')).toBe(expected);
      }
    },
  );

  it('of the head', () => {
    const { size, range, mac } = format.head;
    const head = { log, size, hash: bytes(last?.link ?? ''), range: bytes(range) };
    expect(hex(macHead(keys, head))).toBe(mac);
    const direct = createHmac('sha256', keys.head).update(`indelible/head/v1\n${log}\n`);
    direct.update(bytes('0000000000000003')).update(head.hash).update(head.range);
    expect(direct.digest('hex')).toBe(mac);
    expect(hex(rootOf(format.entries.map(({ leaf }) => bytes(leaf))))).toBe(format.root);
  });

  it('are what sealing writes', () => {
    const sealedAt = format.entries.map((entry) => BigInt(entry.sealedAt));
    let head = null;
    for (const [i, { event, body, leaf, link }] of format.entries.entries()) {
      const compute = createSealBatch({ keys, clock: () => sealedAt[i] ?? 0n });
      const batch = compute(head, [{ id: event.id, log, body: Buffer.from(body), leaf: bytes(leaf) }]);
      expect(hex(batch.entries[0]?.hash ?? Buffer.alloc(0))).toBe(link);
      head = batch.head;
    }
    expect(hex(head?.mac ?? Buffer.alloc(0))).toBe(format.head.mac);
    expect(hex(head?.range ?? Buffer.alloc(0))).toBe(format.head.range);
  });
});

describe('the reference tree of RFC 6962', () => {
  const leaves = rfc6962.inputs.map((input) => hashLeaf(bytes(input)));

  it('has its known leaves and roots', () => {
    expect(leaves.map(hex)).toEqual(rfc6962.leaves);
    expect(rfc6962.roots.map((_, size) => hex(rootOf(leaves.slice(0, size))))).toEqual(rfc6962.roots);
    // As certificate-transparency publishes them: the empty tree, one leaf, all eight.
    expect(rfc6962.roots[0]).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rfc6962.roots[1]).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(rfc6962.roots[8]).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });

  it('has its known inclusion proofs', () => {
    for (const { index, size, proof } of rfc6962.inclusion) {
      expect(proveInclusion(leaves.slice(0, size), index).map(hex)).toEqual(proof);
      const [leaf, root] = [bytes(rfc6962.leaves[index] ?? ''), bytes(rfc6962.roots[size] ?? '')];
      expect(checkInclusion({ index, size, leaf, root, proof: proof.map(bytes) })).toBe(true);
    }
  });

  it('has its known consistency proofs', () => {
    for (const { size1, size2, proof } of rfc6962.consistency) {
      expect(proveConsistency(leaves.slice(0, size2), size1).map(hex)).toEqual(proof);
      const [root1, root2] = [bytes(rfc6962.roots[size1] ?? ''), bytes(rfc6962.roots[size2] ?? '')];
      expect(checkConsistency({ size1, size2, root1, root2, proof: proof.map(bytes) })).toBe(true);
    }
  });
});
