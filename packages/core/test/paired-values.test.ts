import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../src/event.js';
import { createRedactor } from '../src/redactor.js';

const SECRET = 'hunter2-secret';
const redactor = createRedactor();
const redact = (details: JsonObject) => redactor.redact(details, 'details');

describe('a secret whose name stands beside it never stays', () => {
  test.each<[string, JsonObject]>([
    ['in pairs, as Object.entries() gives them', { headers: [['x-api-key', SECRET]] }],
    [
      'in pairs among others',
      {
        form: [
          ['user', 'ada'],
          ['password', SECRET],
        ],
      },
    ],
    ['in a flat list of headers', { rawHeaders: ['Host', 'x', 'X-Api-Key', SECRET, 'Cookie', SECRET] }],
    [
      'in an error of a validator with a path',
      { errors: [{ type: 'field', path: 'password', value: SECRET }] },
    ],
    ['in an error of a validator with a param', { errors: [{ param: 'password', value: SECRET }] }],
    ['in an error of a validator with a property', { errors: [{ property: 'password', value: SECRET }] }],
    ['in an issue with a path of parts', { issues: [{ path: ['user', 'password'], received: SECRET }] }],
    ['in a list of changed fields', { changes: [{ field: 'password', old: SECRET, new: `${SECRET}2` }] }],
    ['in a list of changed columns', { changes: [{ column: 'password', from: SECRET, to: SECRET }] }],
    ['in a JSON patch', { patch: [{ op: 'replace', path: '/user/password', value: SECRET }] }],
    ['behind a label', { fields: [{ label: 'Password', value: SECRET }] }],
    ['behind an option of a command', { argv: ['login', '--password', SECRET] }],
    ['in a key that is a whole body', { [`user=ada&password=${SECRET}`]: '' }],
    ['in a key that is a whole JSON body', { [`{"password":"${SECRET}"}`]: '' }],
    [
      'in the lines of a private key',
      { key: ['-----BEGIN PRIVATE KEY-----', SECRET, '-----END PRIVATE KEY-----'] },
    ],
  ])('%s', (_, details) => {
    expect(JSON.stringify(redact(details))).not.toContain(SECRET);
  });

  test('in JSON that is base64', () => {
    const encoded = Buffer.from(JSON.stringify({ password: SECRET })).toString('base64');
    expect(redact({ state: encoded })).toEqual({ state: '[masked]' });
  });

  test('and what stands beside it does', () => {
    expect(
      redact({
        form: [
          ['user', 'ada'],
          ['password', SECRET],
        ],
      }),
    ).toEqual({
      form: [
        ['user', 'ada'],
        ['password', { $indelible: 'masked' }],
      ],
    });
    expect(redact({ argv: ['login', '--password', SECRET, '--user', 'ada'] })).toEqual({
      argv: ['login', '--password', { $indelible: 'masked' }, '--user', 'ada'],
    });
    expect(
      redact({ lines: ['-----BEGIN PRIVATE KEY-----', SECRET, '-----END PRIVATE KEY-----', 'after'] }),
    ).toEqual({
      lines: ['[masked]', { $indelible: 'masked' }, { $indelible: 'masked' }, 'after'],
    });
  });
});

test('lists of names, plain rows and public base64 stay as they are', () => {
  const details: JsonObject = {
    fields: ['password', 'email'],
    changes: [{ field: 'email', old: 'a', new: 'b' }],
    row: { id: 'token-7', name: 'Ada', from: '2026-01-01', to: '2026-02-01', value: 7 },
    state: Buffer.from('{"page":7,"of":"patients\\/all"}').toString('base64'),
    lines: ['-----BEGIN CERTIFICATE-----', 'MIIB', '-----END CERTIFICATE-----'],
    flags: ['--verbose', 'yes'],
    pairs: [
      ['email', 'ada'],
      ['page', 7],
    ],
  };
  expect(redact(details)).toEqual(details);
});
