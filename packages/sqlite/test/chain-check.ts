import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { RawSnapshot } from '@indelible/core/conformance';
import { expect } from 'vitest';
import type { RawConnection } from './raw-connection.js';
import { createRawDatabase } from './raw-database.js';

/** Reads all tables with raw SQL and computes links, tree and head again from the bodies, by design.md and without core. */
export async function checkChain(
  raw: RawConnection,
  log: string,
  secret: string,
): Promise<readonly string[]> {
  return checkSnapshot(await createRawDatabase((work) => work(raw)).snapshot(), log, secret);
}

/** The same for tables that were read already, of one log. @returns the ids of the entries, in order */
export function checkSnapshot(
  { events, pending, entries, heads }: RawSnapshot,
  log: string,
  secret: string,
): readonly string[] {
  const bodies = new Map(events.map((event) => [event.id, event.body]));
  const linkKey = deriveKey(secret, 'link');
  let link = createHash('sha256').update(`indelible/log/v1\n${log}\n`).digest();
  const leaves: Buffer[] = [];
  for (const [at, entry] of entries.entries()) {
    expect(entry.index).toBe(at);
    const body = bodies.get(entry.eventId);
    expect(body, `the event of entry ${at}`).toBeDefined();
    const leaf = createHash('sha256')
      .update(Uint8Array.of(0))
      .update(body ?? '')
      .digest();
    expect(Buffer.compare(leaf, entry.leaf), `the leaf of entry ${at}`).toBe(0);
    link = createHmac('sha256', linkKey)
      .update('indelible/link/v1\n')
      .update(link)
      .update(uint64(BigInt(at)))
      .update(uint64(entry.sealedAt))
      .update(leaf)
      .digest();
    expect(Buffer.compare(link, entry.hash), `the link of entry ${at}`).toBe(0);
    leaves.push(leaf);
  }
  const sealed = new Set(entries.map((entry) => entry.eventId));
  expect(sealed.size).toBe(entries.length);
  const waiting = new Set(pending.map((row) => row.id));
  for (const { id } of events) expect(sealed.has(id) !== waiting.has(id), `${id} has one place`).toBe(true);
  if (entries.length > 0) {
    expect(heads).toHaveLength(1);
    const range = compactRange(leaves);
    const head = Buffer.concat([
      Buffer.from(`indelible/head/v1\n${log}\n`),
      uint64(BigInt(leaves.length)),
      link,
      range,
    ]);
    expect(heads[0]?.size).toBe(entries.length);
    expect(Buffer.compare(heads[0]?.hash ?? Buffer.alloc(0), link), "the head's link").toBe(0);
    expect(Buffer.compare(heads[0]?.range ?? Buffer.alloc(0), range), "the head's range").toBe(0);
    const mac = createHmac('sha256', deriveKey(secret, 'head')).update(head).digest();
    expect(Buffer.compare(heads[0]?.mac ?? Buffer.alloc(0), mac), "the head's mac").toBe(0);
  }
  return entries.map((entry) => entry.eventId);
}

function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `indelible/${purpose}/v1`, 32));
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** The roots of the perfect subtrees, largest first (RFC 9162, section 2.1). */
function compactRange(leaves: readonly Buffer[]): Buffer {
  const roots: Buffer[] = [];
  for (let at = 0; at < leaves.length; ) {
    const width = 2 ** Math.floor(Math.log2(leaves.length - at));
    roots.push(rootOf(leaves.slice(at, at + width)));
    at += width;
  }
  return Buffer.concat(roots);
}

function rootOf(nodes: readonly Buffer[]): Buffer {
  const [only] = nodes;
  if (only === undefined) throw new Error('an empty tree has no node');
  if (nodes.length === 1) return only;
  const above: Buffer[] = [];
  for (let at = 0; at < nodes.length; at += 2) {
    above.push(
      createHash('sha256')
        .update(Uint8Array.of(1))
        .update(nodes[at] ?? '')
        .update(nodes[at + 1] ?? '')
        .digest(),
    );
  }
  return rootOf(above);
}
