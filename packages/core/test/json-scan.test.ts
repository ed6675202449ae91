import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOWHERE, skipNumber, skipObject, skipString, skipStrings } from '../src/json-scan.js';

const bytes = (text: string) => Buffer.from(text);

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts that are nearly JSON. */
const nearly = fc.string({
  unit: fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '1',
    '9',
    '-',
    '+',
    '.',
    'e',
    'E',
    'null',
    'true',
    'a',
    ' ',
    '\n',
    '"a":',
    '\\n',
    '\\u0041',
  ),
  maxLength: 12,
});

describe('stepping through JSON', () => {
  it.each([
    ['a number', skipNumber, ''],
    ['a string', skipString, '"'],
    ['an object', skipObject, '{'],
    ['an array of strings', skipStrings, '['],
  ] as const)('takes for %s nothing that JSON.parse refuses', (_, skip, start) => {
    fc.assert(
      fc.property(nearly, (rest) => {
        const text = start + rest;
        const end = skip(bytes(text), 0);
        if (end !== NOWHERE) expect(parses(text.slice(0, end))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('finds the end of any object', () => {
    const safe = fc.string({ unit: fc.constantFrom(...'ab"\\\n/') });
    const value = fc.dictionary(
      safe,
      fc.oneof(
        fc
          .jsonValue({ maxDepth: 3 })
          .filter((item) => /^[ -~]*$/.test(JSON.stringify(item)) && !JSON.stringify(item).includes('\\u')),
        safe,
      ),
    );
    fc.assert(
      fc.property(value, (object) => {
        const text = JSON.stringify(object);
        expect(skipObject(bytes(`${text},"more":1}`), 0)).toBe(text.length);
      }),
    );
  });

  it.each(['0', '-0', '10', '1.5', '-1.25e+10', '1E-7', '1e21'])('finds the end of the number %s', (text) => {
    expect(skipNumber(bytes(`${text},`), 0)).toBe(text.length);
    expect(skipNumber(bytes(text), 0)).toBe(text.length);
  });

  it.each(['', '-', '.5', '1.', '1e', '1e+', '+1', 'x'])('takes %j for no number', (text) => {
    expect(skipNumber(bytes(text), 0)).toBe(NOWHERE);
  });

  it('leaves what is not ASCII to the parser', () => {
    expect(skipString(bytes('"ü"'), 0)).toBe(NOWHERE);
    expect(skipString(Uint8Array.of(0x22, 0xff, 0x22), 0)).toBe(NOWHERE);
  });
});
