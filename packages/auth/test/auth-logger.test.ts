import { runWithContext } from '@indelible/context';
import {
  type AuditEvent,
  type AuditStore,
  BUILT_IN_ACTIONS,
  configureAudit,
  createAudit,
  createMemoryStore,
  createRedactor,
  deriveKeys,
  readBody,
} from '@indelible/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AuthEventType,
  type AuthExtra,
  createAuthLogger,
  type LogAuthEvent,
  logAuthEvent,
  maskIdentity,
  normalizeIdentity,
} from '../src/index.js';

const SECRET = 'a-secret-for-tests-of-at-least-32-bytes';

let store: AuditStore;
let audit: ReturnType<typeof createAudit>;
let errors: Error[];
let log: LogAuthEvent;

beforeEach(() => {
  store = createMemoryStore();
  errors = [];
  audit = createAudit({
    store,
    hmacKey: SECRET,
    lifecycleEvents: false,
    onError: (error) => errors.push(error),
  });
  log = createAuthLogger({ audit });
});
afterEach(() => audit.close());

async function events(): Promise<readonly AuditEvent[]> {
  await audit.flush();
  return (await store.list({ limit: 1_000 })).map((event) => readBody(event.body));
}

async function only(): Promise<AuditEvent> {
  const [event, ...more] = await events();
  expect(more).toEqual([]);
  if (event === undefined) throw new Error('no event');
  return event;
}

async function bytes(): Promise<string> {
  await audit.flush();
  const listed = await store.list({ limit: 1_000 });
  return listed.map(({ body }) => Buffer.from(body).toString('utf8')).join('\n');
}

describe('logAuthEvent', () => {
  test('records a sign-in with who, from where and when it is durable', async () => {
    const req = {
      method: 'POST',
      headers: { 'user-agent': 'test', 'x-request-id': 'r1' },
      ip: '203.0.113.7',
      user: { id: 'ada', email: 'ada@clinic.example', role: 'doctor' },
    };
    const recorded = await log('login', 'ada', req, { method: 'password' });
    expect(recorded.where).toBe('store');
    expect(await only()).toMatchObject({
      id: recorded.id,
      action: 'auth.login',
      category: 'auth',
      outcome: 'success',
      actor: { type: 'user', id: 'ada', email: 'ada@clinic.example', role: 'doctor' },
      resource: { type: 'user', id: 'ada' },
      context: { source: 'http', ip: '203.0.113.7', userAgent: 'test', requestId: 'r1', method: 'POST' },
      details: { method: 'password', severity: 'info' },
    });
  });

  test('does not lend the details of whoever is signed in to another user', async () => {
    await log('login', 'grace', { headers: {}, user: { id: 'ada', email: 'ada@clinic.example' } });
    expect((await only()).actor).toEqual({ type: 'user', id: 'grace' });
  });

  test('takes every name of the catalogue', async () => {
    const types = Object.keys(BUILT_IN_ACTIONS)
      .filter((action) => action.startsWith('auth.'))
      .map((action) => action.slice('auth.'.length) as AuthEventType);
    expect(types.length).toBeGreaterThan(40);
    for (const type of types) await log(type, 'ada', undefined, { targetUserId: 'grace' });
    const found = await events();
    expect(found.map((event) => event.action)).toEqual(types.map((type) => `auth.${type}`));
    const failed = found.filter((event) => event.outcome !== 'success').map((event) => event.action);
    expect(failed).toEqual(['auth.login_failed', 'auth.mfa_failed', 'auth.sso_login_failed']);
  });

  test('takes a Web request, a Fastify request, and none: then the context in force counts', async () => {
    await log('login', 'ada', new Request('https://clinic.example/', { headers: { 'user-agent': 'web' } }));
    await log('login', 'ada', { ip: '10.0.0.1', headers: {}, routeOptions: { url: '/login' }, raw: {} });
    await runWithContext({ ip: '10.0.0.2', requestId: 'r3' }, () => log('login', 'ada'));
    const contexts = (await events()).map((event) => event.context);
    expect(contexts[0]).toMatchObject({ userAgent: 'web' });
    expect(contexts[1]).toMatchObject({ ip: '10.0.0.1', route: '/login' });
    expect(contexts[2]).toMatchObject({ ip: '10.0.0.2', requestId: 'r3' });
  });

  test('two events of one request without a middleware share its fresh id', async () => {
    const req = { headers: { 'x-request-id': 'not well formed' } };
    await log('login_failed', null, req);
    await log('account_locked', 'ada', req);
    const ids = (await events()).map((event) => event.context.requestId);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  test('uses the default audit where none is passed', async () => {
    const other = createMemoryStore();
    const configured = configureAudit({ store: other, hmacKey: SECRET, lifecycleEvents: false });
    await logAuthEvent('logout', 7);
    expect((await other.list())[0]?.columns).toMatchObject({ action: 'auth.logout', actorId: '7' });
    await configured.close();
  });

  test('a request that throws when it is read costs the event its request only', async () => {
    const req = Object.defineProperties(
      { headers: {} },
      {
        ip: {
          get: () => {
            throw new Error('on purpose');
          },
        },
        user: {
          get: () => {
            throw new Error('on purpose');
          },
        },
      },
    );
    await log('login', 'ada', req);
    expect((await only()).actor.id).toBe('ada');
    expect(errors).toMatchObject([{ code: 'AUDIT_CONTEXT_FAILED' }]);
  });

  test('refuses what it does not understand', async () => {
    const call: (...args: unknown[]) => Promise<unknown> = log as never;
    await expect(call('signin', 'ada')).rejects.toThrow(TypeError);
    await expect(call('toString', 'ada')).rejects.toThrow(TypeError);
    await expect(call('login', { name: 'Ada' })).rejects.toThrow(TypeError);
    await expect(call('login', 'ada', 'req')).rejects.toThrow(TypeError);
    await expect(call('login', 'ada', null, 'extra')).rejects.toThrow(TypeError);
    expect(await events()).toEqual([]);
  });
});

describe('a failed sign-in', () => {
  test('names nobody as its actor, and keeps the attempted identity masked', async () => {
    await log('login_failed', null, undefined, {
      email: 'ada.lovelace@clinic.example',
      reason: 'wrong_password',
    });
    const event = await only();
    expect(event).toMatchObject({
      action: 'auth.login_failed',
      outcome: 'failure',
      reason: 'wrong_password',
      actor: { type: 'anonymous', id: 'anonymous' },
      details: { email: 'a***@c***.example', severity: 'warning' },
    });
    expect(event.resource).toBeUndefined();
    expect(await bytes()).not.toContain('lovelace');
  });

  test('names the account where it is known', async () => {
    await log('login_failed', 'user-7', undefined, { form: { username: 'ada.lovelace' } });
    const event = await only();
    expect(event.actor.type).toBe('anonymous');
    expect(event.resource).toEqual({ type: 'user', id: 'user-7' });
    expect(event.details).toMatchObject({ form: { username: 'a***' } });
  });

  test('masks an address that is passed where the id belongs', async () => {
    await log('login_failed', 'ada.lovelace@clinic.example');
    expect((await only()).details).toMatchObject({ identity: 'a***@c***.example' });
    expect(await bytes()).not.toContain('lovelace');
  });

  test('keeps a pseudonym with hmac: equal for equal identities, and the one that redaction makes', async () => {
    const hmac = createAuthLogger({ audit, identity: 'hmac', hmacKey: SECRET });
    await hmac('login_failed', null, undefined, { email: 'Ada@Clinic.example ' });
    await hmac('login_failed', null, undefined, { email: 'ada@clinic.example' });
    await hmac('login_failed', null, undefined, { email: 'grace@clinic.example' });
    const kept = (await events()).map((event) => event.details?.email);
    expect(kept[0]).toBe(kept[1]);
    expect(kept[2]).not.toBe(kept[0]);
    const redactor = createRedactor({ mode: 'hmac' }, deriveKeys(SECRET).pseudonym);
    expect(kept[0]).toBe(redactor.pseudonym(normalizeIdentity('ada@clinic.example')));
    expect(await bytes()).not.toMatch(/ada@|grace@/i);
  });

  test('hmac without a secret is refused when the logger is made', () => {
    const before = process.env.AUDIT_HMAC_KEY;
    delete process.env.AUDIT_HMAC_KEY;
    expect(() => createAuthLogger({ audit, identity: 'hmac' })).toThrow(
      expect.objectContaining({ code: 'AUDIT_KEY_MISSING' }),
    );
    if (before !== undefined) process.env.AUDIT_HMAC_KEY = before;
    const bad: object = { identity: 'reversed' };
    expect(() => createAuthLogger(bad)).toThrow(expect.objectContaining({ code: 'AUDIT_CONFIG_INVALID' }));
  });

  test('keeps the identity as it is with plain', async () => {
    await createAuthLogger({ audit, identity: 'plain' })('login_failed', null, undefined, {
      email: 'ada@clinic.example',
    });
    expect((await only()).details).toMatchObject({ email: 'ada@clinic.example' });
  });

  test('a mask shows two first letters and a top-level domain at most', () => {
    expect(maskIdentity('ada@clinic.example')).toBe('a***@c***.example');
    expect(maskIdentity('p@ssw0rd!')).toBe('p***');
    expect(maskIdentity('@x')).toBe('@***');
    expect(maskIdentity('')).toBe('***');
    expect(maskIdentity('😀da')).toBe('😀***');
    fc.assert(fc.property(fc.emailAddress(), (address) => maskIdentity(address).length <= 36));
  });
});

describe('a password', () => {
  const PASSWORD = 'correct horse battery';
  test.each<[string, AuthExtra]>([
    ['at the top', { password: PASSWORD }],
    [
      'in any case style',
      { NEW_PASSWORD: PASSWORD, 'user-passwd': PASSWORD, currentPwd: PASSWORD, pass: PASSWORD },
    ],
    ['at depth and in lists', { body: { form: [{ password: PASSWORD }] } }],
    ['in JSON in a text', { body: JSON.stringify({ password: PASSWORD }) }],
    ['in a query in a text', { url: `/login?password=${encodeURIComponent(PASSWORD)}` }],
    ['repeated in a message', { password: PASSWORD, message: `no user with ${PASSWORD}` }],
    ['repeated in the reason', { password: PASSWORD, reason: `wrong password ${PASSWORD}` }],
    ['in a map', { form: new Map([['password', PASSWORD]]) }],
    ['as an object', { password: { value: PASSWORD } }],
    ['as bytes', { password: Buffer.from(PASSWORD) }],
  ])('never reaches storage: %s', async (_, extra) => {
    for (const type of ['login_failed', 'login', 'password_changed'] as const)
      await log(type, 'ada', undefined, extra);
    expect(await events()).toHaveLength(3);
    const stored = await bytes();
    for (const form of [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(PASSWORD).toString('base64')]) {
      expect(stored).not.toContain(form);
    }
  });

  test('is dropped here, whatever the redaction lets through', async () => {
    const open = createAudit({
      store: createMemoryStore(),
      hmacKey: SECRET,
      lifecycleEvents: false,
      redaction: { allow: ['password'], detectValues: false },
    });
    await createAuthLogger({ audit: open })('login', 'ada', undefined, {
      form: { password: PASSWORD, note: 'blue' },
    });
    await open.flush();
    const [stored] = await (await open.store()).list();
    expect(readBody(stored?.body ?? new Uint8Array()).details).toEqual({
      form: { note: 'blue' },
      severity: 'info',
    });
    await open.close();
  });

  test('what is around it is kept, and the caller keeps his object', async () => {
    const extra = {
      password: PASSWORD,
      passwordChangedDaysAgo: 7,
      body: { note: 'blue', password: PASSWORD },
    };
    const copy = structuredClone(extra);
    await log('login', 'ada', undefined, extra);
    expect(extra).toEqual(copy);
    expect((await only()).details).toMatchObject({ body: { note: 'blue' } });
  });

  test('a circular value costs nothing but itself', async () => {
    const extra: Record<string, unknown> = { note: 'blue', password: PASSWORD };
    extra.self = extra;
    await log('login', 'ada', undefined, extra);
    expect((await only()).details).toMatchObject({ note: 'blue' });
    expect(await bytes()).not.toContain(PASSWORD);
  });
});

describe('who acts', () => {
  const admin = { actor: { type: 'user', id: 'grace', role: 'admin' } } as const;

  test('a role change names who made it, whose role it is, and both roles', async () => {
    await log('role_changed', 'grace', undefined, { from: 'nurse', to: 'doctor', targetUserId: 'ada' });
    await runWithContext(admin, () => log('role_changed', 'ada', undefined, { from: 'nurse', to: 'doctor' }));
    for (const event of await events()) {
      expect(event).toMatchObject({
        category: 'access',
        actor: { id: 'grace' },
        resource: { type: 'user', id: 'ada' },
        details: { from: 'nurse', to: 'doctor' },
      });
    }
  });

  test('impersonation keeps both: who acts and on whose behalf', async () => {
    await log('impersonation_started', 'grace', undefined, { targetUserId: 'ada', reason: 'ticket 7' });
    expect(await only()).toMatchObject({
      category: 'security',
      actor: { type: 'user', id: 'grace', onBehalfOf: { type: 'user', id: 'ada' } },
      resource: { type: 'user', id: 'ada' },
      details: { severity: 'critical' },
    });
    await expect(log('impersonation_ended', 'grace')).rejects.toThrow(TypeError);
  });

  test('an account is locked by whoever the context says', async () => {
    await log('account_locked', 'ada');
    await runWithContext(admin, () => log('account_locked', 'ada'));
    const found = await events();
    expect(found.map((event) => event.actor.id)).toEqual(['unknown', 'grace']);
    for (const event of found) expect(event.resource?.id).toBe('ada');
  });

  test('the caller can say who acts, and how it ended', async () => {
    await log('session_revoked', 'ada', undefined, {
      actor: { type: 'service', id: 'risk-engine' },
      outcome: 'denied',
      severity: 'critical',
      tenant: 'north',
    });
    expect(await only()).toMatchObject({
      actor: { type: 'service', id: 'risk-engine' },
      resource: { id: 'ada' },
      outcome: 'denied',
      context: { tenant: 'north' },
      details: { severity: 'critical' },
    });
  });
});
