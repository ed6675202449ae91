import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import {
  type Audit,
  type AuditEvent,
  type AuditOptions,
  type AuditStore,
  configureAudit,
  createAudit,
  createMemoryStore,
  defineActions,
  readBody,
} from '@indelible/core';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { auditContext } from '../src/index.js';

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

function createApp(): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  cleanUp.push(() => app.close());
  return app;
}

async function serve(app: FastifyInstance): Promise<string> {
  return app.listen({ port: 0, host: '127.0.0.1' });
}

describe('auditContext', () => {
  test('works with no options, on the default audit', async () => {
    const store = createMemoryStore();
    const audit = configureAudit({ store, lifecycleEvents: false, hmacKey: 'x'.repeat(32) });
    cleanUp.push(() => audit.close());
    const app = createApp();
    await app.register(auditContext);
    app.post('/patients', async (request, reply) => {
      await request.audit.record({ action: 'patient.admitted', resource: { type: 'Patient', id: '7' } });
      return reply.code(201).send({});
    });
    await fetch(`${await serve(app)}/patients`, { method: 'POST' });
    const events = await eventsOf(audit, store);
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['patient.admitted', 'success'],
      ['request.completed', 'success'],
    ]);
    expect(events[1]).toMatchObject({
      category: 'request',
      actor: { type: 'anonymous', id: 'anonymous' },
      context: { source: 'http', method: 'POST', route: '/patients', status: 201 },
    });
  });

  test('reaches routes that were made before it was loaded, and the not-found handler', async () => {
    const { audit, events } = createLog();
    const app = createApp();
    app.register(auditContext, { audit, record: 'all' });
    app.get('/notes/:id', async (request) => ({ id: request.audit.requestId }));
    const url = await serve(app);
    await fetch(`${url}/notes/7`);
    await fetch(`${url}/nowhere?token=abc`);
    expect(
      (await events()).map(({ context, outcome, details }) => [context.route, outcome, details]),
    ).toEqual([
      ['/notes/:id', 'success', { params: { id: '7' } }],
      [undefined, 'failure', { path: '/nowhere', query: { token: { $indelible: 'masked' } } }],
    ]);
  });

  test('registered within a plugin it reaches that plugin only', async () => {
    const { audit, events } = createLog();
    const app = createApp();
    await app.register(
      async (inner) => {
        await inner.register(auditContext, { audit, record: 'all' });
        inner.get('/', async () => ({}));
      },
      { prefix: '/inner' },
    );
    app.get('/outer', async (request) => ({ audit: String(request.audit) }));
    const url = await serve(app);
    await fetch(`${url}/inner`);
    expect(await (await fetch(`${url}/outer`)).json()).toEqual({ audit: 'undefined' });
    expect((await events()).map(({ context }) => context.route)).toEqual(['/inner']);
  });

  test('twice on one request makes one event, and the inner options count inside', async () => {
    const { audit, events } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit, record: 'all' });
    await app.register(
      async (north) => {
        await north.register(auditContext, { audit, record: 'all', tenant: () => 'north' });
        north.get('/note', async (request) => {
          await request.audit.record({ action: 'note.read' });
          return {};
        });
      },
      { prefix: '/north' },
    );
    const answer = await fetch(`${await serve(app)}/north/note`, { headers: { 'x-request-id': 'r1' } });
    expect(answer.headers.get('x-request-id')).toBe('r1');
    expect(
      (await events()).map(({ action, context }) => [action, context.tenant, context.requestId]),
    ).toEqual([
      ['note.read', 'north', 'r1'],
      ['request.completed', 'north', 'r1'],
    ]);
  });

  test.each(['preParsing', 'preValidation', 'parser'] as const)(
    'what goes on in a foreign context does not lose the request: %s',
    async (place) => {
      const { audit, events } = createLog();
      const app = createApp();
      await app.register(auditContext, { audit, record: 'none', actor: () => ({ id: 'ada' }) });
      const elsewhere = new EventEmitter();
      const timer = setInterval(() => elsewhere.emit('tick'), 5);
      cleanUp.push(async () => clearInterval(timer));
      app.addContentTypeParser('text/plain', (_request, payload, done) => {
        payload.resume();
        if (place === 'parser') elsewhere.once('tick', () => done(null, 'parsed'));
        else done(null, 'parsed');
      });
      if (place === 'preParsing') {
        app.addHook('preParsing', (_request, _reply, payload, done) => {
          elsewhere.once('tick', () => done(null, payload));
        });
      }
      if (place === 'preValidation') {
        app.addHook('preValidation', (_request, _reply, done) => {
          elsewhere.once('tick', () => done());
        });
      }
      const record = async () => void (await audit.record({ action: 'note.written' }));
      if (place === 'preParsing') app.addHook('preValidation', record);
      app.post('/', async () => {
        if (place !== 'preParsing') await record();
        return {};
      });
      const headers = { 'content-type': 'text/plain', 'x-request-id': 'r1' };
      await fetch(await serve(app), { method: 'POST', body: 'x', headers });
      const [event] = await events();
      expect([event?.actor.id, event?.context.requestId]).toEqual(['ada', 'r1']);
    },
  );

  test('records injected requests too, each once', async () => {
    const { audit, events } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit, record: 'all' });
    app.get('/a', async () => ({}));
    app.get('/b', (_request, reply) => {
      reply.send(Readable.from(['one', 'two']));
    });
    expect((await app.inject('/a')).statusCode).toBe(200);
    expect((await app.inject('/b')).body).toBe('onetwo');
    expect((await events()).map(({ action, outcome, context }) => [action, outcome, context.route])).toEqual([
      ['request.completed', 'success', '/a'],
      ['request.completed', 'success', '/b'],
    ]);
  });

  test('an answer from a hook, an error in a hook and a body that can not be parsed each make one event', async () => {
    const { audit, events } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit, record: 'all' });
    app.addHook('onRequest', async (request, reply) => {
      if (request.url === '/refused') await reply.code(403).send({});
    });
    app.addHook('preHandler', async (request) => {
      if (request.url === '/broken') throw new Error('on purpose');
    });
    app.addHook('onSend', async (request) => {
      if (request.url === '/late') throw new Error('on purpose');
    });
    for (const url of ['/refused', '/broken', '/late']) app.get(url, async () => ({}));
    app.post('/json', async () => ({}));
    const url = await serve(app);
    for (const path of ['/refused', '/broken', '/late']) await fetch(url + path);
    const json = { 'content-type': 'application/json' };
    await fetch(`${url}/json`, { method: 'POST', body: '{"a"', headers: json });
    expect((await events()).map(({ outcome, context }) => [context.route, context.status, outcome])).toEqual([
      ['/refused', 403, 'denied'],
      ['/broken', 500, 'failure'],
      ['/late', 500, 'failure'],
      ['/json', 400, 'failure'],
    ]);
  });

  test('an error handler knows who acts', async () => {
    const { audit, events } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit, record: 'none', actor: () => ({ id: 'ada' }) });
    app.setErrorHandler(async (_error, _request, reply) => {
      await audit.record({ action: 'error.seen' });
      return reply.code(500).send({});
    });
    app.post('/', async () => ({}));
    const json = { 'content-type': 'application/json' };
    await fetch(await serve(app), { method: 'POST', body: '{"a"', headers: json });
    expect((await events()).map(({ actor }) => actor.id)).toEqual(['ada']);
  });

  test('refuses options that it does not know, and takes those of the registration', async () => {
    const { audit } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit, prefix: '/ignored', logLevel: 'warn' });
    const other = fastify();
    await expect(async () => other.register(auditContext, { recrod: 'all' } as object)).rejects.toThrow(
      '[indelible/fastify] there is no option `recrod`',
    );
  });
});

describe('the action of a route', () => {
  test('is recorded with its resource, its details and the category of the catalogue', async () => {
    const actions = defineActions({ 'invoice.exported': { category: 'billing' } });
    const { audit, events } = createLog({ actions });
    const app = createApp();
    await app.register(auditContext, { audit, record: 'none' });
    app.get<{ Params: { id: string } }>(
      '/invoices/:id',
      {
        config: {
          audit: {
            action: 'invoice.exported',
            resource: ({ params }) => ({ type: 'Invoice', id: Reflect.get(Object(params), 'id') }),
            details: (_request, reply) => ({ bytes: Number(reply.getHeader('content-length')) }),
          },
        },
      },
      async () => ({}),
    );
    app.get('/summary', { config: { audit: 'summary.read' } }, async (_request, reply) =>
      reply.code(401).send(),
    );
    const url = await serve(app);
    await fetch(`${url}/invoices/7`);
    await fetch(`${url}/summary`);
    expect(await events()).toMatchObject([
      {
        action: 'invoice.exported',
        category: 'billing',
        resource: { type: 'Invoice', id: '7' },
        details: { bytes: 2 },
        outcome: 'success',
        context: { route: '/invoices/:id', status: 200 },
      },
      { action: 'summary.read', category: 'access', outcome: 'denied' },
    ]);
  });

  test('whose functions throw is recorded without their answers, and the errors are reported', async () => {
    const { audit, events, errors } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit, record: 'none' });
    const fail = () => {
      throw new Error('on purpose');
    };
    const config = { audit: { action: 'note.read', resource: fail, details: fail } };
    app.get('/', { config }, async () => ({}));
    expect((await fetch(await serve(app))).status).toBe(200);
    const [event] = await events();
    expect(event).toMatchObject({ action: 'note.read', outcome: 'success' });
    expect(event?.resource).toBeUndefined();
    expect(errors).toHaveLength(2);
  });

  test('that is none is refused when the route is made', async () => {
    const { audit } = createLog();
    const app = createApp();
    await app.register(auditContext, { audit });
    for (const wrong of [{ resource: () => undefined }, '', { action: 'a.b', resuorce: 1 }]) {
      const config = { audit: wrong as never };
      expect(() => app.get('/', { config }, async () => ({}))).toThrow("a route's `config.audit`");
    }
  });
});
