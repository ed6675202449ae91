import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Audit, type AuditEvent, createAudit, createMemoryStore, readBody } from '@indelible/core';
import { auditContext } from '@indelible/express';
import express from 'express';
import session from 'express-session';
import { onTestFinished } from 'vitest';
import { auditPassport, type PassportOptions } from '../src/index.js';
import {
  type AuthenticateCallback,
  type Authenticator,
  LocalStrategy,
  Passport,
  type PassportRequest,
  type PassportStrategy,
  type Verify,
} from './real-passport.js';

export interface Account {
  readonly id: string;
  readonly email: string;
}

export const ADA: Account = { id: 'ada', email: 'ada@clinic.example' };
export const PASSWORD = 'correct horse battery staple';
export const WRONG = 'hunter22-and-more';

export interface PassportApp {
  readonly audit: Audit;
  readonly errors: readonly Error[];
  events(): Promise<readonly AuditEvent[]>;
  /** Everything that stands in the log, as text. */
  bytes(): Promise<string>;
  call(path: string, body?: object): Promise<{ status: number; text: string; location: string | null }>;
}

export interface PassportAppOptions {
  /** False: the same application without auditing. @default true */
  readonly audited?: boolean;
  readonly options?: PassportOptions;
  readonly audit?: Audit;
  readonly strategies?: readonly PassportStrategy[];
}

/** An Express application with sessions, signing in by Passport, and a client that keeps its cookie. */
export async function openPassportApp({
  audited = true,
  options = {},
  strategies = [],
  ...given
}: PassportAppOptions = {}): Promise<PassportApp> {
  const store = createMemoryStore();
  const errors: Error[] = [];
  const audit =
    given.audit ??
    createAudit({
      store,
      hmacKey: 'x'.repeat(32),
      lifecycleEvents: false,
      onError: (error) => errors.push(error),
    });
  const instance: Authenticator = new Passport();
  if (audited) auditPassport(instance, { audit, ...options });
  instance.use(new LocalStrategy({ usernameField: 'email' }, verify));
  for (const strategy of strategies) instance.use(strategy);
  instance.serializeUser((user, done) => done(null, (user as Account).id));
  instance.deserializeUser((id, done) => done(null, id === ADA.id ? ADA : false));

  const app = express();
  app.use(auditContext({ audit, record: 'none' }));
  app.use(express.json());
  app.use(session({ secret: 'of a test', resave: false, saveUninitialized: false }));
  app.use(instance.session());
  app.post('/login', instance.authenticate('local', { failureMessage: true }), (req, res) => {
    res.json({ user: userOf(req) });
  });
  app.post('/form', instance.authenticate('local', { successRedirect: '/home', failureRedirect: '/again' }));
  app.post('/callback', (req, res, next) => {
    const answer: AuthenticateCallback = (error, user, info, status) =>
      res.json({ error: error === null ? null : String(error), user, info, status });
    instance.authenticate('local', { session: false }, answer)(req, res, next);
  });
  app.post('/link', instance.authorize('local'), (req, res) => {
    res.json({ user: userOf(req), account: Reflect.get(req, 'account') });
  });
  app.post(
    '/api',
    instance.authenticate(
      strategies.map(({ name }) => name ?? ''),
      { session: false },
    ),
    (req, res) => {
      res.json({ user: userOf(req) });
    },
  );
  app.post('/own', instance.authenticate(strategies[0] ?? 'local', { session: false }), (req, res) => {
    res.json({ user: userOf(req) });
  });
  app.post('/logout', (req, res, next) => {
    const { logout } = req as PassportRequest;
    logout.call(req, (error) => (error ? next(error) : res.json({ user: userOf(req) ?? null })));
  });
  app.get('/me', (req, res) => {
    res.json({ user: userOf(req) ?? null });
  });
  app.use(((error: Error, _req, res, _next) => {
    res.status(500).json({ error: error.message });
  }) satisfies express.ErrorRequestHandler);

  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await audit.close();
  });
  const { port } = server.address() as AddressInfo;
  let cookie = '';
  const rows = async () => {
    await audit.flush();
    return store.list({ limit: 1_000 });
  };
  return {
    audit,
    errors,
    events: async () => (await rows()).map(({ body }) => readBody(body)),
    bytes: async () => (await rows()).map(({ body }) => Buffer.from(body).toString()).join('\n'),
    call: async (path, body) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          'content-type': 'application/json',
          'x-request-id': `of${path.replace('/', '-')}`,
          cookie,
        },
        redirect: 'manual',
        ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
      });
      cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie;
      return {
        status: answer.status,
        text: await answer.text(),
        location: answer.headers.get('location'),
      };
    },
  };
}

const verify: Verify = (email, password, done) => {
  if (email === 'down@clinic.example') throw new Error('the directory is down');
  if (email === 'nobody@clinic.example') done(null, { email });
  else if (password === PASSWORD) done(null, ADA);
  else done(null, false, { message: `wrong password ${password} for ${email}` });
};

const userOf = (req: express.Request) => (req as PassportRequest).user;
