import { describe, expect, test } from 'vitest';
import { isRedacted } from '../src/concealment.js';
import type { JsonValue } from '../src/event.js';
import { createRedactor } from '../src/redactor.js';
import { CARD, JWT, KEY, MASKED, redact } from './redacted.js';

describe('field names', () => {
  test.each([
    'password',
    'userPassword',
    'password_hash',
    'PASSWORD',
    'DB_PASSWORD',
    'userpassword',
    'passWord',
    'Password2',
    'x-api-key',
    'XApiKey',
    'apikey',
    'API_KEY',
    'client_secret',
    'secrets',
    'awsSecretAccessKey',
    'accessToken',
    'accesstoken',
    'refresh-token',
    'csrfToken',
    'Authorization',
    'proxy-authorization',
    'Set-Cookie',
    'cookies',
    'ssn',
    'patientSSN',
    'cardNumber',
    'credit_card_number',
    'CVV',
    'cvv2',
    'pinCode',
    'otp',
    'private_key',
    'user[password]',
    'ｐａｓｓｗｏｒｄ',
    'pass\u00adword',
  ])('%s is masked', (name) => {
    expect(redact({ [name]: 'hunter2' })).toEqual({ [name]: MASKED });
  });

  test.each([
    'tokenizer',
    'passwordPolicyVersion',
    'tokenExpiresAt',
    'token_type',
    'accessKeyId',
    'secretary',
    'spinner',
    'lifespan',
    'pinned',
    'boardingPass',
    'companion',
    'cookieConsent',
    'creditCardBrand',
    'cardNumberLast4',
    'author',
    'authorized',
    'keyboard',
    'passwordless',
  ])('%s stays', (name) => {
    expect(redact({ [name]: 'hunter2' })).toEqual({ [name]: 'hunter2' });
  });

  test('true, false, null and counts of tokens stay', () => {
    const value = { hasPassword: true, password: null, maxTokens: 512, secret: false };
    expect(redact(value)).toEqual(value);
    expect(redact({ tokens: ['a'], pin: 1234 })).toEqual({ tokens: MASKED, pin: MASKED });
  });

  test('fields of the application are masked in any case style, whatever they hold', () => {
    expect(
      redact({ diagnosis_code: null, DiagnosisCode: true, diagnosis: 'x' }, { fields: ['diagnosisCode'] }),
    ).toEqual({ diagnosis_code: MASKED, DiagnosisCode: MASKED, diagnosis: 'x' });
  });

  test('names that are allowed stay, the rest of the list does not', () => {
    expect(redact({ token: 'a', pushToken: 'b', password: 'c' }, { allow: ['token'] })).toEqual({
      token: 'a',
      pushToken: 'b',
      password: MASKED,
    });
    expect(
      redact({ priorAuthorization: 'a', authorization: 'b' }, { allow: ['prior_authorization'] }),
    ).toEqual({
      priorAuthorization: 'a',
      authorization: MASKED,
    });
  });
});

describe('paths', () => {
  test('mask exactly what they name, through arrays, with * for any key', () => {
    const options = { paths: ['details.form.one', 'details.list.code', 'details.any.*.x'] };
    expect(
      redact(
        { form: { one: 1, two: 2 }, list: [{ code: 1, n: 2 }], any: { a: { x: 1 }, b: { x: 2, y: 3 } } },
        options,
      ),
    ).toEqual({
      form: { one: MASKED, two: 2 },
      list: [{ code: MASKED, n: 2 }],
      any: { a: { x: MASKED }, b: { x: MASKED, y: 3 } },
    });
  });

  test('name a model and its field in before and after, and no other model', () => {
    const redactor = createRedactor({ paths: ['Patient.diagnosis', 'before.note'] });
    const row = { diagnosis: 'flu', note: 'x' };
    expect(redactor.redact(row, 'before', 'Patient')).toEqual({ diagnosis: MASKED, note: MASKED });
    expect(redactor.redact(row, 'after', 'Patient')).toEqual({ diagnosis: MASKED, note: 'x' });
    expect(redactor.redact(row, 'after', 'Invoice')).toEqual(row);
  });
});

describe('modes', () => {
  test('remove drops fields, and keeps the places of items', () => {
    expect(
      redact({ password: 'a', list: [`card ${CARD}`, 'b'], n: [4111111111111111] }, { mode: 'remove' }),
    ).toEqual({
      list: ['card [removed]', 'b'],
      n: [{ $indelible: 'removed' }],
    });
  });

  test('hmac gives equal values equal pseudonyms, which the look-up helper finds', () => {
    const redactor = createRedactor({ mode: 'hmac', fields: ['email'] }, KEY);
    const first = redactor.redact({ email: 'ada@example.org', password: 'x' }, 'before');
    const second = redactor.redact({ email: 'ada@example.org', password: 'y' }, 'after');
    expect(first.email).toMatch(/^hmac:[A-Za-z0-9_-]{43}$/);
    expect(first.email).toBe(second.email);
    expect(first.email).toBe(redactor.pseudonym('ada@example.org'));
    expect(first.password).not.toBe(second.password);
    const other = createRedactor({ mode: 'hmac' }, new Uint8Array(32).fill(8));
    expect(other.pseudonym('ada@example.org')).not.toBe(first.email);
  });

  test('hmac without a key is refused', () => {
    expect(() => createRedactor({ mode: 'hmac' })).toThrow(
      expect.objectContaining({ code: 'AUDIT_KEY_MISSING' }),
    );
    expect(() => createRedactor().pseudonym('ada')).toThrow(
      expect.objectContaining({ code: 'AUDIT_KEY_MISSING' }),
    );
  });

  test('an identifier that is a secret becomes a pseudonym, or a mask without a key', () => {
    expect(createRedactor({}, KEY).identifier('resource', 'id', JWT)).toMatch(/^hmac:/);
    expect(createRedactor().identifier('resource', 'id', JWT)).toBe('[masked]');
    expect(createRedactor().identifier('resource', 'id', 'urn:token:5')).toBe('urn:token:5');
    expect(createRedactor().identifier('resource', 'id', '{"cardNumber":"1"}')).toBe('[masked]');
  });

  test('nothing in a list stays nothing', () => {
    const value = { scores: [null, 3], pairs: [['note', null]], deep: { items: [[null]] } };
    expect(redact(value)).toEqual(value);
    expect(redact(value, { custom: (item) => item })).toEqual(value);
    const removed = redact({ list: [1, 2] }, { custom: (item) => (item === 1 ? undefined : item) });
    expect(removed).toEqual({ list: [MASKED, 2] });
  });

  test('options of the wrong form are refused', () => {
    const invalid = expect.objectContaining({ code: 'AUDIT_CONFIG_INVALID' });
    // @ts-expect-error no such mode
    expect(() => createRedactor({ mode: 'hash' })).toThrow(invalid);
    // @ts-expect-error not a list
    expect(() => createRedactor({ fields: 'password' })).toThrow(invalid);
    expect(() => createRedactor({ paths: [''] })).toThrow(invalid);
  });

  test('what was redacted is known as such, so that no mask is ever restored', () => {
    for (const mode of ['mask', 'remove', 'hmac'] as const) {
      const { note, list } = redact({ note: `card ${CARD}`, list: [`{"password":"x"}`, 'fine'] }, { mode });
      expect(isRedacted(note as JsonValue)).toBe(true);
      if (mode !== 'remove') expect(isRedacted(list as JsonValue)).toBe(true);
    }
    expect(isRedacted({ a: ['fine', 1, null] })).toBe(false);
    expect(isRedacted({ a: [MASKED] })).toBe(true);
  });
});

describe("the application's own step", () => {
  test('changes, removes and sees the path', () => {
    const paths: string[] = [];
    const result = redact(
      { a: { b: 'x' }, gone: 1, big: 1 },
      {
        custom: (value, path) => {
          paths.push(path.join('.'));
          if (path.at(-1) === 'gone') return undefined;
          return path.at(-1) === 'big' ? 10n : value;
        },
      },
    );
    expect(result).toEqual({ a: { b: 'x' }, big: '10' });
    expect(paths).toEqual(['details.a.b', 'details.a', 'details.gone', 'details.big']);
  });

  test('that throws, rejects or meddles masks the value', () => {
    const custom = (value: unknown, path: readonly string[]): unknown => {
      if (path.at(-1) === 'throws') throw new Error('no');
      if (path.at(-1) === 'rejects') return Promise.reject(new Error('no'));
      if (path.at(-1) === 'meddles') (value as { x: unknown }).x = () => 1;
      return value;
    };
    expect(redact({ throws: 1, rejects: 2, meddles: { x: 1 }, fine: 3 }, { custom })).toEqual({
      throws: MASKED,
      rejects: MASKED,
      meddles: MASKED,
      fine: 3,
    });
    expect(createRedactor({ custom: () => 5 }).text('context', 'route', '/a')).toBe('[masked]');
  });
});
