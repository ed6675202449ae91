import { createHmac } from 'node:crypto';
import { AuditError } from './audit-error.js';
import { canonicalize } from './canonical-json.js';
import type { JsonValue } from './event.js';
import { createMark, tryGetMarkKind } from './mark.js';
import type { RedactionMode } from './redaction.js';

const MASKED = Object.freeze(createMark('masked'));
const REMOVED = Object.freeze(createMark('removed'));
const MASKED_TEXT = '[masked]';
const REMOVED_TEXT = '[removed]';
const REDACTED_TEXT =
  /\[(?:masked|removed)\]|%5B(?:masked|removed)%5D|\$indelible\\*":\\*"(?:masked|removed)|hmac(?::|%3A)[A-Za-z0-9_-]{43}/;

/** What stands in the place of a secret. */
export interface Concealment {
  /** For a value; undefined: its field goes. */
  value(value: JsonValue): JsonValue | undefined;
  /** For an item of an array, where the others must keep their places. */
  item(value: JsonValue): JsonValue;
  /** For a piece of a text. */
  text(secret: string): string;
  /** For something that identifies: a pseudonym in every mode, if there is a key. */
  identifier(secret: string): string;
  pseudonym(value: string): string;
}

/** @throws AuditError `AUDIT_KEY_MISSING` for `hmac` without a key */
export function createConcealment(mode: RedactionMode, key: Uint8Array | undefined): Concealment {
  const secretKey = key === undefined ? undefined : Uint8Array.from(key);
  const pseudonym = (value: string): string => {
    if (secretKey === undefined) {
      throw new AuditError('AUDIT_KEY_MISSING', 'core', 'pseudonyms (redaction mode `hmac`) need the secret');
    }
    return `hmac:${createHmac('sha256', secretKey).update(value, 'utf8').digest('base64url')}`;
  };
  if (mode === 'hmac') {
    if (secretKey === undefined) pseudonym('');
    const value = (secret: JsonValue) =>
      pseudonym(typeof secret === 'string' ? secret : canonicalize(secret));
    return { value, item: value, text: pseudonym, identifier: pseudonym, pseudonym };
  }
  const replacement = mode === 'remove' ? REMOVED : MASKED;
  const text = mode === 'remove' ? REMOVED_TEXT : MASKED_TEXT;
  return {
    value: () => (mode === 'remove' ? undefined : MASKED),
    item: () => replacement,
    text: () => text,
    identifier: secretKey === undefined ? () => text : pseudonym,
    pseudonym,
  };
}

/**
 * True for a value of a stored event that is not what it was: redacted in whole or in part, so that nothing can be
 * restored from it.
 */
export function isRedacted(value: JsonValue): boolean {
  if (typeof value === 'string') return REDACTED_TEXT.test(value);
  if (typeof value !== 'object' || value === null) return false;
  const kind = tryGetMarkKind(value);
  return kind === 'masked' || kind === 'removed' || Object.values(value).some(isRedacted);
}
