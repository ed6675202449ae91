import { AuditError } from './audit-error.js';
import { isKeyName, isSignedBy, type NoteKey, noteInvalid, tryBase64 } from './note-key.js';

/** One signature line of a note. */
export interface NoteSignature {
  readonly name: string;
  /** That of the key that the line says it is from. */
  readonly keyId: number;
  /** What stands behind the id. */
  readonly signature: Uint8Array;
}

/** A signed note, taken apart and not verified: its text is nobody's yet. */
export interface SignedNote {
  /** With the newline at its end. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature that verified. */
export interface VerifiedSignature {
  readonly key: NoteKey;
  /** Of a cosignature: when the witness made it, in seconds since 1970-01-01 UTC. Null for others. */
  readonly timestamp: bigint | null;
}

const MAX_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;
/** Em dash, space. */
const MARK = '\u2014 ';
const MAX_TIMESTAMP = 2n ** 63n - 1n;

/**
 * Takes a note apart.
 *
 * Source: https://c2sp.org/signed-note
 *
 * @throws AuditError `AUDIT_NOTE_INVALID` for what has not exactly the form of a note, has more than 100 signatures or more
 * than a million bytes
 */
export function parseNote(note: string | Uint8Array): SignedNote {
  const all = typeof note === 'string' ? note : decode(note);
  if (Buffer.byteLength(all) > MAX_BYTES) throw noteInvalid('the note is too long');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u0009\u000b-\u001f]/.test(all)) throw noteInvalid('the note has control characters');
  if (/\p{Surrogate}/u.test(all)) throw noteInvalid('the note is not UTF-8');
  const end = all.lastIndexOf('\n\n');
  if (end === -1 || !all.endsWith('\n')) throw noteInvalid('the note has no signatures');
  const lines = all.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw noteInvalid('the note has too many signatures');
  return { text: all.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/**
 * The text of a note that at least one of the keys has signed.
 *
 * Signatures of other keys are passed over. One that says it is by one of these keys and is not makes the whole note bad.
 *
 * @throws AuditError `AUDIT_NOTE_INVALID`; `AUDIT_SIGNATURE_INVALID` if no key has signed, or a signature does not verify
 */
export function openNote(
  note: string | Uint8Array,
  keys: readonly NoteKey[],
): { readonly text: string; readonly verified: readonly VerifiedSignature[] } {
  const { text, signatures } = parseNote(note);
  const verified: VerifiedSignature[] = [];
  for (const line of signatures) {
    const known = keys.filter(({ name, id }) => name === line.name && id === line.keyId);
    const [key] = known;
    if (key === undefined) continue;
    if (known.some((other) => Buffer.compare(other.publicKey, key.publicKey) !== 0)) {
      throw signatureInvalid(`two of the trusted keys have the name and the id of ${key.name}`);
    }
    const signature = verifySignature(key, text, line.signature);
    if (signature === null) throw signatureInvalid(`the signature of ${key.name} does not verify`);
    if (!verified.some((other) => other.key === key)) verified.push(signature);
  }
  if (verified.length === 0) throw signatureInvalid('none of the trusted keys has signed the note');
  return { text, verified };
}

/** A note of this text and these signatures. @throws AuditError `AUDIT_NOTE_INVALID` for what could not be read again */
export function formatNote({ text, signatures }: SignedNote): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(keyId);
    return `${MARK}${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
  });
  const note = `${text}\n${lines.join('')}`;
  if (parseNote(note).text !== text) throw noteInvalid('the text ends in no newline');
  return note;
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = tryBase64(encoded);
  if (!isKeyName(name) || bytes === null || bytes.length < 5)
    throw noteInvalid('a signature line is malformed');
  return { name, keyId: bytes.readUInt32BE(), signature: Uint8Array.from(bytes.subarray(4)) };
}

function verifySignature(key: NoteKey, text: string, signature: Uint8Array): VerifiedSignature | null {
  if (key.type === 'ed25519') {
    return isSignedBy(key, Buffer.from(text), signature) ? { key, timestamp: null } : null;
  }
  if (signature.length !== 72) return null;
  const timestamp = Buffer.from(signature).readBigUInt64BE();
  if (timestamp > MAX_TIMESTAMP) return null;
  const message = Buffer.from(cosignedText(text, timestamp));
  return isSignedBy(key, message, signature.subarray(8)) ? { key, timestamp } : null;
}

/**
 * What a witness signs.
 *
 * Source: https://c2sp.org/tlog-cosignature
 *
 * @param timestamp seconds since 1970-01-01 UTC
 */
export function cosignedText(text: string, timestamp: bigint): string {
  return `cosignature/v1\ntime ${timestamp}\n${text}`;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw noteInvalid('the note is not UTF-8');
  }
}

function signatureInvalid(message: string): AuditError {
  return new AuditError('AUDIT_SIGNATURE_INVALID', 'core', message);
}
