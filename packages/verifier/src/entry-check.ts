import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Finding } from './finding.js';
import { Tree } from './merkle.js';

/** Some entries that follow each other: what one thread checks at a time. */
export interface EntryBatch {
  /** The lines, each with its newline, behind one byte that is free. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The index of the first one. */
  readonly first: number;
  readonly count: number;
  /** The log that they have to be of. */
  readonly origin: string;
  /** True: their hashes are needed, and not only the root over them. */
  readonly leaves: boolean;
  /** Makes the fingerprints of ids, new in each run, so that nobody can choose ids that collide. */
  readonly seeds: readonly [number, number];
}

export interface CheckedBatch {
  /** Those of the batch, to be used again. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The root over the entries, or all hashes, 32 bytes each. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** Two numbers an entry. */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly findings: readonly Finding[];
}

const NEWLINE = 0x0a;
const BRACE = 0x7b;
const EQUALS = 0x3d;

/** Hashes each entry and looks whether it is an event of the log. Everything that does not depend on other batches. */
export function checkEntries(batch: EntryBatch): CheckedBatch {
  const { bytes, first, count, origin, leaves, seeds } = batch;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const hashes = Buffer.alloc(count * 32);
  const ids = new Uint32Array(count * 2);
  const findings: Finding[] = [];
  let start = 1;
  for (let at = 0; at < count; at++) {
    const end = text.indexOf(NEWLINE, start);
    const body = takeBody(text, start, end);
    if (body === null) {
      findings.push({
        code: 'BUNDLE_LINE',
        index: first + at,
        detail: 'the line is neither an event nor base64 of one',
      });
    } else {
      hashes.write(hash('sha256', body, 'binary'), at * 32, 32, 'latin1');
      const id = checkBody(body.subarray(1), first + at, origin, findings);
      if (id !== null) fingerprint(id, seeds, ids, at * 2);
    }
    start = end + 1;
  }
  return {
    bytes,
    hashes: leaves ? new Uint8Array(hashes) : new Uint8Array(rootOver(hashes, count)),
    ids,
    findings,
  };
}

/** The body behind the byte 0x00, as it is hashed. The byte before a line is free: it is the end of the line before. */
function takeBody(text: Buffer, start: number, end: number): Buffer | null {
  if (text[start] === BRACE) {
    text[start - 1] = 0;
    return text.subarray(start - 1, end);
  }
  if (text[start] !== EQUALS) return null;
  const encoded = text.toString('latin1', start + 1, end);
  const body = Buffer.from(encoded, 'base64');
  return body.toString('base64') === encoded ? Buffer.concat([Buffer.alloc(1), body]) : null;
}

function checkBody(body: Buffer, index: number, origin: string, findings: Finding[]): string | null {
  const event = tryParse(body);
  if (event === null) {
    findings.push({ code: 'AUDIT_EVENT_UNREADABLE', index, detail: 'the entry is not the JSON of an event' });
    return null;
  }
  if (event.log !== origin) {
    const detail = `the event says that it is of the log ${JSON.stringify(event.log)}`;
    findings.push({ code: 'AUDIT_LOG_MISMATCH', index, detail });
  }
  return event.id;
}

/** The id and the log of an event. */
export function tryParse(body: Buffer): { readonly id: string; readonly log: string } | null {
  if (!isUtf8(body)) return null;
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value !== 'object' || value === null || !('id' in value) || !('log' in value)) return null;
    const { id, log } = value;
    return typeof id === 'string' && id !== '' && typeof log === 'string' ? { id, log } : null;
  } catch {
    return null;
  }
}

function rootOver(hashes: Buffer, count: number): Buffer {
  const tree = new Tree();
  for (let at = 0; at < count; at++) tree.append(hashes.subarray(at * 32, at * 32 + 32));
  return tree.root();
}

function fingerprint(id: string, seeds: readonly [number, number], into: Uint32Array, at: number): void {
  let [one, other] = seeds;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    one = Math.imul(one ^ unit, 0x01000193) + (other >>> 15);
    other = Math.imul(other ^ unit, 0x5bd1e995) ^ (one >>> 13);
  }
  into[at] = mix(one ^ id.length);
  into[at + 1] = mix(other ^ (into[at] ?? 0));
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
