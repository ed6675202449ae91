import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AuditError } from './audit-error.js';
import { createNoteKey, formatNoteKey, isKeyName, isSignedBy, type NoteKey, tryBase64 } from './note-key.js';
import { formatNote } from './signed-note.js';

/** Who signs checkpoints: an Ed25519 key, wherever it is. */
export interface NoteSigner {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The name of the key in signatures. @default the name of the log that is signed */
  readonly name?: string;
  /** @returns the signature of RFC 8032 over exactly these bytes, 64 bytes */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Who signs, to whoever only verifies. */
export type PublicSigner = Pick<NoteSigner, 'publicKey' | 'name'>;

/** A key that stays where it is, in a KMS or an HSM say. */
export interface RemoteKey {
  /** 32 bytes, or what `openssl pkey -pubout` writes. */
  readonly publicKey: Uint8Array | string;
  readonly name?: string;
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** PKCS #8 around the 32 bytes of an Ed25519 key: RFC 8410, section 7. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * A signer from a key: text in PEM (`openssl genpkey -algorithm ed25519`), the `PRIVATE+KEY+…` of other transparency logs'
 * tools, `file:<path>` of a file that holds either, or something that signs elsewhere.
 *
 * @throws AuditError `AUDIT_CONFIG_INVALID` for what is no Ed25519 key; what reading the file throws
 *
 * @example
 * const signer = createSigner('file:./signing-key.pem');
 */
export function createSigner(key: string | RemoteKey): NoteSigner {
  if (typeof key === 'string') return fromText(key);
  if (typeof key !== 'object' || key === null || typeof key.sign !== 'function') {
    throw new TypeError('a signer is made from the text of a key, or from `{ publicKey, sign }`');
  }
  if (key.name !== undefined && !isKeyName(key.name)) throw invalid('its name can not be the name of a key');
  const publicKey =
    typeof key.publicKey === 'string' ? rawPublicKey(readPublic(key.publicKey)) : key.publicKey;
  if (!(publicKey instanceof Uint8Array) || publicKey.length !== 32)
    throw invalid('its public key is no Ed25519 key');
  return Object.freeze({
    publicKey: Uint8Array.from(publicKey),
    ...(key.name === undefined ? {} : { name: key.name }),
    sign: (bytes: Uint8Array) => key.sign(bytes),
  });
}

/** The key that verifies what this signer signs for a log. */
export function signerKey(signer: PublicSigner, log: string): NoteKey {
  return createNoteKey(signer.name ?? log, signer.publicKey);
}

/** As `signerKey`, in the form that verifiers are given: a vkey. */
export function verifierKey(signer: PublicSigner, log: string): string {
  return formatNoteKey(signerKey(signer, log));
}

/**
 * Signs a text as a note, and checks what the signer answered before it believes it.
 *
 * @param log the name of the key, where the signer has none of its own
 * @throws AuditError `AUDIT_SIGNATURE_INVALID` if the signer fails or signed something else; `AUDIT_NOTE_INVALID`
 */
export async function signNote(text: string, signer: NoteSigner, log: string): Promise<string> {
  const key = signerKey(signer, log);
  const message = Buffer.from(text);
  let signature: Uint8Array;
  try {
    signature = await signer.sign(Uint8Array.from(message));
  } catch (cause) {
    throw new AuditError('AUDIT_SIGNATURE_INVALID', 'core', `the signer of ${key.name} failed`, { cause });
  }
  if (!(signature instanceof Uint8Array) || !isSignedBy(key, message, signature)) {
    const answer = `what the signer of ${key.name} answered is not a signature by its key`;
    throw new AuditError('AUDIT_SIGNATURE_INVALID', 'core', answer);
  }
  return formatNote({ text, signatures: [{ name: key.name, keyId: key.id, signature }] });
}

function fromText(given: string): NoteSigner {
  const text = (given.startsWith('file:') ? readFileSync(given.slice('file:'.length), 'utf8') : given).trim();
  if (text.startsWith('PRIVATE+KEY+')) return fromNoteKey(text.slice('PRIVATE+KEY+'.length));
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(text);
  } catch {
    // The cause could quote the key.
    throw invalid('it can not be read as PEM');
  }
  return local(privateKey);
}

/** `<name>+<id>+<base64 of 0x01 and the seed>`, as golang.org/x/mod/sumdb/note writes it. */
function fromNoteKey(text: string): NoteSigner {
  const [, name = '', id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const material = tryBase64(encoded);
  if (material?.length !== 33 || material[0] !== 0x01 || !isKeyName(name)) {
    throw invalid('it begins with PRIVATE+KEY+ and is none');
  }
  const key = Buffer.concat([PKCS8, material.subarray(1)]);
  const signer = local(createPrivateKey({ key, format: 'der', type: 'pkcs8' }), name);
  if (verifierKey(signer, name).split('+')[1] !== id) throw invalid('its id is that of another key');
  return signer;
}

function local(privateKey: KeyObject, name?: string): NoteSigner {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw invalid('it is not of Ed25519');
  return Object.freeze({
    publicKey: rawPublicKey(createPublicKey(privateKey)),
    ...(name === undefined ? {} : { name }),
    sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey)),
  });
}

function readPublic(text: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch {
    throw invalid('its public key can not be read as PEM');
  }
}

function rawPublicKey(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ed25519') throw invalid('it is not of Ed25519');
  return Uint8Array.from(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'));
}

function invalid(what: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'core', `the signing key can not be used: ${what}`);
}
