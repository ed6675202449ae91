import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type AuditEvent, createAudit, createMemoryStore } from '@indelible/core';
import { auditContext } from '@indelible/express';
import { toNodeHandler } from 'better-auth/node';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { type Answer, type BetterAuthApp, type Browser, ORIGIN, openBetterAuth } from './better-auth-app.js';
import { totpOf } from './totp.js';

const PASSWORD = 'correct horse battery';
const WRONG = 'hunter22-and-more';
const ADA = { email: 'ada@clinic.example', password: PASSWORD, name: 'Ada' };

/** Ada has signed up and her events so far are behind us. */
async function withAda(): Promise<{
  app: BetterAuthApp;
  ada: Browser;
  id: string;
  fresh(): Promise<AuditEvent[]>;
}> {
  const app = openBetterAuth();
  const ada = app.browser();
  await ada.call('/sign-up/email', ADA);
  let seen = (await app.events()).length;
  const fresh = async () => {
    const all = await app.events();
    const since = all.slice(seen);
    seen = all.length;
    return since;
  };
  return { app, ada, id: String(app.rows.user?.[0]?.id), fresh };
}

const actions = (events: readonly AuditEvent[]) =>
  events.map(({ action, outcome }) => `${action} ${outcome}`);

describe('what better-auth does is on record', () => {
  test('a sign-up is a new account and a sign-in', async () => {
    const app = openBetterAuth();
    expect((await app.browser().call('/sign-up/email', ADA)).status).toBe(200);
    const id = String(app.rows.user?.[0]?.id);
    expect(await app.events()).toMatchObject([
      { action: 'auth.account_created', actor: { type: 'user', id }, resource: { type: 'user', id } },
      {
        action: 'auth.login',
        actor: { type: 'user', id, email: ADA.email },
        context: { requestId: '-sign-up-email', userAgent: 'a browser', method: 'POST' },
        details: { method: '/sign-up/email' },
      },
    ]);
    expect(app.errors).toEqual([]);
  });

  test('one with an address that is taken names nobody and keeps the address masked', async () => {
    const { app, fresh } = await withAda();
    expect((await app.browser().call('/sign-up/email', { ...ADA, email: 'ADA@clinic.example' })).status).toBe(
      422,
    );
    expect(await fresh()).toMatchObject([
      {
        action: 'auth.account_created',
        outcome: 'failure',
        actor: { type: 'anonymous' },
        reason: 'user_already_exists_use_another_email',
        details: { identity: 'A***@c***.example' },
      },
    ]);
  });

  test('a sign-in, and one that failed, without any password', async () => {
    const { app, id, fresh } = await withAda();
    expect((await app.browser().call('/sign-in/email', { ...ADA, password: WRONG })).status).toBe(401);
    expect((await app.browser().call('/sign-in/email', ADA)).status).toBe(200);
    expect(await fresh()).toMatchObject([
      {
        action: 'auth.login_failed',
        actor: { type: 'anonymous' },
        reason: 'invalid_email_or_password',
        details: { identity: 'a***@c***.example', method: '/sign-in/email' },
      },
      { action: 'auth.login', actor: { id, email: ADA.email } },
    ]);
    const bytes = await app.bytes();
    for (const secret of [PASSWORD, WRONG]) expect(bytes).not.toContain(secret);
    for (const { token } of app.rows.session ?? []) expect(bytes).not.toContain(String(token));
  });

  test('looking at the session is nothing, signing out is, once', async () => {
    const { ada, id, fresh } = await withAda();
    await ada.call('/get-session');
    expect(await fresh()).toEqual([]);
    await ada.call('/sign-out', {});
    await ada.call('/sign-out', {});
    expect(await fresh()).toMatchObject([{ action: 'auth.logout', actor: { id }, resource: { id } }]);
  });

  test('a session that has expired, when somebody comes with it', async () => {
    const { app, ada, id, fresh } = await withAda();
    for (const row of app.rows.session ?? []) row.expiresAt = new Date(0);
    await ada.call('/get-session');
    expect(await fresh()).toMatchObject([{ action: 'auth.session_expired', resource: { type: 'user', id } }]);
  });

  test('sessions that are revoked, each', async () => {
    const { app, ada, id, fresh } = await withAda();
    for (let at = 0; at < 3; at += 1) await app.browser().call('/sign-in/email', ADA);
    await fresh();
    await ada.call('/revoke-session', { token: app.rows.session?.at(-1)?.token });
    expect(await fresh()).toMatchObject([{ action: 'auth.session_revoked', actor: { id } }]);
    await ada.call('/revoke-other-sessions', {});
    expect(actions(await fresh())).toEqual(Array(2).fill('auth.session_revoked success'));
    await ada.call('/revoke-sessions', {});
    expect(actions(await fresh())).toEqual(['auth.session_revoked success']);
  });

  test('a password that is changed is no sign-in, though it gives a new session', async () => {
    const { ada, id, fresh } = await withAda();
    const change = { currentPassword: PASSWORD, newPassword: 'another long one', revokeOtherSessions: true };
    await ada.call('/change-password', { ...change, currentPassword: WRONG });
    expect(await fresh()).toMatchObject([
      { action: 'auth.password_changed', outcome: 'failure', actor: { id }, reason: 'invalid_password' },
    ]);
    await ada.call('/change-password', change);
    expect(actions(await fresh())).toEqual(['auth.session_revoked success', 'auth.password_changed success']);
  });

  test('a password that is reset names whose it is, by the token alone', async () => {
    const { app, id, fresh } = await withAda();
    const anybody = app.browser();
    await anybody.call('/request-password-reset', { email: ADA.email });
    const token = app.mail.at(-1);
    await anybody.call('/reset-password', { token, newPassword: 'another long one' });
    await anybody.call('/reset-password', { token, newPassword: 'another long one' });
    expect(await fresh()).toMatchObject([
      {
        action: 'auth.password_reset_requested',
        actor: { type: 'anonymous' },
        details: { identity: 'a***@c***.example' },
      },
      { action: 'auth.password_reset', outcome: 'success', actor: { id }, resource: { id } },
      {
        action: 'auth.password_reset',
        outcome: 'failure',
        actor: { type: 'anonymous' },
        reason: 'invalid_token',
      },
    ]);
    expect(await app.bytes()).not.toContain(token);
  });

  test('links by mail: asked for, used, and used again', async () => {
    const { app, fresh } = await withAda();
    const browser = app.browser();
    await browser.call('/sign-in/magic-link', { email: 'bo@clinic.example', name: 'Bo' });
    const path = `/magic-link/verify?token=${app.mail.at(-1)}`;
    await browser.call(path);
    await app.browser().call(path);
    expect(actions(await fresh())).toEqual([
      'auth.magic_link_requested success',
      'auth.account_created success',
      'auth.login success',
      'auth.login_failed failure',
    ]);
    expect(await app.bytes()).not.toContain(app.mail.at(-1));
  });

  test('a sign-in elsewhere that comes back with an error, by a redirect', async () => {
    const { app, fresh } = await withAda();
    expect((await app.browser().call('/callback/github?error=access_denied&state=x')).status).toBe(302);
    expect(await fresh()).toMatchObject([
      { action: 'auth.login_failed', outcome: 'failure', reason: 'state_mismatch' },
    ]);
  });

  test('a second factor: enabled, asked for, wrong, right, disabled; no sign-in before it was right', async () => {
    const { app, ada, id, fresh } = await withAda();
    const { body } = await ada.call('/two-factor/enable', { password: PASSWORD });
    const totp = totpOf(body);
    expect(actions(await fresh())).toEqual([]);
    await ada.call('/two-factor/verify-totp', { code: totp() });
    expect(actions(await fresh())).toEqual([
      'auth.mfa_enabled success',
      'auth.session_revoked success',
      'auth.mfa_verified success',
    ]);

    const later = app.browser();
    await later.call('/sign-in/email', ADA);
    expect(await fresh()).toMatchObject([
      {
        action: 'auth.mfa_challenged',
        actor: { type: 'anonymous' },
        details: { identity: 'a***@c***.example' },
      },
    ]);
    expect((await later.call('/two-factor/verify-totp', { code: '000000' })).status).toBe(401);
    expect(actions(await fresh())).toEqual(['auth.mfa_failed failure']);
    await later.call('/two-factor/verify-totp', { code: totp() });
    expect(await fresh()).toMatchObject([
      { action: 'auth.login', actor: { id }, details: { method: '/two-factor/verify-totp' } },
      { action: 'auth.mfa_verified', actor: { id } },
    ]);
    await later.call('/two-factor/disable', { password: WRONG });
    await later.call('/two-factor/disable', { password: PASSWORD });
    expect(actions(await fresh()).filter((action) => action.includes('mfa_'))).toEqual([
      'auth.mfa_disabled failure',
      'auth.mfa_disabled success',
    ]);
    const bytes = await app.bytes();
    expect(bytes).not.toContain(totp());
  });

  test('what an administrator does to others: who did it, and to whom', async () => {
    const { app, ada, id: admin, fresh } = await withAda();
    const bo = app.browser();
    await bo.call('/sign-up/email', { ...ADA, email: 'bo@clinic.example', name: 'Bo' });
    const userId = String(app.rows.user?.[1]?.id);
    await fresh();
    const done = async (path: string, body: object) => {
      expect((await ada.call(path, body)).status, path).toBeLessThan(500);
      return fresh();
    };
    expect(await done('/admin/set-role', { userId, role: 'admin' })).toMatchObject([
      { action: 'auth.role_changed', outcome: 'failure', actor: { id: admin }, resource: { id: userId } },
    ]);
    for (const row of app.rows.user ?? []) if (row.id === admin) row.role = 'admin';
    const by = { actor: { id: admin }, resource: { type: 'user', id: userId }, outcome: 'success' };
    expect(await done('/admin/set-role', { userId, role: 'user' })).toMatchObject([
      { ...by, action: 'auth.role_changed' },
    ]);
    expect(await done('/admin/set-user-password', { userId, newPassword: 'a new long one' })).toMatchObject([
      { ...by, action: 'auth.password_reset' },
    ]);
    expect(await done('/admin/impersonate-user', { userId })).toMatchObject([
      {
        action: 'auth.impersonation_started',
        actor: { id: admin, onBehalfOf: { id: userId } },
        resource: { id: userId },
      },
    ]);
    expect(await done('/admin/stop-impersonating', {})).toMatchObject([
      { action: 'auth.impersonation_ended', actor: { id: admin, onBehalfOf: { id: userId } } },
    ]);
    const banned = await done('/admin/ban-user', { userId });
    expect(actions(banned).sort()).toEqual(['auth.account_disabled success', 'auth.session_revoked success']);
    for (const event of banned) expect(event).toMatchObject(by);
    expect(await done('/admin/unban-user', { userId })).toMatchObject([
      { ...by, action: 'auth.account_enabled' },
    ]);
    expect(
      await done('/admin/create-user', { ...ADA, email: 'cy@clinic.example', password: 'a long one' }),
    ).toMatchObject([
      {
        action: 'auth.account_created',
        actor: { id: admin },
        resource: { id: String(app.rows.user?.[2]?.id) },
      },
    ]);
    expect(await done('/admin/remove-user', { userId })).toMatchObject([
      { ...by, action: 'auth.account_deleted' },
    ]);
  });

  test('calls without a request, of the server itself', async () => {
    const { app, fresh } = await withAda();
    await app.auth.api.signInEmail({ body: ADA });
    await expect(app.auth.api.signInEmail({ body: { ...ADA, password: WRONG } })).rejects.toThrow(
      /Invalid email/,
    );
    expect(actions(await fresh())).toEqual(['auth.login success', 'auth.login_failed failure']);
  });

  test('behind Express, with the address and the id of its request', async () => {
    const { app, fresh } = await withAda();
    const server = express()
      .use(auditContext({ audit: app.audit, record: 'none' }))
      .all('/api/auth/*path', toNodeHandler(app.auth))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: ORIGIN, 'x-request-id': 'of-express' },
      body: JSON.stringify(ADA),
    });
    expect(answer.status).toBe(200);
    server.close();
    expect(await fresh()).toMatchObject([
      { action: 'auth.login', context: { ip: '127.0.0.1', requestId: 'of-express', method: 'POST' } },
    ]);
  });
});

describe('what better-auth answers', () => {
  test('is the same as without auditing', async () => {
    const apps = [openBetterAuth(), openBetterAuth({ audited: false })];
    const runs: Answer[][] = [];
    for (const app of apps) {
      const browser = app.browser();
      const calls: [string, object?][] = [
        ['/sign-up/email', ADA],
        ['/sign-up/email', ADA],
        ['/get-session'],
        ['/sign-in/email', { ...ADA, password: WRONG }],
        ['/sign-in/email', { email: 'no address' }],
        ['/sign-in/email', ADA],
        ['/change-password', { currentPassword: WRONG, newPassword: 'another long one' }],
        ['/callback/github?error=access_denied&state=x'],
        ['/request-password-reset', { email: ADA.email }],
        ['/two-factor/verify-totp', { code: '000000' }],
        ['/sign-out', {}],
        ['/get-session'],
        ['/nowhere'],
      ];
      const answers: Answer[] = [];
      for (const [path, body] of calls) answers.push(await browser.call(path, body));
      runs.push(answers);
    }
    const plain = (answers: readonly Answer[] | undefined) =>
      JSON.stringify(answers, (name, value: unknown) =>
        ['id', 'userId', 'token', 'createdAt', 'updatedAt', 'expiresAt'].includes(name) ? '…' : value,
      );
    expect(plain(runs[0])).toBe(plain(runs[1]));
    expect(await apps[1]?.events()).toEqual([]);
  });

  test('is an error where the event can be kept nowhere and the policy is strict', async () => {
    const store = createMemoryStore();
    const audit = createAudit({
      store,
      hmacKey: 'x'.repeat(32),
      lifecycleEvents: false,
      policy: { auth: 'strict' },
      onError: () => {},
    });
    const app = openBetterAuth({ audit });
    const browser = app.browser();
    await browser.call('/sign-up/email', ADA);
    await store.close();
    expect((await browser.call('/sign-in/email', ADA)).status).toBe(500);
    expect((await browser.call('/sign-in/email', { ...ADA, password: WRONG })).status).toBe(500);
  });
});
