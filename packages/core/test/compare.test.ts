import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedFields, sameJson } from '../src/compare.js';
import type { JsonObject, JsonValue } from '../src/event.js';
import { toJson } from '../src/to-json.js';

describe('the fields that changed', () => {
  test('identical values are no change, and one of ten fields is that field', () => {
    const row = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`field${index}`, index]));
    expect(changedFields(row, { ...row })).toEqual([]);
    expect(changedFields(row, { ...row, field7: 70 })).toEqual(['field7']);
  });

  test('the same instant and the same number are no change', () => {
    const before = toJson({ at: new Date('2026-01-01T00:00:00+02:00'), n: 1.0, z: -0 }) as JsonObject;
    const after = toJson({ at: new Date('2025-12-31T22:00:00Z'), n: 1, z: 0 }) as JsonObject;
    expect(changedFields(before, after)).toEqual([]);
  });

  test('false to null, empty text to null, shorter and reordered arrays are changes', () => {
    expect(
      changedFields({ a: false, b: '', c: [1, 2], d: [1, 2] }, { a: null, b: null, c: [1], d: [2, 1] }),
    ).toEqual(['a', 'b', 'c', 'd']);
  });

  test('JSON is compared deeply, the order of its keys aside', () => {
    expect(sameJson({ a: { b: [1, { c: 2 }] }, d: 1 }, { d: 1, a: { b: [1, { c: 2 }] } })).toBe(true);
    expect(sameJson({ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 3 }] } })).toBe(false);
    expect(sameJson([], {})).toBe(false);
    expect(sameJson({}, [])).toBe(false);
    expect(sameJson({}, null)).toBe(false);
  });

  test('a field that one side lacks is a change, __proto__ included', () => {
    const proto = JSON.parse('{"__proto__":1}') as JsonObject;
    expect(changedFields(proto, {})).toEqual(['__proto__']);
    expect(changedFields({}, proto)).toEqual(['__proto__']);
    expect(sameJson({ toString: 1 }, { a: 1 })).toBe(false);
  });

  test('two values that were cut are not known to be equal', () => {
    const cut = toJson([1, 2, 3, 4], { maxNodes: 3 });
    expect(sameJson(cut, toJson([1, 2, 3, 5], { maxNodes: 3 }))).toBe(false);
  });

  test('a value equals its copy and differs from itself with one leaf changed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = toJson(value);
        expect(sameJson(json, JSON.parse(JSON.stringify(json)) as JsonValue)).toBe(true);
        expect(sameJson([json, 1], [json, 2])).toBe(false);
      }),
    );
  });
});
