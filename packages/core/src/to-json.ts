import { createHash } from 'node:crypto';
import type { JsonValue } from './event.js';
import { createMark, escapeMarkKey } from './mark.js';
import { objectToJson } from './object-to-json.js';
import { setOwn } from './own-property.js';
import { cutText, isWellFormed, toWellFormed } from './well-formed.js';

export interface ToJsonOptions {
  /** Longer binary data becomes a mark with its SHA-256. @default 1_024 */
  readonly maxBinaryBytes?: number;
  /** Beyond so many values in all, arrays and objects are cut. @default 1_000_000 */
  readonly maxNodes?: number;
  /** Longer strings are cut, in UTF-16 units. @default none */
  readonly maxStringLength?: number;
  /** Beyond so many UTF-16 units in all, strings of more than 64 are cut. @default none */
  readonly maxTextLength?: number;
  /** Binary data that is UTF-8 text of which this is true becomes a `masked` mark. @default never */
  readonly isSecretText?: (text: string) => boolean;
}

/** Deeper values become a mark: everything that walks JSON afterwards recurses. */
export const MAX_DEPTH = 64;
const SHORT_TEXT = 64;

/** One conversion: the limits that are left, and the objects that are open. */
export interface Conversion {
  readonly options: ToJsonOptions;
  readonly ancestors: object[];
  nodesLeft: number;
  textLeft: number;
}

/**
 * Makes any value JSON, without ever throwing or changing it. What JSON has no form for becomes a mark, see `MarkKind`.
 *
 * - Date: ISO 8601. bigint, decimals (Decimal.js and its like): a string with every digit, never an exponent.
 * - Bytes (Buffer, Uint8Array, ArrayBuffer, DataView): base64 up to `maxBinaryBytes`, else a mark with the SHA-256.
 * - `undefined`: dropped in objects, null in arrays and alone. -0: 0. Boxed primitives: what is in the box.
 * - An object with `toJSON()`: what that returns. Any other: its own enumerable properties with string keys.
 * - NaN, infinities, lone surrogates, cycles, functions, symbols, promises, Map, Set, Error, RegExp, invalid dates, what
 *   throws when it is read, and what lies deeper than 64 levels: marks.
 * - `__proto__` and keys like `1` are data like any other; lone surrogates in keys become U+FFFD.
 */
export function toJson(value: unknown, options: ToJsonOptions = {}): JsonValue {
  const run: Conversion = {
    options,
    ancestors: [],
    nodesLeft: options.maxNodes ?? 1_000_000,
    textLeft: options.maxTextLength ?? Number.POSITIVE_INFINITY,
  };
  return convert(value, run) ?? null;
}

/** @returns undefined for what an object drops */
export function convert(value: unknown, run: Conversion): JsonValue | undefined {
  run.nodesLeft--;
  switch (typeof value) {
    case 'string':
      return convertText(value, run);
    case 'number':
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      return createMark('number', { value: String(value) });
    case 'boolean':
      return value;
    case 'bigint':
      return convertText(value.toString(), run);
    case 'undefined':
      return undefined;
    case 'function':
      return createMark('function');
    case 'symbol':
      return createMark('symbol');
  }
  if (value === null || typeof value !== 'object') return null;
  if (run.ancestors.length >= MAX_DEPTH) return createMark('depth');
  if (run.ancestors.includes(value)) return createMark('cycle');
  run.ancestors.push(value);
  try {
    return objectToJson(value, run);
  } catch {
    return createMark('threw');
  } finally {
    run.ancestors.pop();
  }
}

export function convertText(text: string, run: Conversion): JsonValue {
  if (!isWellFormed(text)) {
    return createMark('text', { value: convertText(toWellFormed(text), run) });
  }
  if (text.length <= SHORT_TEXT) return text;
  const limit = Math.min(run.options.maxStringLength ?? text.length, run.textLeft);
  if (text.length <= limit) {
    run.textLeft -= text.length;
    return text;
  }
  const start = cutText(text, Math.max(limit, SHORT_TEXT));
  run.textLeft = Math.max(0, run.textLeft - start.length);
  return createMark('cut', { value: start, length: text.length });
}

/** The items from `length` and `at`, with a mark around them where not all fit. */
export function convertItems(length: number, at: (index: number) => unknown, run: Conversion): JsonValue {
  const items: JsonValue[] = [];
  for (let index = 0; index < length; index++) {
    if (run.nodesLeft <= 0) return createMark('cut', { value: items, length });
    let item: JsonValue | undefined;
    try {
      item = convert(at(index), run);
    } catch {
      item = createMark('threw');
    }
    items.push(item ?? null);
  }
  return items;
}

/** The own enumerable properties with string keys. */
export function convertMembers(object: object, run: Conversion): JsonValue {
  const source = object as Readonly<Record<string, unknown>>;
  const members: Record<string, JsonValue> = {};
  const keys = Object.keys(source);
  for (const name of keys) {
    if (run.nodesLeft <= 0) return createMark('cut', { value: members, length: keys.length });
    let member: JsonValue | undefined;
    try {
      member = convert(source[name], run);
    } catch {
      member = createMark('threw');
    }
    if (member !== undefined) setOwn(members, memberKey(name, members, run), member);
  }
  return members;
}

const LONG_KEY = 1024;

function memberKey(name: string, members: Record<string, JsonValue>, run: Conversion): string {
  if (name.length <= LONG_KEY && isWellFormed(name)) return escapeMarkKey(name);
  run.textLeft = Math.max(0, run.textLeft - LONG_KEY);
  const key = escapeMarkKey(cutText(toWellFormed(name), LONG_KEY));
  return freeKey(members, key);
}

/** The key, with a number behind it where it is taken: two keys that were made alike stay two. */
export function freeKey(members: Readonly<Record<string, JsonValue>>, key: string): string {
  if (!Object.hasOwn(members, key)) return key;
  let number = 2;
  while (Object.hasOwn(members, `${key}#${number}`)) number++;
  return `${key}#${number}`;
}

export function convertBytes(bytes: Uint8Array, run: Conversion): JsonValue {
  const { isSecretText } = run.options;
  if (bytes.byteLength > (run.options.maxBinaryBytes ?? 1_024)) {
    return createMark('bytes', {
      length: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  }
  if (isSecretText?.(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))) {
    return createMark('masked');
  }
  return convertText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'), run);
}
