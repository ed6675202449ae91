import type { JsonObject, JsonValue } from './event.js';
import { tryGetMarkKind } from './mark.js';

/**
 * True if two JSON values are equal: the keys of objects in any order, the items of arrays in theirs. Two values of
 * which a part was cut off can not be known to be equal, so they are not.
 */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (isArray(a)) {
    if (!isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) {
      if (!sameJson(a[index] as JsonValue, b[index] as JsonValue)) return false;
    }
    return true;
  }
  if (isArray(b)) return false;
  const kind = tryGetMarkKind(a);
  if (kind === 'cut' || kind === 'depth') return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key) || !sameJson(a[key] as JsonValue, b[key] as JsonValue)) return false;
  }
  return true;
}

/** The names of the fields that differ, in the order of `before` and then `after`. A field that one side lacks differs. */
export function changedFields(before: JsonObject, after: JsonObject): string[] {
  const changed: string[] = [];
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key) || !sameJson(before[key] as JsonValue, after[key] as JsonValue)) {
      changed.push(key);
    }
  }
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key)) changed.push(key);
  }
  return changed;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
