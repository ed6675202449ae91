import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveColumns } from '../src/columns.js';
import type { EventInput, JsonObject } from '../src/event.js';
import { MIN_EVENT_BYTES } from '../src/event-limits.js';
import { prepareEvent } from '../src/prepare-event.js';
import { readBody } from '../src/read-body.js';
import { createRedactor } from '../src/redactor.js';
import { ADA, KEY, LOGIN, MASKED, make, settings } from './made-event.js';

describe('a change', () => {
  const update = (before: Record<string, unknown>, after: Record<string, unknown>): EventInput => ({
    action: 'patient.updated',
    resource: { type: 'Patient', id: '7' },
    change: { operation: 'update', before, after, fidelity: 'exact' },
  });

  test('names the fields that changed, masked ones too', () => {
    expect(
      make(update({ password: 'a', name: 'x', n: 1 }, { password: 'b', name: 'x', n: 2 })).change,
    ).toEqual({
      operation: 'update',
      fidelity: 'exact',
      before: { password: MASKED, name: 'x', n: 1 },
      after: { password: MASKED, name: 'x', n: 2 },
      fields: ['password', 'n'],
    });
  });

  test('names removed fields too, and gives equal values equal pseudonyms', () => {
    const removed = make(update({ pin: 1 }, { pin: 2 }), {}, settings({}, { mode: 'remove' })).change;
    expect(removed).toMatchObject({ before: {}, after: {}, fields: ['pin'] });
    const hashed = make(
      update({ pin: 'same', cvv: 1 }, { pin: 'same', cvv: 2 }),
      {},
      settings({}, { mode: 'hmac' }),
    ).change;
    expect(hashed?.before?.pin).toBe(hashed?.after?.pin);
    expect(hashed?.before?.cvv).not.toBe(hashed?.after?.cvv);
    expect(hashed?.fields).toEqual(['cvv']);
  });

  test('survives decimals, bigints, bytes, dates, __proto__ and lone surrogates', () => {
    const after = JSON.parse('{"__proto__":{"a":1},"1":"one"}') as Record<string, unknown>;
    Object.assign(after, {
      big: 2n ** 70n,
      bytes: Buffer.from('hi'),
      at: new Date(0),
      lone: 'a\udc00',
      text: '%s\u0000"',
    });
    const change = make({
      action: 'patient.created',
      change: { operation: 'create', after, fidelity: 'exact' },
    }).change as { after: JsonObject };
    expect(JSON.stringify(change.after)).toBe(
      '{"1":"one","__proto__":{"a":1},"at":"1970-01-01T00:00:00.000Z","big":"1180591620717411303424",' +
        '"bytes":"aGk=","lone":{"$indelible":"text","value":"a\ufffd"},"text":"%s\\u0000\\""}',
    );
  });

  test('a key that is a secret does not stand in the resource either', () => {
    const event = make(
      {
        action: 'account.created',
        resource: { type: 'Account', id: '078-05-1120' },
        change: { operation: 'create', after: { ssn: '078-05-1120', n: 1 }, fidelity: 'exact' },
      },
      {},
    );
    expect(event.resource?.id).toBe(createRedactor({}, KEY).pseudonym('078-05-1120'));
    expect(JSON.stringify(event)).not.toContain('078-05-1120');
  });

  test('binary data that is text with a secret is masked', () => {
    const details = { body: Buffer.from('{"password":"hunter2"}'), image: Buffer.from([255, 216, 0]) };
    expect(make({ ...LOGIN, details }).details).toEqual({ body: MASKED, image: '/9gA' });
  });
});

describe('an event of the wrong form', () => {
  test.each([
    ['action', { action: 'login' }],
    ['action', { action: 'auth.log in' }],
    ['action', { action: `auth.${'x'.repeat(200)}` }],
    ['action', { action: undefined }],
    ['category', { category: 'money' }],
    ['outcome', { outcome: 'maybe' }],
    ['actor', { actor: 'ada' }],
    ['actor.type', { actor: { type: 'person', id: 'ada' } }],
    ['actor.id', { actor: { type: 'user', id: '' } }],
    ['actor.id', { actor: { type: 'user', id: {} } }],
    ['actor.email', { actor: { ...ADA, email: 5 } }],
    ['resource', { resource: 'Patient' }],
    ['resource.type', { resource: { id: '7' } }],
    ['resource.id', { resource: { type: 'Patient' } }],
    ['reason', { reason: 5 }],
    ['change', { change: 'update' }],
    ['change.operation', { change: { operation: 'edit', fidelity: 'exact' } }],
    ['change.fidelity', { change: { operation: 'update' } }],
    ['change.before', { change: { operation: 'update', fidelity: 'exact', before: [] } }],
    ['change.fields', { change: { operation: 'update', fidelity: 'exact', fields: [5] } }],
    ['context', { context: 'x' }],
    ['context.ip', { context: { ip: ['1'] } }],
    ['context.status', { context: { status: '200' } }],
    ['details', { details: 'x' }],
    ['details', { details: new Date(0) }],
    ['tags', { tags: 'x' }],
    ['tags', { tags: [5] }],
    ['time', { time: new Date(Number.NaN) }],
    ['time', { time: new Date(8.64e15) }],
    ['time', { time: '2020-01-01' }],
    ['id', { id: '550e8400-e29b-41d4-a716-446655440000' }],
  ])('is refused by the name of the field %s', (field, wrong) => {
    const input = { ...LOGIN, ...wrong } as unknown as EventInput;
    expect(() => make(input)).toThrow(
      expect.objectContaining({
        code: 'AUDIT_EVENT_INVALID',
        message: expect.stringContaining(`\`${field}\``),
      }),
    );
  });

  test('is refused for actors that never end', () => {
    const actor: Record<string, unknown> = { ...ADA };
    actor.onBehalfOf = actor;
    expect(() => make({ ...LOGIN, actor } as unknown as EventInput)).toThrow(
      expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }),
    );
  });
});

describe('the size of an event', () => {
  test('long texts are cut with their length, and the rest stays', () => {
    const details = { note: 'x'.repeat(1_000_000), id: 7, list: [1, 2] };
    expect(make({ ...LOGIN, details }).details).toEqual({
      note: { $indelible: 'cut', value: expect.stringMatching(/^x+$/), length: 1_000_000 },
      id: 7,
      list: [1, 2],
    });
  });

  test('many items and many fields are cut with their number', () => {
    const list = Array.from({ length: 100_000 }, (_, index) => `item ${index}`);
    expect(make({ ...LOGIN, details: { list } }).details?.list).toMatchObject({
      $indelible: 'cut',
      value: expect.arrayContaining(['item 0', 'item 1']),
      length: 100_000,
    });
    const after = Object.fromEntries(list.slice(0, 20_000).map((name) => [name, name]));
    const change = make({
      action: 'a.created',
      change: { operation: 'create', after, fidelity: 'exact' },
    }).change;
    expect(change?.after).toMatchObject({ $indelible: 'cut', length: 20_000 });
  });

  test('a body never exceeds the limit, whatever is in it', () => {
    const wide = fc.array(fc.string({ unit: 'binary', maxLength: 3_000 }), { maxLength: 60 });
    const text = fc
      .nat(2_000)
      .chain((length) => fc.constantFrom('\u0001'.repeat(length), '😀'.repeat(length), '"'.repeat(length)));
    fc.assert(
      fc.property(
        wide,
        fc.dictionary(text, fc.jsonValue()),
        text,
        fc.array(text),
        (list, row, hostile, tags) => {
          const actor = { type: 'user', id: `u${hostile}`, email: hostile, role: hostile } as const;
          const input: EventInput = {
            action: 'patient.updated',
            actor: { ...actor, onBehalfOf: { ...actor, onBehalfOf: { ...actor, onBehalfOf: actor } } },
            resource: { type: `P${hostile}`, id: hostile },
            reason: hostile,
            tags,
            details: { list, row },
            change: {
              operation: 'update',
              fidelity: 'exact',
              before: row,
              after: { list },
              fields: [...list, hostile],
            },
          };
          const ambient = {
            tenant: hostile,
            ip: hostile,
            userAgent: hostile,
            requestId: hostile,
            sessionId: hostile,
            correlationId: hostile,
            traceId: hostile,
            source: hostile,
            method: hostile,
            route: hostile,
            transactionId: hostile,
          };
          for (const maxEventBytes of [MIN_EVENT_BYTES, 20_000]) {
            const { body, columns } = prepareEvent(
              input,
              { context: ambient, actor: undefined },
              settings({ maxEventBytes }),
            );
            expect(body.length).toBeLessThanOrEqual(maxEventBytes);
            expect(columns).toEqual(deriveColumns(readBody(body)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('half a secret at the end of a value that was cut does not stand there either', () => {
    const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.${'s'.repeat(65_400)}`;
    for (let gap = 50; gap < 100; gap++) {
      const note = `${token} ${'r'.repeat(gap)} 4111111111111111 ${'s'.repeat(9_000)}`;
      expect(JSON.stringify(make({ ...LOGIN, details: { note } }))).not.toMatch(/41111111/);
    }
  });

  test('a secret never stands in the bytes of an event that was cut', () => {
    const secret = 'XyZZy-93-plugh';
    fc.assert(
      fc.property(fc.nat(200_000), fc.constantFrom('password', 'apiKey', 'Set-Cookie'), (length, name) => {
        const padding = 'p '.repeat(length / 2);
        const input = {
          ...LOGIN,
          details: {
            note: `${padding}${name}=${secret}`,
            json: JSON.stringify({ padding, [name]: secret }),
            [name]: secret,
          },
        };
        expect(
          Buffer.from(prepareEvent(input, { context: {}, actor: undefined }, settings()).body).includes(
            secret,
          ),
        ).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});
