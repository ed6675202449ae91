import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import type { JsonValue } from '../src/event.js';
import { trySharedVectors } from './shared-vectors.js';

interface Vectors {
  readonly cases: readonly { readonly name: string; readonly input: string; readonly outhex: string }[];
}

/** As slow and as plain as the RFC reads. */
function naive(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(naive).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value) as [string, JsonValue][];
  members.sort(([one], [other]) => compareUnits(one, other));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${naive(member)}`).join(',')}}`;
}

function compareUnits(one: string, other: string): number {
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const difference = one.charCodeAt(i) - other.charCodeAt(i);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

const json = fc.jsonValue({ depthSize: 'medium', stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>;

describe('canonical JSON', () => {
  const shared = trySharedVectors('rfc8785-jcs.json') as Vectors | null;
  it.skipIf(shared === null)(
    shared === null
      ? 'is what the test data of RFC 8785 says (SKIPPED: shared/vectors/rfc8785-jcs.json is not there)'
      : 'is what the test data of RFC 8785 says',
    () => {
      expect(shared?.cases.length).toBeGreaterThan(0);
      for (const { name, input, outhex } of shared?.cases ?? []) {
        expect(Buffer.from(canonicalize(JSON.parse(input))).toString('hex'), name).toBe(outhex);
      }
    },
  );

  it('sorts by UTF-16 code units, not by code points or locale', () => {
    // The example of RFC 8785, section 3.2.3.
    const text = '{"€":1,"\\r":2,"\\ufb33":3,"1":4,"😀":5,"\\u0080":6,"ö":7}';
    expect(canonicalize(JSON.parse(text))).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });

  // RFC 8785, appendix B: the bits of a double, and its text.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555555', '333333333.3333333'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('writes the number %s as %s', (bits, text) => {
    expect(canonicalize(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });

  it('equals the naive way for any value', () => {
    fc.assert(
      fc.property(json, (value) => canonicalize(value) === naive(value)),
      { numRuns: 500 },
    );
  });

  it('survives parsing: the same value, and the same text again', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalize(value);
        expect(canonicalize(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('keeps `__proto__` and integer-like keys as members', () => {
    const value = JSON.parse('{"b":1,"__proto__":{"x":1},"10":2,"9":3}');
    expect(canonicalize(value)).toBe('{"10":2,"9":3,"__proto__":{"x":1},"b":1}');
  });

  it('sorts many members as it sorts few', () => {
    const members = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${(i * 37) % 100}`, i]));
    expect(canonicalize(members)).toBe(naive(members));
  });

  it('leaves out members that are undefined', () => {
    const members: Record<string, unknown> = { a: undefined, b: 1, c: undefined };
    expect(canonicalize(members as JsonValue & object)).toBe('{"b":1}');
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [{ '\udc00x': 1 }], [['a\udfffb']]])(
    'refuses what JSON can not say: %j',
    (value) => {
      expect(() => canonicalize(value as JsonValue)).toThrow(
        expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }),
      );
    },
  );

  it.each([[undefined], [1n], [() => 1], [[undefined]], [Symbol('x')]])(
    'refuses what is no JSON value',
    (value) => {
      expect(() => canonicalize(value as unknown as JsonValue)).toThrow(TypeError);
    },
  );

  it('remembers no more keys than it should', () => {
    // Hostile keys fill the memory of quoted keys; the text stays right with and without it.
    for (let i = 0; i < 6_000; i++) expect(canonicalize({ [`key"${i}`]: i })).toBe(`{"key\\"${i}":${i}}`);
    const long = 'x'.repeat(100);
    expect(canonicalize({ [long]: 1 })).toBe(`{"${long}":1}`);
  });
});
