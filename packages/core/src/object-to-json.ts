import type { JsonValue } from './event.js';
import { createMark, isMark } from './mark.js';
import {
  type Conversion,
  convert,
  convertBytes,
  convertItems,
  convertMembers,
  convertText,
} from './to-json.js';

const MAP_LIKE: ReadonlySet<unknown> = new Set(['Headers', 'URLSearchParams', 'FormData']);
const DECIMAL_NAMES: ReadonlySet<unknown> = new Set(['Decimal', 'BigNumber', 'Big']);

/** Makes one object JSON. May throw what the object throws when it is read. */
export function objectToJson(object: object, run: Conversion): JsonValue | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === Object.prototype || prototype === null) {
    if (isMark(object)) return object;
    return typeof read(object, 'toJSON') === 'function'
      ? viaToJson(object, run)
      : convertMembers(object, run);
  }
  if (Array.isArray(object)) {
    const items: readonly unknown[] = object;
    return convertItems(items.length, (index) => items[index], run);
  }
  if (object instanceof Date) {
    const time = Date.prototype.getTime.call(object);
    return Number.isNaN(time) ? createMark('date') : Date.prototype.toISOString.call(object);
  }
  if (ArrayBuffer.isView(object)) return viewToJson(object, run);
  if (object instanceof ArrayBuffer || object instanceof SharedArrayBuffer) {
    return convertBytes(new Uint8Array(object), run);
  }
  if (isDecimal(object)) return convertText(String(object.toFixed()), run);
  if (object instanceof Map) return mapToJson(object, run);
  if (object instanceof Set) {
    return createMark('set', { values: iterableToJson(object.values(), object.size, run) });
  }
  if (object instanceof Error) return errorToJson(object, run);
  if (object instanceof RegExp) return createMark('regexp', { value: convertText(String(object), run) });
  if (object instanceof String || object instanceof Number || object instanceof Boolean) {
    return convert(object.valueOf(), run);
  }
  if (object instanceof BigInt) return convert(BigInt.prototype.valueOf.call(object), run);
  if (typeof read(object, 'toJSON') === 'function') return viaToJson(object, run);
  if (typeof read(object, 'then') === 'function') return createMark('promise');
  if (MAP_LIKE.has(read(object, Symbol.toStringTag)) && typeof read(object, 'entries') === 'function') {
    return mapToJson(object as ReadonlyMap<unknown, unknown>, run);
  }
  return convertMembers(object, run);
}

function read(object: object, key: PropertyKey): unknown {
  return (object as Readonly<Record<PropertyKey, unknown>>)[key];
}

/** As in `JSON.stringify`, a `toJSON()` of what `toJSON()` returned is not called. */
function viaToJson(object: object, run: Conversion): JsonValue | undefined {
  const result = (object as { toJSON(key: string): unknown }).toJSON('');
  if (typeof result !== 'object' || result === null) return convert(result, run);
  if (result === object) return convertMembers(object, run);
  const prototype: unknown = Object.getPrototypeOf(result);
  const hasToJson = typeof read(result, 'toJSON') === 'function';
  return hasToJson && (prototype === Object.prototype || prototype === null)
    ? convertMembers(result, run)
    : convert(result, run);
}

function viewToJson(view: ArrayBufferView, run: Conversion): JsonValue {
  if (view instanceof Uint8Array) return convertBytes(view, run);
  if (view instanceof DataView || view instanceof Uint8ClampedArray) {
    return convertBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), run);
  }
  const numbers = view as unknown as ArrayLike<number | bigint>;
  return convertItems(numbers.length, (index) => numbers[index], run);
}

interface DecimalLike {
  toFixed(): unknown;
}

/** Decimal.js, big.js and bignumber.js, by structure: an application and its ORM have copies of their own. */
function isDecimal(object: object): object is DecimalLike {
  if (typeof read(object, 'toFixed') !== 'function' || object instanceof Number) return false;
  const maker = read(object, 'constructor');
  return (
    (typeof maker === 'function' && DECIMAL_NAMES.has(maker.name)) ||
    String(read(object, Symbol.toStringTag)).endsWith('Decimal') ||
    (typeof read(object, 's') === 'number' &&
      typeof read(object, 'e') === 'number' &&
      (Array.isArray(read(object, 'd')) || Array.isArray(read(object, 'c'))))
  );
}

function mapToJson(map: { entries(): Iterable<readonly [unknown, unknown]> }, run: Conversion): JsonValue {
  const size = read(map, 'size');
  const entries = iterableToJson(map.entries(), typeof size === 'number' ? size : -1, run);
  return createMark('map', { entries });
}

function iterableToJson(values: Iterable<unknown>, size: number, run: Conversion): JsonValue {
  const items: JsonValue[] = [];
  for (const value of values) {
    if (run.nodesLeft <= 0) return createMark('cut', { value: items, length: Math.max(size, items.length) });
    items.push(convert(value, run) ?? null);
  }
  return items;
}

/** No stack: it names the machine's paths, and repeats the message. */
function errorToJson(error: Error, run: Conversion): JsonValue {
  const members: Record<string, JsonValue> = {};
  for (const key of ['name', 'message', 'code', 'cause', 'errors']) {
    const member = key in error ? convert(read(error, key), run) : undefined;
    if (member !== undefined) members[key] = member;
  }
  return createMark('error', members);
}
