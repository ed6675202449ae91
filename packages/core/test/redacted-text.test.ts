import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../src/redactor.js';
import { CARD, capital, JWT, MASKED, redact, redactText } from './redacted.js';

describe('values in free text', () => {
  test.each([
    ['a card number', `paid with ${CARD} today`, 'paid with [masked] today'],
    ['a card number with dashes', '4111-1111-1111-1111', '[masked]'],
    ['a card number before its security code', '4111 1111 1111 1111 123', '[masked]'],
    ['an American Express number', 'amex 378282246310005.', 'amex [masked].'],
    ['a token', `jwt ${JWT}, sent`, 'jwt [masked], sent'],
    ['a bearer token', 'sent BEARER abc.def-123 on', 'sent BEARER [masked] on'],
    ['basic credentials', 'Basic YWRhOmh1bnRlcjI=', 'Basic [masked]'],
    [
      'a private key',
      'a -----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY----- b',
      'a [masked] b',
    ],
    ['a private key without an end', '-----BEGIN PRIVATE KEY-----\\nMHcCAQ', '[masked]'],
    ['the password of a URL', 'postgres://ada:hun@ter2@db/x', 'postgres://ada:[masked]@db/x'],
    ['a query', '/reset?user=ada&newPassword=it%27s&x=1', '/reset?user=ada&newPassword=[masked]&x=1'],
    ['a query in a query', 'next=%2Fa%3Ftoken%3Dabc%26b%3D1', 'next=%2Fa%3Ftoken%3D%5Bmasked%5D%26b%3D1'],
    ['an encoded name', '?pass%77ord=hunter2', '?pass%77ord=[masked]'],
    ['a name in prose', 'his API key: abc def\nnext', 'his API key: [masked]\nnext'],
    ['a header', 'Cookie: a=b; c=d\r\nHost: x', 'Cookie: [masked]\r\nHost: x'],
    ['an XML element', '<a><pin>1234</pin></a>', '<a><pin>[masked]</pin></a>'],
    ['JSON that was cut', '{"a":1,"password":"hun\\"ter', '{"a":1,"password":"[masked]'],
    ['JSON in the middle', 'body {"token":"a\\"b","n":1} end', 'body {"token":"[masked]","n":1} end'],
    ['JSON in JSON in text', 'body "{\\"token\\":\\"abc\\"}"', 'body "{\\"token\\":\\"[masked]\\"}"'],
    ['the first of two equal keys', '{"pin":"1","pin":null}', '{"pin":"[masked]","pin":null}'],
  ])('%s is masked', (_, text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  test.each([
    ['an order number that fails Luhn', 'order 4111111111111112'],
    ['milliseconds since 1970 that pass Luhn', '1700000000004'],
    ['a UUID', 'id 41111111-1111-4008-8111-111111111111'],
    ['a hex digest', 'ab4111111111111111cdef00112233445566778899aabbccddeeff0011223344ff'],
    ['a decimal fraction', 'at 3.4111111111111111 degrees'],
    ['words behind basic and bearer', 'Basic metabolic panel, bearer of it'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'],
    ['JSON without secrets, digits and spaces included', '{ "amount": 12345678901234567890, "at": "10:30" }'],
    ['a resource name', 'arn:aws:secretsmanager:eu:1:secret:prod/db'],
    ['a dotted version', 'eyJ is how it begins, v1.2.3'],
  ])('%s stays', (_, text) => {
    expect(redactText(text)).toBe(text);
  });

  test('detectors can be switched off, names can not', () => {
    expect(redactText(`${CARD} password=x`, { detectValues: false })).toBe(`${CARD} password=[masked]`);
  });

  test('JSON text is parsed, redacted and written again', () => {
    expect(redactText(' [{"user":{"userPassword":"x"},"n":1}]')).toBe(
      '[{"user":{"userPassword":{"$indelible":"masked"}},"n":1}]',
    );
    expect(redactText('{"pass\\u0077ord":"x","pass\\u0077ord":null}')).toBe('{"password":null}');
  });

  test('a key that is a secret is masked too, and two of them stay two', () => {
    expect(redact({ [CARD]: 1, '5555-5555-5555-4444': 2 })).toEqual({ '[masked]': 1, '[masked]#2': 2 });
  });

  test('card numbers that are numbers are masked', () => {
    expect(redact({ a: 4111111111111111, b: 4111111111111112 })).toEqual({ a: MASKED, b: 4111111111111112 });
  });

  test('pairs of name and value are masked by the name', () => {
    expect(
      redact({ headers: [{ name: 'Authorization', value: 'x' }], map: new Map([['password', 'x']]) }),
    ).toEqual({
      headers: [{ name: 'Authorization', value: MASKED }],
      map: { $indelible: 'map', entries: [['password', MASKED]] },
    });
  });
});

describe('a secret', () => {
  const SECRET = 'XyZZy-93-plugh';
  const words = fc.constantFrom(
    ...[
      'password',
      'secret',
      'token',
      'api key',
      'card number',
      'cvv',
      'ssn',
      'private key',
      'authorization',
      'cookie',
    ],
  );
  const styles: ((words: string[]) => string)[] = [
    (parts) => parts.map((part, index) => (index === 0 ? part : capital(part))).join(''),
    (parts) => parts.map(capital).join(''),
    (parts) => parts.join('_'),
    (parts) => parts.join('-'),
    (parts) => parts.join('_').toUpperCase(),
    (parts) => parts.join('-').toUpperCase(),
    (parts) => parts.map(capital).join('-'),
    (parts) => parts.join('.'),
    (parts) => parts.join(' '),
  ];
  const names = fc
    .tuple(
      fc.constantFrom('', 'user', 'x', 'old', 'my db'),
      words,
      fc.constantFrom('', 'hash', '2', 'value', 'old'),
      fc.constantFrom(...styles),
    )
    .map(([before, word, after, style]) => style(`${before} ${word} ${after}`.trim().split(' ')));
  const wraps: ((value: unknown) => unknown)[] = [
    (value) => ({ inner: value, other: 1 }),
    (value) => [0, value],
    (value) => JSON.stringify({ inner: value }),
    (value) => JSON.stringify([value, 'tab\t']),
    (value) => new Map([['inner', value]]),
    (value) => ({ __proto__x: value }),
    (value) => new Error('failed', { cause: value }),
  ];

  test('never passes by its name, at any depth, in any case style, in arrays and JSON strings', () => {
    fc.assert(
      fc.property(names, fc.array(fc.constantFrom(...wraps), { maxLength: 5 }), (name, ways) => {
        const planted = ways.reduce<unknown>((value, wrap) => wrap(value), { [name]: SECRET });
        for (const mode of ['mask', 'remove', 'hmac'] as const) {
          const text = JSON.stringify(redact({ planted, sibling: 'stays' }, { mode }));
          expect(text).not.toContain(SECRET);
          expect(text).toContain('stays');
        }
      }),
      { numRuns: 400 },
    );
  });

  test('never passes in a query, a header or a form by its name', () => {
    fc.assert(
      fc.property(names, (name) => {
        for (const text of [
          `/a?${encodeURIComponent(name)}=${SECRET}&fine=stays`,
          `fine=stays&${name.replaceAll(' ', '+')}=${SECRET}`,
          `fine=stays\n${name}: ${SECRET}`,
          `{"fine":"stays","${name}":"${SECRET}`,
        ]) {
          const redacted = redactText(text);
          expect(redacted).not.toContain(SECRET);
          expect(redacted).toContain('stays');
        }
      }),
    );
  });

  test('never passes by its form in any text around it', () => {
    const around = fc.string({ maxLength: 20 }).map((text) => text.replace(/[0-9a-zA-Z_.~+/%-]/g, ' '));
    fc.assert(
      fc.property(around, fc.constantFrom(CARD.replaceAll(' ', ''), JWT), around, (before, secret, after) => {
        expect(JSON.stringify(redactText(before + secret + after))).not.toContain(secret);
      }),
    );
  });

  test('leaves the argument as it was', () => {
    const value = Object.freeze({ a: Object.freeze({ password: 'x', b: Object.freeze(['y']) }) });
    createRedactor().redact(value, 'details');
    expect(value).toEqual({ a: { password: 'x', b: ['y'] } });
  });
});

describe('hostile texts of 64 KiB', () => {
  test.each([
    ['eyJ without end', 'eyJ'.repeat(22_000)],
    ['eyJ with dots', 'eyJ.'.repeat(16_000)],
    ['digits', '1'.repeat(65_536)],
    ['digits in groups', '1 '.repeat(32_768)],
    ['digits and %20', '4%20'.repeat(16_384)],
    ['bearer', 'bearer '.repeat(9_000)],
    ['key headers', '-----BEGIN '.repeat(6_000)],
    ['private key headers', '-----BEGIN PRIVATE KEY-----'.repeat(2_400)],
    ['colons', ':'.repeat(65_536)],
    ['names and colons', 'password:'.repeat(7_000)],
    ['greater than', '>'.repeat(65_536)],
    ['urls', '://'.repeat(21_000)],
    ['urls with names', '://a:'.repeat(13_000)],
    ['brackets', '['.repeat(65_536)],
    ['quotes', '"password":"'.repeat(5_000)],
    ['backslashes', `"token":"${'\\'.repeat(65_000)}`],
    ['percent', '%3A'.repeat(21_000)],
    ['encoded percent', `%${'25'.repeat(32_000)}`],
    ['capitals', `${'A'.repeat(65_000)}=x`],
    ['words', 'a '.repeat(32_768)],
    ['hex', 'a1'.repeat(32_768)],
  ])('%s are searched in linear time', (_, text) => {
    const redactor = createRedactor();
    const started = process.cpuUsage();
    redactor.redact({ text, [text]: 1 }, 'details');
    // A search in quadratic time takes many seconds; the processor's time does not count other processes.
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_500);
  });
});
