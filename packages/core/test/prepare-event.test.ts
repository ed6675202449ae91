import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import { defineActions } from '../src/catalogue.js';
import { deriveColumns } from '../src/columns.js';
import type { EventInput } from '../src/event.js';
import { EVENT_LIMITS } from '../src/event-limits.js';
import { hashLeaf } from '../src/leaf.js';
import { prepareEvent } from '../src/prepare-event.js';
import { readBody } from '../src/read-body.js';
import { createUuidV7, isUuidV7, uuidTime } from '../src/uuid.js';
import { ADA, LOGIN, make, settings } from './made-event.js';

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
        context: {
          tenant: 'clinic',
          ip: '203.0.113.7',
          requestId: 'r-1',
          transactionId: 't-1',
          status: 200,
          durationMs: 1.5,
        },
        actor: undefined,
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
            { context: { ...own, status: 200 }, actor: undefined },
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
    expect(make({ action: 'some.thing', actor: { type: 'system', id: 'nightly' } }).category).toBe('system');
    for (const type of ['user', 'service', 'api_key', 'anonymous'] as const) {
      expect(make({ action: 'some.thing', actor: { type, id: 'x' } }).category).toBe('access');
    }
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

test('the input is not changed', () => {
  const deep = Object.freeze({ password: 'x', list: Object.freeze(['y', Object.freeze({ token: 'z' })]) });
  const input = Object.freeze({ ...LOGIN, details: deep, tags: Object.freeze(['a']) });
  make(input, Object.freeze({ tenant: 'clinic', actor: Object.freeze({ ...ADA }) }));
  expect(input).toEqual({ ...LOGIN, details: { password: 'x', list: ['y', { token: 'z' }] }, tags: ['a'] });
});
