import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import { tryGetMarkKind } from '../src/mark.js';
import { toJson } from '../src/to-json.js';

/** As the decimal libraries are seen from outside: no import, a name and `toFixed`. */
class Decimal {
  constructor(private readonly digits: string) {}
  toFixed(): string {
    return this.digits;
  }
  toJSON(): string {
    return '1e+21';
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

describe('values become JSON', () => {
  test('dates become ISO 8601, and those that are none become a mark', () => {
    expect(toJson(new Date('2026-01-02T03:04:05.678+02:00'))).toBe('2026-01-02T01:04:05.678Z');
    expect(toJson(new Date(Number.NaN))).toEqual({ $indelible: 'date' });
  });

  test('bigints beyond 2^53 and decimals keep every digit', () => {
    expect(toJson(9007199254740993n)).toBe('9007199254740993');
    expect(toJson(new Decimal('1000000000000000000000.10'))).toBe('1000000000000000000000.10');
  });

  test('bytes become base64, and beyond the limit their SHA-256', () => {
    expect(toJson(Buffer.from('Ada'))).toBe('QWRh');
    expect(toJson(new Uint8Array([1, 2, 3]).buffer)).toBe('AQID');
    expect(toJson(new DataView(new Uint8Array([1, 2, 3]).buffer, 1))).toBe('AgM=');
    const large = Buffer.alloc(1025, 7);
    expect(toJson(large)).toEqual({
      $indelible: 'bytes',
      length: 1025,
      sha256: createHash('sha256').update(large).digest('hex'),
    });
    expect(toJson(large, { maxBinaryBytes: 1025 })).toBe(large.toString('base64'));
  });

  test('undefined is dropped from objects and null in arrays', () => {
    expect(toJson({ a: undefined, b: [undefined, 1] })).toEqual({ b: [null, 1] });
    expect(toJson(undefined)).toBeNull();
  });

  test('minus zero becomes zero', () => {
    expect(Object.is(toJson(-0), 0)).toBe(true);
  });

  test('what JSON has no form for becomes a mark', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(
      toJson({
        nan: Number.NaN,
        infinite: Number.NEGATIVE_INFINITY,
        lone: 'a\ud800b',
        cycle,
        run() {},
        symbol: Symbol('secret'),
        promise: Promise.resolve(1),
        map: new Map([['a', 1]]),
        set: new Set([1, 2]),
        regexp: /a+/g,
        error: Object.assign(new TypeError('no'), { code: 'E_NO' }),
      }),
    ).toEqual({
      nan: { $indelible: 'number', value: 'NaN' },
      infinite: { $indelible: 'number', value: '-Infinity' },
      lone: { $indelible: 'text', value: 'a\ufffdb' },
      cycle: { self: { $indelible: 'cycle' } },
      run: { $indelible: 'function' },
      symbol: { $indelible: 'symbol' },
      promise: { $indelible: 'promise' },
      map: { $indelible: 'map', entries: [['a', 1]] },
      set: { $indelible: 'set', values: [1, 2] },
      regexp: { $indelible: 'regexp', value: '/a+/g' },
      error: { $indelible: 'error', name: 'TypeError', message: 'no', code: 'E_NO' },
    });
    expect(toJson(new URL('http://localhost/a?b=1'))).toBe('http://localhost/a?b=1');
  });

  test('what throws when it is read becomes a mark, and its neighbours stay', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(
      toJson({
        get getter(): never {
          throw new Error('no');
        },
        toJson: {
          toJSON() {
            throw new Error('no');
          },
        },
        proxy: new Proxy(
          {},
          {
            ownKeys() {
              throw new Error('no');
            },
          },
        ),
        revoked: revoked.proxy,
        fine: 1,
      }),
    ).toEqual({
      getter: { $indelible: 'threw' },
      toJson: { $indelible: 'threw' },
      proxy: { $indelible: 'threw' },
      revoked: { $indelible: 'threw' },
      fine: 1,
    });
  });

  test('an object that appears twice is no cycle', () => {
    const shared = { a: 1 };
    expect(toJson([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  test('keys named __proto__ and integer-like keys survive as own data', () => {
    const json = toJson(JSON.parse('{"__proto__":{"admin":true},"2":"b","1":"a","constructor":1}'));
    expect(JSON.stringify(json)).toBe('{"1":"a","2":"b","__proto__":{"admin":true},"constructor":1}');
    expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
    expect((json as { admin?: unknown }).admin).toBeUndefined();
  });

  test('emoji, quotes, %s and NUL survive as they are', () => {
    const text = `👩‍⚕️ "quoted" 'single' %s \u0000 \u2028 \\`;
    expect(toJson({ text })).toEqual({ text });
  });

  test('data can not pass for a mark, and a mark passes through a second time', () => {
    expect(toJson({ $indelible: 'masked' })).toEqual({ $$indelible: 'masked' });
    const once = toJson({ a: Number.NaN });
    expect(toJson(once)).toEqual(once);
  });

  test('a hundred thousand levels end in a mark', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(JSON.stringify(toJson(deep))).toContain('{"$indelible":"depth"}');
  });

  test('a proxy that never ends is cut', () => {
    const endless: object = new Proxy(
      {},
      {
        get: (_, key) => (typeof key === 'string' && key.length === 1 ? endless : undefined),
        ownKeys: () => ['a', 'b'],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      },
    );
    expect(JSON.stringify(toJson(endless, { maxNodes: 1000 })).length).toBeLessThan(100_000);
  });

  test('a huge array is cut with its length', () => {
    const json = toJson(new Array(1e9), { maxNodes: 10 });
    expect(json).toMatchObject({ $indelible: 'cut', length: 1e9 });
  });

  test('strings beyond the limit are cut, no pair of surrogates in two', () => {
    expect(toJson(`${'a'.repeat(99)}😀`, { maxStringLength: 100 })).toEqual({
      $indelible: 'cut',
      value: 'a'.repeat(99),
      length: 101,
    });
  });

  test('two keys that were made alike stay two', () => {
    expect(toJson({ '\ud800': 1, '\ud801': 2 })).toEqual({ '\ufffd': 1, '\ufffd#2': 2 });
  });
});

const hostile = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      withUnicodeString: true,
      withBoxedValues: true,
      withObjectString: true,
    }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    fc.constantFrom(Symbol('s'), () => 1, Number.NaN, -0, new Date(Number.NaN), /x/, new URL('http://a/')),
    fc.array(tie('value')),
    fc.dictionary(
      fc.constantFrom('__proto__', '$indelible', 'toJSON', 'then', 'constructor', '7', 'a'),
      tie('value'),
    ),
  ),
})).value;

describe('any value at all', () => {
  test('becomes valid, canonical JSON without lone surrogates, and is not changed', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const before = describeValue(value);
        const json = toJson(value);
        const text = canonicalize(json);
        expect(LONE_SURROGATE.test(text)).toBe(false);
        expect(canonicalize(JSON.parse(text))).toBe(text);
        expect(describeValue(value)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  test('that is JSON already stays what it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(toJson(value))).toBe(JSON.stringify(value));
      }),
    );
  });
});

test('only what toJson made is known as a mark to it, and readers know it by its key', () => {
  expect(tryGetMarkKind(JSON.parse(JSON.stringify(toJson(Number.NaN))))).toBe('number');
  expect(tryGetMarkKind({ a: 1 })).toBeUndefined();
  expect(tryGetMarkKind('masked')).toBeUndefined();
});

/** The structure of a value by its own properties, so that a change of any would show. */
function describeValue(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== 'object' || value === null)
    return `${typeof value}:${String(value)}${Object.is(value, -0)}`;
  if (seen.has(value)) return 'seen';
  seen.add(value);
  const inner =
    value instanceof Map || value instanceof Set ? [...value].map((item) => describeValue(item, seen)) : [];
  const own = Reflect.ownKeys(value).map(
    (key) => `${String(key)}=${describeValue(Reflect.getOwnPropertyDescriptor(value, key)?.value, seen)}`,
  );
  return `{${[...own, ...inner].join(',')}}${Object.isFrozen(value)}`;
}
