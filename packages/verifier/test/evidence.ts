import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** Everything here is made without the code under test, and without that of @indelible/core. */

export function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function leafOf(body: string | Uint8Array): Buffer {
  return sha256(Buffer.from([0]), body);
}

/** By the definition of RFC 9162, section 2.1.1. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha256('');
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** By the definition of RFC 9162, section 2.1.3.1. */
export function inclusionOf(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...inclusionOf(index, leaves.slice(0, split)), rootOf(leaves.slice(split))]
    : [...inclusionOf(index - split, leaves.slice(split)), rootOf(leaves.slice(0, split))];
}

/** By the definition of RFC 9162, section 2.1.4.1. */
export function consistencyOf(size: number, leaves: readonly Buffer[], known = true): Buffer[] {
  if (size === leaves.length) return known ? [] : [rootOf(leaves)];
  const split = splitOf(leaves.length);
  return size <= split
    ? [...consistencyOf(size, leaves.slice(0, split), known), rootOf(leaves.slice(split))]
    : [...consistencyOf(size - split, leaves.slice(split), false), rootOf(leaves.slice(0, split))];
}

function splitOf(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

export interface EvidenceKey {
  readonly name: string;
  readonly vkey: string;
  /** One signature line over this text. */
  line(text: string): string;
}

/** A key that is new in each run; of a witness, what it signs has this time, in seconds. */
export function makeKey(name: string, witnessedAt?: bigint): EvidenceKey {
  const pair: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync('ed25519');
  const publicKey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const material = Buffer.concat([Buffer.from([witnessedAt === undefined ? 1 : 4]), publicKey]);
  const id = sha256(`${name}\n`, material).subarray(0, 4);
  return {
    name,
    vkey: `${name}+${id.toString('hex')}+${material.toString('base64')}`,
    line: (text) => {
      const time = Buffer.alloc(witnessedAt === undefined ? 0 : 8);
      if (witnessedAt !== undefined) time.writeBigUInt64BE(witnessedAt);
      const message = witnessedAt === undefined ? text : `cosignature/v1\ntime ${witnessedAt}\n${text}`;
      const signature = sign(null, Buffer.from(message), pair.privateKey);
      return `\u2014 ${name} ${Buffer.concat([id, time, signature]).toString('base64')}\n`;
    },
  };
}

export function checkpointOf(
  origin: string,
  bodies: readonly (string | Uint8Array)[],
  ...keys: readonly EvidenceKey[]
): string {
  const text = `${origin}\n${bodies.length}\n${rootOf(bodies.map(leafOf)).toString('base64')}\n`;
  return `${text}\n${keys.map((key) => key.line(text)).join('')}`;
}

export function eventOf(log: string, number: number, more: object = {}): string {
  return JSON.stringify({
    action: 'invoice.exported',
    id: `event-${number}`,
    log,
    salt: `salt ${number}`,
    ...more,
  });
}

export function eventsOf(log: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => eventOf(log, number));
}

export interface Member {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** Bytes of the header that are set to something else. */
  readonly set?: Readonly<Record<number, string>>;
}

/** Entries in files of so many. */
export function entriesOf(bodies: readonly string[], each = 3): Member[] {
  const members: Member[] = [];
  for (let at = 0; at < bodies.length; at += each) {
    const content = bodies
      .slice(at, at + each)
      .map((body) => `${body}\n`)
      .join('');
    members.push({ name: `entries/${String(at).padStart(12, '0')}.ndjson`, content });
  }
  return members;
}

export function bundleOf(checkpoint: string, entries: readonly Member[]): Member[] {
  return [
    { name: 'indelible-bundle', content: 'indelible-bundle/1\n' },
    { name: 'checkpoint', content: checkpoint },
    ...entries,
  ];
}

export function tarOf(members: readonly Member[], end: Uint8Array = Buffer.alloc(1024)): Buffer {
  const blocks = members.flatMap(({ name, content, set = {} }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 'latin1');
    header.write('0000644\u00000000000\u00000000000\u0000', 100, 'latin1');
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\u000000000000000\u0000`, 124, 'latin1');
    header.write('0ustar\u000000', 156, 'latin1');
    // The type stands before an empty name of a link.
    header.copyWithin(257, 157, 165);
    header.fill(0, 157, 257);
    for (const [at, text] of Object.entries(set)) header.write(text, Number(at), 'latin1');
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, end]);
}

export function gzip(bytes: Uint8Array): Buffer {
  return gzipSync(bytes);
}
