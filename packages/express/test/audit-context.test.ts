import type { AddressInfo } from 'node:net';
import {
  type Audit,
  type AuditEvent,
  type AuditOptions,
  type AuditStore,
  auditErrorCode,
  configureAudit,
  createAudit,
  createMemoryStore,
  defineActions,
  readBody,
} from '@indelible/core';
import type { Express, Request, Response } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { auditAction, auditContext } from '../src/index.js';
import { EXPRESS_VERSIONS } from './express-versions.js';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Log {
  readonly audit: Audit;
  readonly errors: readonly Error[];
  events(): Promise<readonly AuditEvent[]>;
}

function createLog(options: Pick<AuditOptions, 'actions'> = {}): Log {
  const store = createMemoryStore();
  const errors: Error[] = [];
  const audit = createAudit({
    store,
    hmacKey: 'x'.repeat(32),
    lifecycleEvents: false,
    onError: (error) => errors.push(error),
    ...options,
  });
  cleanUp.push(() => audit.close());
  return { audit, errors, events: () => eventsOf(audit, store) };
}

async function eventsOf(audit: Pick<Audit, 'flush'>, store: AuditStore): Promise<readonly AuditEvent[]> {
  // The event is made when the server sees the connection's end, which may be after the client has its answer.
  await new Promise((resolve) => setTimeout(resolve, 30));
  await audit.flush();
  return (await store.list({ limit: 1_000 })).map((event) => readBody(event.body));
}

async function serve(app: Express): Promise<string> {
  app.set('env', 'test');
  const server = app.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => server.once('listening', resolve));
  cleanUp.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(EXPRESS_VERSIONS)('auditContext on Express $major', ({ express }) => {
  test('works with no arguments, on the default audit', async () => {
    const store = createMemoryStore();
    const audit = configureAudit({ store, lifecycleEvents: false, hmacKey: 'x'.repeat(32) });
    cleanUp.push(() => audit.close());
    const app = express();
    app.use(auditContext());
    app.post('/patients', async (req, res) => {
      await req.audit.record({ action: 'patient.admitted', resource: { type: 'Patient', id: '7' } });
      res.status(201).json({});
    });
    const url = await serve(app);
    await fetch(`${url}/patients`, { method: 'POST' });
    const events = await eventsOf(audit, store);
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['patient.admitted', 'success'],
      ['request.completed', 'success'],
    ]);
    expect(events[0]?.context.requestId).toBe(events[1]?.context.requestId);
    expect(events[1]).toMatchObject({
      category: 'request',
      actor: { type: 'anonymous', id: 'anonymous' },
      context: { source: 'http', method: 'POST', route: '/patients', status: 201 },
    });
  });

  test('twice on one request makes one event, and the inner options count inside', async () => {
    const { audit, events } = createLog();
    const app = express();
    app.use(auditContext({ audit, record: 'all' }));
    app.use('/north', auditContext({ audit, record: 'all', tenant: () => 'north' }));
    app.get('/north/note', async (req, res) => {
      await req.audit.record({ action: 'note.read' });
      res.json({});
    });
    const answer = await fetch(`${await serve(app)}/north/note`, { headers: { 'x-request-id': 'r1' } });
    expect(answer.headers.get('x-request-id')).toBe('r1');
    const found = await events();
    expect(found.map(({ action, context }) => [action, context.tenant, context.requestId])).toEqual([
      ['note.read', 'north', 'r1'],
      ['request.completed', 'north', 'r1'],
    ]);
  });

  test('req.audit belongs to its request also after the response', async () => {
    const { audit, events } = createLog();
    const app = express();
    app.use(auditContext({ audit, record: 'none', actor: () => ({ id: 'ada' }) }));
    let late: Promise<unknown> | undefined;
    app.get('/', (req, res) => {
      late = new Promise<void>((resolve) => res.once('close', resolve))
        .then(() => new Promise((resolve) => setTimeout(resolve, 10)))
        .then(() => req.audit.record({ action: 'report.sent' }));
      res.json({});
    });
    await fetch(await serve(app), { headers: { 'x-request-id': 'r1' } });
    await events();
    await late;
    expect((await events())[0]).toMatchObject({ actor: { id: 'ada' }, context: { requestId: 'r1' } });
  });

  test('a request whose user and address throw when they are read keeps its event', async () => {
    const { audit, errors, events } = createLog();
    const app = express();
    app.set('trust proxy', () => {
      throw new Error('no proxies here');
    });
    app.use(auditContext({ audit, record: 'all' }));
    app.use((req, _res, next) => {
      Object.defineProperty(req, 'user', {
        get: () => {
          throw new Error('the session store is gone');
        },
      });
      next();
    });
    app.get('/', (_req, res) => res.end('fine'));
    const answer = await fetch(await serve(app), { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(await answer.text()).toBe('fine');
    const [event, ...more] = await events();
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      action: 'request.completed',
      tags: ['actor-failed'],
      context: { status: 200 },
    });
    expect(errors.length).toBeGreaterThanOrEqual(2);
  });

  test('a connection that is gone before the middleware runs has its event', async () => {
    const { audit, events } = createLog();
    const app = express();
    app.use((_req, res, next) => {
      res.once('close', () => setTimeout(next, 10));
    });
    app.use(auditContext({ audit, record: 'all' }));
    app.get('/', (_req, res) => void res.end());
    const hangUp = new AbortController();
    const answer = fetch(await serve(app), { signal: hangUp.signal }).catch(() => undefined);
    setTimeout(() => hangUp.abort(), 30);
    await answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await events()).map((event) => event.action)).toEqual(['request.aborted']);
  });

  test('a failing audit neither delays nor breaks the answer, nor leaves a rejection behind', async () => {
    const { audit, errors } = createLog();
    await audit.close();
    const rejections: unknown[] = [];
    const listen = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', listen);
    cleanUp.push(async () => process.off('unhandledRejection', listen));
    const app = express();
    app.use(auditContext({ audit, record: 'all' }));
    app.get('/', auditAction('note.read'), (_req, res) => void res.json({}));
    expect((await fetch(await serve(app))).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(errors.map((error) => auditErrorCode(error))).toEqual(['AUDIT_EVENT_LOST']);
    expect(audit.health().lost).toBe(2);
    expect(rejections).toEqual([]);
  });

  test('the header of the request id is configurable, and can be left out', async () => {
    const { audit } = createLog();
    const named = express();
    named.use(auditContext({ audit, requestIdHeader: 'X-Correlation' }));
    named.get('/', (req, res) => void res.json({ id: req.audit.requestId }));
    const first = await fetch(await serve(named), {
      headers: { 'x-correlation': 'c1', 'x-request-id': 'r1' },
    });
    expect(first.headers.get('x-correlation')).toBe('c1');
    expect(first.headers.get('x-request-id')).toBeNull();
    const silent = express();
    silent.use(auditContext({ audit, requestIdHeader: false }));
    silent.get('/', (req, res) => void res.json({ id: req.audit.requestId }));
    const second = await fetch(await serve(silent), { headers: { 'x-request-id': 'r1' } });
    expect(second.headers.get('x-request-id')).toBeNull();
    expect(await second.text()).not.toContain('r1');
  });

  test('req.audit is there in mounted applications, and an application may have its own', async () => {
    const { audit } = createLog();
    const app = express();
    const inner = express();
    app.use(auditContext({ audit, record: 'none' }));
    app.use('/inner', inner);
    inner.get('/', (req, res) => void res.json({ id: req.audit.requestId }));
    app.get('/own', (req, res) => {
      Object.assign(req, { audit: 'mine' });
      res.json({ own: req.audit });
    });
    const url = await serve(app);
    const answer = await fetch(`${url}/inner`, { headers: { 'x-request-id': 'r1' } });
    expect(await answer.json()).toEqual({ id: 'r1' });
    expect(await (await fetch(`${url}/own`)).json()).toEqual({ own: 'mine' });
    expect('audit' in Object.prototype || 'audit' in express.request).toBe(false);
  });

  test('a wrong option is refused at once', () => {
    const call: (options: object) => unknown = auditContext as never;
    expect(() => call({ recrod: 'all' })).toThrow(TypeError);
    expect(() => call({ actor: 'ada' })).toThrow(TypeError);
    expect(() => call({ tenant: 'north' })).toThrow(TypeError);
    for (const bad of [{ record: 'some' }, { requestIdHeader: 'a b' }, { captureBody: { maxLength: 0 } }]) {
      expect(() => call(bad)).toThrow(expect.objectContaining({ code: 'AUDIT_CONFIG_INVALID' }));
    }
  });
});

describe.each(EXPRESS_VERSIONS)('auditAction on Express $major', ({ express }) => {
  test('records after the answer, with what the handler left', async () => {
    const { audit, events } = createLog();
    const app = express();
    app.use(auditContext({ audit, record: 'none' }));
    app.post(
      '/invoices',
      auditAction('invoice.created', {
        category: 'billing',
        resource: async (_req, res) => ({ type: 'Invoice', id: res.locals.id }),
        details: (_req, res) => ({ total: res.locals.total, token: 's3cret' }),
      }),
      (_req, res) => {
        Object.assign(res.locals, { id: 7, total: 12 });
        res.status(201).json({});
      },
    );
    await fetch(`${await serve(app)}/invoices`, { method: 'POST' });
    const [event] = await events();
    expect(event).toMatchObject({
      action: 'invoice.created',
      category: 'billing',
      outcome: 'success',
      resource: { type: 'Invoice', id: '7' },
      context: { route: '/invoices', status: 201 },
      details: { total: 12 },
    });
    expect(JSON.stringify(event)).not.toContain('s3cret');
  });

  test('is access by whoever asks, unless the catalogue or the route says otherwise', async () => {
    const actions = defineActions({ 'invoice.sent': { category: 'billing' } });
    const { audit, events } = createLog({ actions });
    const app = express();
    app.use(auditContext({ audit, record: 'none' }));
    const paths = ['invoice.exported', 'invoice.sent', 'auth.logout', 'data.exported'];
    for (const name of paths) app.get(`/${name}`, auditAction(name), (_req, res) => void res.json({}));
    const ok = (_req: Request, res: Response) => void res.json({});
    app.get('/admin', auditAction('invoice.shredded', { category: 'admin' }), ok);
    const url = await serve(app);
    for (const path of [...paths, 'admin']) await fetch(`${url}/${path}`);
    expect((await events()).map(({ category }) => category)).toEqual([
      'access',
      'billing',
      'auth',
      'data',
      'admin',
    ]);
  });

  test('works without auditContext, in a context of its own', async () => {
    const store = createMemoryStore();
    const audit = configureAudit({ store, lifecycleEvents: false, hmacKey: 'x'.repeat(32) });
    cleanUp.push(() => audit.close());
    const app = express();
    app.get('/notes/:id', auditAction('note.read'), (req, res) => void res.json({ id: req.audit.requestId }));
    await fetch(`${await serve(app)}/notes/1`);
    const events = await eventsOf(audit, store);
    expect(events.map((event) => [event.action, event.context.method])).toEqual([['note.read', 'GET']]);
  });

  test('a resource or details that throw cost the event nothing but themselves', async () => {
    const { audit, errors, events } = createLog();
    const app = express();
    app.use(auditContext({ audit, record: 'none' }));
    const boom = (): never => {
      throw new Error('on purpose');
    };
    const noId: object = { type: 'Note' };
    app.get(
      '/one',
      auditAction('note.read', { resource: boom, details: async () => boom() }),
      (_req, res) => void res.json({}),
    );
    app.get(
      '/two',
      auditAction('note.read', { resource: () => noId as never }),
      (_req, res) => void res.json({}),
    );
    const url = await serve(app);
    expect((await fetch(`${url}/one`)).status).toBe(200);
    expect((await fetch(`${url}/two`)).status).toBe(200);
    const found = await events();
    expect(found.map((event) => [event.action, event.resource, event.details])).toEqual([
      ['note.read', undefined, undefined],
      ['note.read', undefined, undefined],
    ]);
    // Core tells of each distinct failure once: that of `resource` and that of `details`.
    expect(errors.map((error) => auditErrorCode(error))).toEqual([
      'AUDIT_CONTEXT_FAILED',
      'AUDIT_CONTEXT_FAILED',
    ]);
  });

  test('needs the name of an action', () => {
    expect(() => auditAction('')).toThrow(TypeError);
  });
});
