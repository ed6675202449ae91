import type { JsonObject, JsonValue } from './event.js';

/**
 * What a mark stands for.
 *
 * | kind | in place of | further members |
 * |---|---|---|
 * | `masked`, `removed` | a redacted value | |
 * | `cut` | a string, array or object that is too large | `value`: its beginning, `length`: UTF-16 units, items or keys in all |
 * | `depth` | what lies deeper than the limit | |
 * | `cycle` | an object that contains itself | |
 * | `bytes` | binary data beyond the limit | `length`: bytes, `sha256`: hex |
 * | `text` | a string with lone surrogates | `value`: the string with U+FFFD in their place |
 * | `number` | NaN and the infinities | `value`: `NaN`, `Infinity` or `-Infinity` |
 * | `date` | an invalid date | |
 * | `function`, `symbol`, `promise` | what is not data | |
 * | `threw` | what threw when it was read | |
 * | `map` | a Map | `entries`: pairs of key and value |
 * | `set` | a Set | `values` |
 * | `error` | an Error | `name`, `message`, `code`, `cause`; never the stack |
 * | `regexp` | a RegExp | `value`: as in source code |
 */
export type MarkKind =
  | 'masked'
  | 'removed'
  | 'cut'
  | 'depth'
  | 'cycle'
  | 'bytes'
  | 'text'
  | 'number'
  | 'date'
  | 'function'
  | 'symbol'
  | 'promise'
  | 'threw'
  | 'map'
  | 'set'
  | 'error'
  | 'regexp';

/** The key that makes an object a mark: `{"$indelible":"cycle"}`. */
export const MARK_KEY = '$indelible';

/**
 * Data of the application can not pass for a mark: a key `$indelible` of its own, with any number of `$` in front, gets
 * one more `$` when it is made JSON. Readers take it off again.
 */
export function escapeMarkKey(key: string): string {
  return key.charCodeAt(0) === 36 && /^\$+indelible$/.test(key) ? `$${key}` : key;
}

// A symbol and not a WeakSet, so that the marks of another copy of this package are known too.
const MADE = Symbol.for('indelible.mark.v1');

/** Makes a mark that `toJson` lets through as it is. */
export function createMark(kind: MarkKind, members?: JsonObject): JsonObject {
  const mark = { [MARK_KEY]: kind, ...members };
  Object.defineProperty(mark, MADE, { value: true });
  return mark;
}

/** True for what `createMark` returned in this process. */
export function isMark(value: object): value is JsonObject {
  return (value as { [MADE]?: unknown })[MADE] === true;
}

/** The kind of mark that a JSON value read back from a log is, or undefined if it is none. */
export function tryGetMarkKind(value: JsonValue | undefined): MarkKind | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const kind = Object.hasOwn(value, MARK_KEY) ? (value as JsonObject)[MARK_KEY] : undefined;
  return typeof kind === 'string' ? (kind as MarkKind) : undefined;
}
