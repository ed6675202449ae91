import { hkdfSync } from 'node:crypto';
import { AuditError } from './audit-error.js';

/** The keys that are derived from the one secret, each 32 bytes and for one purpose only. */
export interface AuditKeys {
  readonly link: Uint8Array;
  readonly head: Uint8Array;
  readonly pseudonym: Uint8Array;
  readonly webhook: Uint8Array;
  readonly replay: Uint8Array;
  readonly operation: Uint8Array;
}

/** Shorter secrets are refused. In bytes. */
export const MIN_SECRET_BYTES = 32;

/**
 * Derives the keys: HKDF-SHA-256 with an empty salt, info `indelible/<purpose>/v1`, 32 bytes (RFC 5869).
 *
 * @param secret text (its UTF-8 bytes count), `base64:…`, `hex:…`, or the bytes; at least 32 bytes
 * @throws AuditError `AUDIT_KEY_WEAK` if it is shorter, `AUDIT_CONFIG_INVALID` if the encoded form does not decode
 */
export function deriveKeys(secret: string | Uint8Array): AuditKeys {
  const bytes = parseSecret(secret);
  return {
    link: derive(bytes, 'link'),
    head: derive(bytes, 'head'),
    pseudonym: derive(bytes, 'pseudonym'),
    webhook: derive(bytes, 'webhook'),
    replay: derive(bytes, 'replay'),
    operation: derive(bytes, 'operation'),
  };
}

function derive(secret: Uint8Array, purpose: keyof AuditKeys): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), `indelible/${purpose}/v1`, 32));
}

/**
 * The bytes of a secret.
 *
 * @throws AuditError `AUDIT_KEY_WEAK`, `AUDIT_CONFIG_INVALID`
 */
export function parseSecret(secret: string | Uint8Array): Uint8Array {
  const bytes = typeof secret === 'string' ? decode(secret) : secret;
  if (!(bytes instanceof Uint8Array)) throw new TypeError('the secret is a string or a Uint8Array');
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new AuditError(
      'AUDIT_KEY_WEAK',
      'core',
      `the secret has ${bytes.length} bytes, not ${MIN_SECRET_BYTES}`,
    );
  }
  return bytes;
}

function decode(secret: string): Uint8Array {
  if (secret.startsWith('base64:')) {
    const text = secret.slice('base64:'.length);
    // Buffer.from() skips what it does not know, so a mistyped secret would become a shorter one.
    // For the same reason a single character behind whole groups of four is refused: something is missing.
    if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
      throw undecodable('base64');
    }
    return Buffer.from(text, 'base64');
  }
  if (secret.startsWith('hex:')) {
    const text = secret.slice('hex:'.length);
    if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw undecodable('hex');
    return Buffer.from(text, 'hex');
  }
  return Buffer.from(secret, 'utf8');
}

function undecodable(encoding: string): AuditError {
  return new AuditError(
    'AUDIT_CONFIG_INVALID',
    'core',
    `the secret begins with \`${encoding}:\` and is no ${encoding}`,
  );
}
