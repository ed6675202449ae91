import { createHash, createHmac, hkdfSync } from 'node:crypto';

/*
 * The log's hashes by node:crypto and the words of DESIGN.md alone: what an attacker computes who knows the format, with the
 * key or without it.
 */

export function subkey(secret: string, purpose: 'link' | 'head'): Buffer {
  const info = `indelible/${purpose}/v1`;
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret), new Uint8Array(0), info, 32));
}

function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function uint64be(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes;
}

export function leafOf(body: Uint8Array): Buffer {
  return sha256(Uint8Array.of(0), body);
}

export function startOf(log: string): Buffer {
  return sha256(`indelible/log/v1\n${log}\n`);
}

/** @param secret undefined: a plain hash, which is all that somebody without the key can make */
export function linkOf(
  secret: string | undefined,
  previous: Uint8Array,
  index: bigint,
  sealedAt: bigint,
  leaf: Uint8Array,
): Buffer {
  const parts = ['indelible/link/v1\n', previous, uint64be(index), uint64be(sealedAt), leaf];
  if (secret === undefined) return sha256(...parts);
  const hmac = createHmac('sha256', subkey(secret, 'link'));
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function treeRoot(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return Buffer.from(first);
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(Uint8Array.of(1), treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

/** The roots of the perfect subtrees, largest first. */
export function compactRange(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return Buffer.alloc(0);
  const size = 2 ** Math.floor(Math.log2(leaves.length));
  return Buffer.concat([treeRoot(leaves.slice(0, size)), compactRange(leaves.slice(size))]);
}

export function headMac(
  secret: string,
  head: {
    readonly log: string;
    readonly size: number;
    readonly hash: Uint8Array;
    readonly range: Uint8Array;
  },
): Buffer {
  return createHmac('sha256', subkey(secret, 'head'))
    .update(`indelible/head/v1\n${head.log}\n`)
    .update(uint64be(BigInt(head.size)))
    .update(head.hash)
    .update(head.range)
    .digest();
}
