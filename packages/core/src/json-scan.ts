/*
 * Steps through the bytes of JSON without making values of them. Each function takes the place where something should
 * begin and returns the place behind it, or NOWHERE. None accepts what `JSON.parse` would refuse; what is not ASCII is
 * left to it.
 */

export const NOWHERE = -1;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const MAX_DEPTH = 64;

const ESCAPABLE = new Set([...'"\\/bfnrt'].map((char) => char.charCodeAt(0)));
/** 1 for what stands for itself inside a string: ASCII without control characters, the quote and the backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

const LITERALS = ['null', 'true', 'false'].map(ascii);

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Exactly these bytes. */
export function skipBytes(bytes: Uint8Array, at: number, expected: Uint8Array): number {
  if (at === NOWHERE) return NOWHERE;
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return NOWHERE;
  return at + expected.length;
}

/** A string of exactly this text, which must be ASCII and need no escapes. A tampered column need not be text at all. */
export function skipExactString(bytes: Uint8Array, at: number, text: unknown): number {
  if (at === NOWHERE || bytes[at] !== QUOTE || typeof text !== 'string') return NOWHERE;
  const start = at + 1;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[start + i] ?? 0;
    if (text.charCodeAt(i) !== byte || PLAIN[byte] !== 1) return NOWHERE;
  }
  const end = start + text.length;
  return bytes[end] === QUOTE ? end + 1 : NOWHERE;
}

export function skipString(bytes: Uint8Array, at: number): number {
  if (at === NOWHERE || bytes[at] !== QUOTE) return NOWHERE;
  let i = at + 1;
  for (;;) {
    while (PLAIN[bytes[i] ?? 0] === 1) i++;
    if (bytes[i] === QUOTE) return i + 1;
    if (bytes[i] !== BACKSLASH || !ESCAPABLE.has(bytes[i + 1] ?? 0)) return NOWHERE;
    i += 2;
  }
}

/** Source: RFC 8259, section 6. */
export function skipNumber(bytes: Uint8Array, at: number): number {
  if (at === NOWHERE) return NOWHERE;
  let i = bytes[at] === MINUS ? at + 1 : at;
  if (bytes[i] === ZERO) i++;
  else i = skipDigits(bytes, i);
  if (i !== NOWHERE && bytes[i] === POINT) i = skipDigits(bytes, i + 1);
  if (i !== NOWHERE && (bytes[i] === 0x65 || bytes[i] === 0x45)) {
    const signed = bytes[i + 1] === MINUS || bytes[i + 1] === 0x2b;
    i = skipDigits(bytes, signed ? i + 2 : i + 1);
  }
  return i;
}

function skipDigits(bytes: Uint8Array, at: number): number {
  let i = at;
  while (i < bytes.length && (bytes[i] ?? 0) >= ZERO && (bytes[i] ?? 0) <= NINE) i++;
  return i === at ? NOWHERE : i;
}

export function skipObject(bytes: Uint8Array, at: number): number {
  return at !== NOWHERE && bytes[at] === OPEN_OBJECT ? skipMembers(bytes, at, 0) : NOWHERE;
}

export function skipStrings(bytes: Uint8Array, at: number): number {
  if (at === NOWHERE || bytes[at] !== OPEN_ARRAY) return NOWHERE;
  if (bytes[at + 1] === CLOSE_ARRAY) return at + 2;
  let i = skipString(bytes, at + 1);
  while (i !== NOWHERE && bytes[i] === COMMA) i = skipString(bytes, i + 1);
  return i !== NOWHERE && bytes[i] === CLOSE_ARRAY ? i + 1 : NOWHERE;
}

function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  if (at === NOWHERE || depth > MAX_DEPTH) return NOWHERE;
  const byte = bytes[at];
  if (byte === QUOTE) return skipString(bytes, at);
  if (byte === OPEN_OBJECT) return skipMembers(bytes, at, depth);
  if (byte === OPEN_ARRAY) return skipElements(bytes, at, depth);
  for (const literal of LITERALS) if (byte === literal[0]) return skipBytes(bytes, at, literal);
  return skipNumber(bytes, at);
}

function skipMembers(bytes: Uint8Array, at: number, depth: number): number {
  if (bytes[at + 1] === CLOSE_OBJECT) return at + 2;
  let i = skipMember(bytes, at + 1, depth);
  while (i !== NOWHERE && bytes[i] === COMMA) i = skipMember(bytes, i + 1, depth);
  return i !== NOWHERE && bytes[i] === CLOSE_OBJECT ? i + 1 : NOWHERE;
}

function skipMember(bytes: Uint8Array, at: number, depth: number): number {
  const colon = skipString(bytes, at);
  return colon !== NOWHERE && bytes[colon] === COLON ? skipValue(bytes, colon + 1, depth + 1) : NOWHERE;
}

function skipElements(bytes: Uint8Array, at: number, depth: number): number {
  if (bytes[at + 1] === CLOSE_ARRAY) return at + 2;
  let i = skipValue(bytes, at + 1, depth + 1);
  while (i !== NOWHERE && bytes[i] === COMMA) i = skipValue(bytes, i + 1, depth + 1);
  return i !== NOWHERE && bytes[i] === CLOSE_ARRAY ? i + 1 : NOWHERE;
}
