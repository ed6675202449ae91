import { createHash, createHmac } from 'node:crypto';
import type { AuditKeys } from '../src/keys.js';
import type { TamperingStore } from './tampering-store.js';

/*
 * The log's hashes once more, by node:crypto and the words of design.md alone: what a test expects of the library, and
 * what an attacker would write.
 */

export function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function leafOf(body: Uint8Array): Buffer {
  return sha256(Uint8Array.of(0), body);
}

export function uint64be(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function linkOf(
  key: Uint8Array | undefined,
  previous: Uint8Array,
  index: number,
  sealedAt: bigint,
  leaf: Uint8Array,
): Buffer {
  const message = Buffer.concat([
    Buffer.from('indelible/link/v1\n'),
    previous,
    uint64be(BigInt(index)),
    uint64be(sealedAt),
    leaf,
  ]);
  return key === undefined ? sha256(message) : createHmac('sha256', key).update(message).digest();
}

export function startOf(log: string): Buffer {
  return sha256(`indelible/log/v1\n${log}\n`);
}

/** The root of a tree by its recursive definition, RFC 9162 section 2.1.1. */
export function treeRoot(leaves: readonly Uint8Array[]): Buffer {
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
  key: Uint8Array,
  head: { log: string; size: number; hash: Uint8Array; range: Uint8Array },
): Buffer {
  return createHmac('sha256', key)
    .update(
      Buffer.concat([
        Buffer.from(`indelible/head/v1\n${head.log}\n`),
        uint64be(BigInt(head.size)),
        head.hash,
        head.range,
      ]),
    )
    .digest();
}

/** Gives every entry, in the order of its index, the hashes that it would have had, and the head with them. */
export function rewriteLog(store: TamperingStore, log: string, keys: AuditKeys | undefined): void {
  const rows = store.entryRows.filter((row) => row.log === log).sort((a, b) => a.index - b.index);
  let hash = startOf(log);
  for (const row of rows) {
    const event = store.events.find(({ id }) => id === row.eventId);
    if (event !== undefined) {
      event.leaf = leafOf(event.body);
      row.leaf = event.leaf;
    }
    hash = linkOf(keys?.link, hash, row.index, row.sealedAt, row.leaf);
    row.hash = hash;
  }
  rewriteHead(store, log, keys);
}

/** Gives the head what the entries say. */
export function rewriteHead(store: TamperingStore, log: string, keys: AuditKeys | undefined): void {
  const rows = store.entryRows.filter((row) => row.log === log).sort((a, b) => a.index - b.index);
  const head = {
    log,
    size: rows.length,
    hash: rows.at(-1)?.hash ?? startOf(log),
    range: compactRange(rows.map((row) => row.leaf)),
  };
  const mac = keys === undefined ? null : headMac(keys.head, head);
  store.heads = [...store.heads.filter((row) => row.log !== log), { ...head, mac }];
}
