import { AuditError } from './audit-error.js';
import type { JsonValue } from './event.js';

/** Beyond these a quoted key is not remembered, so that hostile keys can not fill the memory. */
const MAX_QUOTED_KEYS = 4096;
const MAX_QUOTED_KEY_LENGTH = 64;

/** With the `u` flag a well-formed pair is one code point of another category. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const quotedKeys = new Map<string, string>();

/**
 * The canonical JSON of a value: no white space, members sorted by the UTF-16 code units of their names, numbers as
 * ECMAScript writes them. Members that are undefined are left out, as `JSON.stringify` does.
 *
 * Source: RFC 8785 (JCS), sections 3.2.2 and 3.2.3.
 *
 * @throws AuditError `AUDIT_EVENT_INVALID` for what JSON can not say: NaN, infinities, lone surrogates
 * @throws TypeError for what is no JSON value at all: a function, a bigint, undefined
 */
export function canonicalize(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw notCanonical(`the number ${value}`);
      return `${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return isArray(value) ? canonicalizeArray(value) : canonicalizeObject(value);
    default:
      throw new TypeError(`canonicalize() takes JSON values, not a ${typeof value}`);
  }
}

function canonicalizeArray(values: readonly JsonValue[]): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined)
      throw new TypeError('canonicalize() takes JSON values, not undefined in an array');
    text += i === 0 ? canonicalize(value) : `,${canonicalize(value)}`;
  }
  return `${text}]`;
}

function canonicalizeObject(object: { readonly [key: string]: JsonValue }): string {
  const keys = Object.keys(object);
  sortByCodeUnits(keys);
  let text = '{';
  for (const key of keys) {
    const value = object[key];
    if (value === undefined) continue;
    text += text.length === 1 ? quoteKey(key) : `,${quoteKey(key)}`;
    text += canonicalize(value);
  }
  return `${text}}`;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Strings compare by UTF-16 code units in ECMAScript. Insertion sort: objects are small and mostly in order. */
function sortByCodeUnits(keys: string[]): void {
  if (keys.length > 32) {
    keys.sort();
    return;
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string;
    let j = i - 1;
    while (j >= 0 && (keys[j] as string) > key) {
      keys[j + 1] = keys[j] as string;
      j--;
    }
    keys[j + 1] = key;
  }
}

function quoteKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = `${quote(key)}:`;
  if (key.length <= MAX_QUOTED_KEY_LENGTH && quotedKeys.size < MAX_QUOTED_KEYS) quotedKeys.set(key, quoted);
  return quoted;
}

/** A string's canonical JSON. @throws AuditError `AUDIT_EVENT_INVALID` for a lone surrogate */
export function quote(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit < 0xe000)) {
      // JSON.stringify escapes as RFC 8785 wants it, except that it hides a lone surrogate behind an escape.
      if (LONE_SURROGATE.test(text)) throw notCanonical('a string with a lone surrogate');
      return JSON.stringify(text);
    }
  }
  return `"${text}"`;
}

function notCanonical(what: string): AuditError {
  return new AuditError('AUDIT_EVENT_INVALID', 'core', `${what} has no JSON form`);
}
