import { createPublicKey, verify } from 'node:crypto';
import { refuse } from './finding.js';
import { sha256 } from './merkle.js';

/** A public key that the auditor trusts. Source: https://c2sp.org/signed-note */
export interface VerifierKey {
  readonly name: string;
  /** What it signs: notes, or a witness's cosignatures of them. */
  readonly kind: 'log' | 'witness';
  /** Four bytes, in hex. */
  readonly id: string;
  readonly publicKey: Buffer;
}

/** A signature that verified; of a witness, with the time at which it signed. */
export interface Signature {
  readonly key: VerifierKey;
  readonly time: string | null;
}

/** What a checkpoint states. Source: https://c2sp.org/tlog-checkpoint */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

const KINDS: ReadonlyMap<number, VerifierKey['kind']> = new Map([
  [0x01, 'log'],
  [0x04, 'witness'],
]);
const MAX_SIGNATURES = 100;
export const MAX_NOTE_BYTES = 1_000_000;

/** `<name>+<id in hex>+<base64 of kind and key>`. @returns null for what is none */
export function tryParseKey(text: string): VerifierKey | null {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  const [, name = '', id = '', encoded = ''] = parts ?? [];
  const material = tryDecode(encoded);
  const kind = KINDS.get(material?.[0] ?? -1);
  if (!isName(name) || material?.length !== 33 || kind === undefined) return null;
  const digest = sha256(Buffer.concat([Buffer.from(`${name}\n`), material]));
  if (digest.toString('hex', 0, 4) !== id) return null;
  return { name, kind, id, publicKey: material.subarray(1) };
}

/**
 * The text of a note and the signatures of trusted keys on it. Those of other keys are passed over; one that says it is by a
 * trusted key and is not makes the whole note bad.
 *
 * @throws Refused `AUDIT_NOTE_INVALID`, `AUDIT_SIGNATURE_INVALID`
 */
export function openNote(
  bytes: Uint8Array,
  trusted: readonly VerifierKey[],
): { readonly text: string; readonly signatures: readonly Signature[] } {
  const note = decodeNote(bytes);
  const cut = note.lastIndexOf('\n\n');
  if (cut < 0 || !note.endsWith('\n')) throw malformed('it has no signatures');
  const text = note.slice(0, cut + 1);
  const lines = note.slice(cut + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed('it has too many signatures');
  const signatures = new Map<VerifierKey, Signature>();
  for (const line of lines) {
    const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
    const blob = tryDecode(encoded);
    if (!isName(name) || blob === null || blob.length < 5) throw malformed('a signature line is none');
    const id = blob.toString('hex', 0, 4);
    for (const key of trusted.filter((candidate) => candidate.name === name && candidate.id === id)) {
      const signature = check(key, text, blob.subarray(4));
      if (signature === null) {
        throw refuse('AUDIT_SIGNATURE_INVALID', `the signature of ${name} does not verify`);
      }
      signatures.set(key, signature);
    }
  }
  return { text, signatures: [...signatures.values()] };
}

/** @throws Refused `AUDIT_NOTE_INVALID` */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', encoded = '', ...further] = text.split('\n');
  const root = tryDecode(encoded);
  const isNumber = /^(?:0|[1-9]\d{0,15})$/.test(size) && Number.isSafeInteger(Number(size));
  // The text ends with a newline, so the last piece is empty, and no other one may be.
  if (origin === '' || !isNumber || root?.length !== 32 || further.indexOf('') !== further.length - 1) {
    throw malformed('it does not state an origin, a size and a root');
  }
  return { origin, size: Number(size), root };
}

/** The bytes of base64 in its one form, or null. */
export function tryDecode(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

function check(key: VerifierKey, text: string, signature: Buffer): Signature | null {
  if (key.kind === 'log') return isSigned(key, text, signature) ? { key, time: null } : null;
  // Source: https://c2sp.org/tlog-cosignature, with a timestamp of at most 2^63 - 1.
  if (signature.length !== 72 || (signature[0] ?? 0) > 0x7f) return null;
  const seconds = signature.readBigUInt64BE();
  if (!isSigned(key, `cosignature/v1\ntime ${seconds}\n${text}`, signature.subarray(8))) return null;
  const date = new Date(Number(seconds) * 1_000);
  return { key, time: Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString() };
}

function isSigned({ publicKey }: VerifierKey, message: string, signature: Buffer): boolean {
  if (signature.length !== 64) return false;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
  return verify(null, Buffer.from(message), createPublicKey({ key: jwk, format: 'jwk' }), signature);
}

function decodeNote(bytes: Uint8Array): string {
  if (bytes.length > MAX_NOTE_BYTES) throw malformed('it is too long');
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) throw malformed('it has control characters');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

function isName(name: string): boolean {
  return name !== '' && !/[\p{White_Space}+]/u.test(name);
}

function malformed(why: string) {
  return refuse('AUDIT_NOTE_INVALID', `the checkpoint is not a signed note: ${why}`);
}
