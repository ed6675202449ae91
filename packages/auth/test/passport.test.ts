import { createAudit, createMemoryStore } from '@indelible/core';
import { describe, expect, test } from 'vitest';
import { auditPassport } from '../src/index.js';
import { ADA, openPassportApp, PASSWORD, WRONG } from './passport-app.js';
import { LocalStrategy, Passport, Strategy } from './real-passport.js';

const right = { email: ADA.email, password: PASSWORD };
const wrong = { email: ADA.email, password: WRONG };

/** Succeeds with every request that bears the word, and fails with every other one. */
class TokenStrategy extends Strategy {
  constructor(override readonly name: string) {
    super();
  }

  override authenticate(req: { body: { token?: string } }): void {
    if (req.body.token === 'right') this.success({ id: 'robot' });
    else this.fail('Bearer', 401);
  }
}

describe('what Passport does is on record', () => {
  test('a sign-in, with who, from which request, and by which strategy', async () => {
    const app = await openPassportApp();
    expect(await app.call('/login', right)).toMatchObject({
      status: 200,
      text: JSON.stringify({ user: ADA }),
    });
    expect(await app.events()).toMatchObject([
      {
        action: 'auth.login',
        outcome: 'success',
        actor: { type: 'user', ...ADA },
        resource: { type: 'user', id: 'ada' },
        context: { requestId: 'of-login', method: 'POST', route: '/login' },
        details: { method: 'local' },
      },
    ]);
    expect(await app.call('/me')).toMatchObject({ text: JSON.stringify({ user: ADA }) });
    expect(await app.events()).toHaveLength(1);
    expect(app.errors).toEqual([]);
  });

  test('a failed one names nobody, keeps the identity masked and no password, wherever it stood', async () => {
    const app = await openPassportApp();
    expect((await app.call('/login', wrong)).status).toBe(401);
    const [event, ...more] = await app.events();
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      action: 'auth.login_failed',
      outcome: 'failure',
      actor: { type: 'anonymous' },
      reason: 'wrong password [password] for [identity]',
      details: { identity: 'a***@c***.example', method: 'local' },
    });
    const bytes = await app.bytes();
    for (const secret of [WRONG, PASSWORD, ADA.email]) expect(bytes).not.toContain(secret);
  });

  test('a sign-in that a failing directory ended', async () => {
    const app = await openPassportApp();
    const answer = await app.call('/login', { ...right, email: 'down@clinic.example' });
    expect(answer).toMatchObject({ status: 500, text: JSON.stringify({ error: 'the directory is down' }) });
    expect(await app.events()).toMatchObject([{ action: 'auth.login_failed', reason: 'error' }]);
  });

  test('signing out, once, with who it was', async () => {
    const app = await openPassportApp();
    await app.call('/login', right);
    expect(await app.call('/logout', {})).toMatchObject({ status: 200, text: '{"user":null}' });
    expect(await app.call('/logout', {})).toMatchObject({ status: 200, text: '{"user":null}' });
    expect(await app.events()).toMatchObject([
      { action: 'auth.login' },
      { action: 'auth.logout', actor: { id: 'ada' }, context: { requestId: 'of-logout' } },
    ]);
  });

  test('an account that is linked, to whoever is signed in', async () => {
    const app = await openPassportApp();
    await app.call('/login', right);
    expect(await app.call('/link', right)).toMatchObject({ status: 200 });
    expect((await app.events()).slice(1)).toMatchObject([
      { action: 'auth.identity_linked', actor: { id: 'ada' }, details: { method: 'local' } },
    ]);
  });

  test('strategies that come with every request are left to request events, unless they are named', async () => {
    const strategies = [new TokenStrategy('jwt'), new TokenStrategy('magic')];
    const app = await openPassportApp({ strategies });
    expect((await app.call('/api', { token: 'right' })).status).toBe(200);
    expect(await app.events()).toEqual([]);
    expect((await app.call('/api', { token: 'wrong' })).status).toBe(401);
    expect(await app.events()).toMatchObject([{ action: 'auth.login_failed', details: { method: 'magic' } }]);

    const all = await openPassportApp({ strategies, options: { perRequest: [] } });
    await all.call('/api', { token: 'right' });
    expect(await all.events()).toMatchObject([{ action: 'auth.login', details: { method: 'jwt' } }]);
  });

  test('a strategy that is passed itself and not by its name', async () => {
    const app = await openPassportApp({ strategies: [new TokenStrategy('magic')] });
    expect(await app.call('/own', { token: 'right' })).toMatchObject({ text: '{"user":{"id":"robot"}}' });
    expect((await app.call('/own', { token: 'wrong' })).status).toBe(401);
    expect(await app.events()).toMatchObject([{ action: 'auth.login' }, { action: 'auth.login_failed' }]);
  });
});

describe('what Passport answers', () => {
  test('is the same as without auditing, by every way', async () => {
    const audited = await openPassportApp();
    const plain = await openPassportApp({ audited: false });
    const calls: [string, object?][] = [
      ['/login', wrong],
      ['/login', {}],
      ['/login', right],
      ['/me'],
      ['/link', right],
      ['/link', wrong],
      ['/logout', {}],
      ['/me'],
      ['/form', wrong],
      ['/form', right],
      ['/me'],
      ['/callback', wrong],
      ['/callback', right],
      ['/callback', { ...right, email: 'down@clinic.example' }],
      ['/login', { ...right, email: 'down@clinic.example' }],
    ];
    for (const [path, body] of calls)
      expect(await audited.call(path, body)).toEqual(await plain.call(path, body));
    expect(await plain.events()).toEqual([]);
    expect((await audited.events()).length).toBeGreaterThan(8);
  });

  test('is an error where the event can be kept nowhere and the policy is strict', async () => {
    const store = createMemoryStore();
    const audit = createAudit({
      store,
      hmacKey: 'x'.repeat(32),
      lifecycleEvents: false,
      policy: { auth: 'strict' },
    });
    const app = await openPassportApp({ audit });
    await store.close();
    expect((await app.call('/login', right)).status).toBe(500);
    expect(await app.call('/me')).toMatchObject({ text: '{"user":null}' });
    expect((await app.call('/login', wrong)).status).toBe(500);
  });

  test('is untouched by a user whom nobody can name, and the event is there', async () => {
    const app = await openPassportApp();
    expect(await app.call('/callback', { ...right, email: 'nobody@clinic.example' })).toMatchObject({
      status: 200,
    });
    expect(await app.events()).toMatchObject([{ action: 'auth.login' }]);
    expect(app.errors).toMatchObject([{ code: 'AUDIT_ACTOR_FAILED' }]);
  });
});

test('a strategy that was there before is refused, and what is no Passport too', () => {
  const instance = new Passport();
  instance.use(new LocalStrategy({}, (_name, _password, done) => done(null, false)));
  auditPassport(instance);
  expect(() => instance.authenticate('local')).toThrow(/no strategy `local` that is audited/);
  expect(() => auditPassport({})).toThrow(TypeError);
});
