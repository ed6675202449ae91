import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { AuditError } from './audit-error.js';
import { sha256 } from './sha256.js';

/**
 * What a key signs. `ed25519`: the text of a note. `cosignature`: a witness's statement that it saw this text at a time
 * (`cosignature/v1`).
 */
export type NoteKeyType = 'ed25519' | 'cosignature';

/** A public key by which signed notes are checked. */
export interface NoteKey {
  /** Not empty, without spaces and `+`. Of a log's own key: the name of the log. */
  readonly name: string;
  readonly type: NoteKeyType;
  /** The first four bytes of SHA-256(name ‖ "\n" ‖ type ‖ public key), big-endian. */
  readonly id: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

const TYPE_BYTES = { ed25519: 0x01, cosignature: 0x04 } as const satisfies Record<NoteKeyType, number>;

/**
 * A key of this name.
 *
 * Source: https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature
 *
 * @param publicKey Ed25519, 32 bytes
 * @throws AuditError `AUDIT_NOTE_INVALID` for a name or a key that can not be
 */
export function createNoteKey(name: string, publicKey: Uint8Array, type: NoteKeyType = 'ed25519'): NoteKey {
  if (!isKeyName(name)) throw noteInvalid(`\`${name}\` can not be the name of a key`);
  if (publicKey.length !== 32) throw noteInvalid(`a public key has 32 bytes, not ${publicKey.length}`);
  const material = Buffer.from([TYPE_BYTES[type], ...publicKey]);
  const id = Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), material]))).readUInt32BE();
  return Object.freeze({ name, type, id, publicKey: Uint8Array.from(publicKey) });
}

/**
 * The key as others write it down: `<name>+<id in hex>+<base64 of type and key>`, a vkey.
 *
 * Source: https://c2sp.org/signed-note#verifier-keys
 */
export function formatNoteKey(key: NoteKey): string {
  const material = Buffer.from([TYPE_BYTES[key.type], ...key.publicKey]).toString('base64');
  return `${key.name}+${idText(key.id)}+${material}`;
}

/** @throws AuditError `AUDIT_NOTE_INVALID` for what is no vkey of a type that is known, or one whose id is another's */
export function parseNoteKey(text: string): NoteKey {
  const [, name = '', id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  const material = tryBase64(encoded);
  const type = Object.entries(TYPE_BYTES).find(([, byte]) => byte === material?.[0])?.[0];
  if (material?.length !== 33 || (type !== 'ed25519' && type !== 'cosignature')) {
    throw noteInvalid('this is no verifier key of Ed25519: `<name>+<id>+<base64>`');
  }
  const key = createNoteKey(name, material.subarray(1), type);
  if (idText(key.id) !== id) throw noteInvalid(`the id of the verifier key ${name} is not that of its key`);
  return key;
}

/** True if the key signed exactly these bytes. */
export function isSignedBy(key: NoteKey, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, keyObject(key), signature);
}

/** Notes allow no spaces of Unicode, no `+` and no control characters in a name. */
export function isKeyName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  return name !== '' && !/[\p{White_Space}+\u0000-\u001f\p{Surrogate}]/u.test(name);
}

/** The bytes of base64 in its one form: no other characters, whole padding, no bits left over. */
export function tryBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

export function noteInvalid(message: string): AuditError {
  return new AuditError('AUDIT_NOTE_INVALID', 'core', message);
}

function idText(id: number): string {
  return id.toString(16).padStart(8, '0');
}

function keyObject({ publicKey }: NoteKey): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
