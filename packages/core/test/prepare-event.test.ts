import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import { defineActions } from '../src/catalogue.js';
import { deriveColumns } from '../src/columns.js';
import type { AuditEvent, EventInput, JsonObject } from '../src/event.js';
import { EVENT_LIMITS, MIN_EVENT_BYTES } from '../src/event-limits.js';
import { hashLeaf } from '../src/leaf.js';
import { type PrepareSettings, prepareEvent, type ResolvedContext } from '../src/prepare-event.js';
import { readBody } from '../src/read-body.js';
import type { RedactionOptions } from '../src/redaction.js';
import { createRedactor } from '../src/redactor.js';
import { createUuidV7, isUuidV7, uuidTime } from '../src/uuid.js';

const KEY = new Uint8Array(32).fill(7);
const ADA = { type: 'user', id: 'ada' } as const;
const MASKED = { $indelible: 'masked' };
const LOGIN: EventInput = { action: 'auth.login', actor: ADA };

function settings(own: Partial<PrepareSettings> = {}, redaction: RedactionOptions = {}): PrepareSettings {
  return {
    origin: 'audit',
    redactor: createRedactor(redaction, KEY),
    maxEventBytes: 65_536,
    maxBinaryBytes: 1_024,
    onMissingActor: 'system',
    catalogue: defineActions({}),
    ...own,
  };
}

function make(input: EventInput, ambient: ResolvedContext = {}, own = settings()): AuditEvent {
  return readBody(prepareEvent(input, ambient, own).body);
}

describe('an event', () => {
  test('is filled in with id, time, salt, log, category and outcome', () => {
    const before = Date.now();
    const event = make(LOGIN);
    expect(event).toEqual({
      v: 1,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      log: 'audit',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      action: 'auth.login',
      category: 'auth',
      actor: ADA,
      outcome: 'success',
      context: {},
      salt: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
    });
    expect(isUuidV7(event.id)).toBe(true);
    expect(Date.parse(event.time)).toBeGreaterThanOrEqual(before);
    expect(Math.abs(uuidTime(event.id).getTime() - Date.parse(event.time))).toBeLessThan(1_000);
  });

  test('has a salt of its own each time', () => {
    const salts = new Set(Array.from({ length: 2_000 }, () => make(LOGIN).salt));
    expect(salts.size).toBe(2_000);
  });

  test('is canonical JSON with its leaf and its columns', () => {
    const prepared = prepareEvent(
      {
        ...LOGIN,
        resource: { type: 'Patient', id: '7' },
        reason: 'visit',
        tags: ['b', 'a'],
        details: { z: 1, a: { y: 2, x: 'é😀' }, '10': 1, '9': 2 },
      },
      {
        tenant: 'clinic',
        ip: '203.0.113.7',
        requestId: 'r-1',
        transactionId: 't-1',
        status: 200,
        durationMs: 1.5,
      },
      settings(),
    );
    const text = Buffer.from(prepared.body).toString('utf8');
    expect(canonicalize(JSON.parse(text))).toBe(text);
    expect(prepared.leaf).toEqual(hashLeaf(prepared.body));
    expect(prepared.columns).toEqual(deriveColumns(readBody(prepared.body)));
    expect(prepared).toMatchObject({ log: 'audit/clinic', category: 'auth', id: JSON.parse(text).id });
  });

  test('is canonical JSON without values of the application too', () => {
    fc.assert(
      fc.property(
        fc.record({ ip: fc.string(), userAgent: fc.string({ unit: 'binary' }), tenant: fc.string() }),
        (own) => {
          const { body } = prepareEvent(
            { ...LOGIN, reason: 'x', tags: ['t'] },
            { ...own, status: 200 },
            settings(),
          );
          const text = Buffer.from(body).toString('utf8');
          expect(canonicalize(JSON.parse(text))).toBe(text);
        },
      ),
    );
  });

  test('keeps the id and the time that it is given', () => {
    const id = createUuidV7();
    const event = make({ ...LOGIN, id, time: new Date('2020-01-01T00:00:00Z') });
    expect(event).toMatchObject({ id, time: '2020-01-01T00:00:00.000Z' });
  });

  test('takes its category from the call, the catalogue, or its being a change', () => {
    expect(make({ ...LOGIN, category: 'security' }).category).toBe('security');
    expect(make({ action: 'some.thing' }).category).toBe('system');
    expect(
      make({ action: 'patient.updated', change: { operation: 'update', fidelity: 'exact' } }).category,
    ).toBe('data');
    const catalogue = defineActions({ 'invoice.exported': { category: 'billing' } }, { closed: true });
    expect(make({ action: 'invoice.exported' }, {}, settings({ catalogue })).category).toBe('billing');
  });

  test('of an unknown action is refused by a closed catalogue, a row change is not', () => {
    const closed = settings({ catalogue: defineActions({}, { closed: true }) });
    expect(() => make({ action: 'some.thing' }, {}, closed)).toThrow(
      expect.objectContaining({ code: 'AUDIT_ACTION_UNKNOWN' }),
    );
    const change = { operation: 'update', fidelity: 'exact' } as const;
    expect(make({ action: 'patient.updated', change }, {}, closed).category).toBe('data');
  });
});

describe('actor and context', () => {
  test("the event's own context goes over the ambient one, field by field", () => {
    const event = make(
      { ...LOGIN, context: { tenant: 'own', status: 201 } },
      { tenant: 'ambient', ip: '203.0.113.7', status: 200, actor: { type: 'user', id: 'grace' } },
    );
    expect(event.context).toEqual({ tenant: 'own', ip: '203.0.113.7', status: 201 });
    expect(event.actor).toEqual(ADA);
    expect(event.log).toBe('audit/own');
  });

  test('without any actor it is system unknown, or refused', () => {
    expect(make({ action: 'auth.login' }).actor).toEqual({ type: 'system', id: 'unknown' });
    expect(() => make({ action: 'auth.login' }, {}, settings({ onMissingActor: 'throw' }))).toThrow(
      expect.objectContaining({ code: 'AUDIT_ACTOR_MISSING' }),
    );
  });

  test('impersonation keeps both identities', () => {
    const actor = {
      ...ADA,
      role: 'admin',
      onBehalfOf: { type: 'user', id: 'grace', email: 'grace@example.org' },
    } as const;
    expect(make({ ...LOGIN, actor }).actor).toEqual(actor);
  });

  test('numbers as ids become strings', () => {
    const input = { ...LOGIN, actor: { type: 'user', id: 7 }, resource: { type: 'Patient', id: 9n } };
    expect(make(input as unknown as EventInput)).toMatchObject({ actor: { id: '7' }, resource: { id: '9' } });
  });

  test('hostile text changes nothing but its own field, cut to its limit', () => {
    const hostile = `\n\r\u0000*/'; DROP TABLE audit_event; --\ud800${'x'.repeat(1_000_000)}`;
    const event = make(LOGIN, {
      userAgent: hostile,
      route: hostile,
      requestId: hostile,
      ip: hostile,
      tenant: hostile,
    });
    const { userAgent, route, requestId, ip, tenant, ...rest } = event.context;
    expect(rest).toEqual({});
    for (const [name, text] of Object.entries({ userAgent, route, requestId, ip, tenant })) {
      const limit = EVENT_LIMITS[`context.${name}` as keyof typeof EVENT_LIMITS];
      expect(text?.length, name).toBeLessThanOrEqual(limit);
      expect(text?.startsWith(`\n\r\u0000*/'; DROP`), name).toBe(true);
    }
    expect(event).toMatchObject({ action: 'auth.login', actor: ADA, outcome: 'success' });
  });

  test('long identifiers that begin alike stay apart', () => {
    const ids = ['a', 'b'].map((end) =>
      make(LOGIN, { tenant: 'x'.repeat(500) + end, requestId: 'y'.repeat(500) + end }),
    );
    expect(ids[0]?.context.tenant).not.toBe(ids[1]?.context.tenant);
    expect(ids[0]?.context.requestId).not.toBe(ids[1]?.context.requestId);
    expect(ids[0]?.log).not.toBe(ids[1]?.log);
  });

  test('a secret in a route, a user agent or a reason is masked, also where the text is cut', () => {
    const event = make(
      { ...LOGIN, reason: 'sent password=hunter2', tags: ['Bearer abcdef123'] },
      { route: '/reset?token=abc&x=1', userAgent: 'bot Bearer abcdef123' },
    );
    expect(event.context).toEqual({ route: '/reset?token=[masked]&x=1', userAgent: 'bot Bearer [masked]' });
    expect(event.reason).toBe('sent password=[masked]');
    expect(event.tags).toEqual(['Bearer [masked]']);
    // The token is masked to a few characters, so that what stood far behind it comes within the limit.
    const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.${'s'.repeat(5_000)}`;
    for (let gap = 1; gap < 100; gap++) {
      const { reason } = make({
        ...LOGIN,
        reason: `${token} ${'r'.repeat(gap)} 4111111111111111 ${'s'.repeat(9_000)}`,
      });
      expect(reason).not.toMatch(/41111111/);
    }
  });

  test("fields of the application's own are masked in actor and context too", () => {
    const event = make(
      { ...LOGIN, actor: { ...ADA, email: 'ada@example.org' } },
      { ip: '203.0.113.7' },
      settings({}, { fields: ['email'], paths: ['context.ip'] }),
    );
    expect(event.actor.email).toBe('[masked]');
    expect(event.context.ip).toBe('[masked]');
    expect(
      make(LOGIN, { ip: '203.0.113.7' }, settings({}, { mode: 'remove', fields: ['ip'] })).context,
    ).toEqual({});
  });
});

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
            const { body, columns } = prepareEvent(input, ambient, settings({ maxEventBytes }));
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
        expect(Buffer.from(prepareEvent(input, {}, settings()).body).includes(secret)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});

test('the input is not changed', () => {
  const deep = Object.freeze({ password: 'x', list: Object.freeze(['y', Object.freeze({ token: 'z' })]) });
  const input = Object.freeze({ ...LOGIN, details: deep, tags: Object.freeze(['a']) });
  make(input, Object.freeze({ tenant: 'clinic', actor: Object.freeze({ ...ADA }) }));
  expect(input).toEqual({ ...LOGIN, details: { password: 'x', list: ['y', { token: 'z' }] }, tags: ['a'] });
});
