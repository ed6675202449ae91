import { runWithContext } from '@indelible/context';
import { auditErrorCode } from '@indelible/core';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { auditContext } from '../src/index.js';
import { openLog } from './open-log.js';

async function openApp() {
  const log = openLog();
  const app = fastify();
  onTestFinished(() => app.close());
  await app.register(auditContext, {
    audit: log.audit,
    record: 'all',
    captureBody: true,
    tenant: (request) => Reflect.get(Object(Reflect.get(request, 'user')), 'tenant'),
  });
  app.addHook('onRequest', async (request) => {
    const tenant = request.headers.authorization?.replace('Bearer ', '') ?? '';
    Object.assign(request, { user: { id: `user of ${tenant}`, tenant } });
  });
  const call = (tenant: string, url: string, payload: object = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${tenant}` } });
  return { app, log, call };
}

test('the requests of two tenants at once each stand in the log of theirs, whatever they send', async () => {
  const { app, log, call } = await openApp();
  app.post<{ Body: object }>('/notes', async (request) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    const body = Object(request.body) as Record<string, string>;
    await log.audit.record({ action: 'note.written', details: body });
    const { tenant: _, ...rest } = body;
    await runWithContext(rest as object, () => request.audit.record({ action: 'note.imported' }));
    return {};
  });
  const hostile = { tenant: 'south', log: 'audit/south', fixedTenant: 'south', context: { tenant: 'south' } };
  await Promise.all(
    Array.from({ length: 40 }, (_, at) => call(at % 2 === 0 ? 'north' : 'east', '/notes', hostile)),
  );
  const events = await log.events();
  expect(events).toHaveLength(40 * 3);
  for (const { log: name, actor, context } of events) {
    expect([name, actor.id]).toEqual([`audit/${context.tenant}`, `user of ${context.tenant}`]);
  }
  expect(new Set(events.map(({ log: name }) => name))).toEqual(new Set(['audit/north', 'audit/east']));
});

test('code of a request that names another tenant is refused, in a hook and in a handler, and its own event stays', async () => {
  const { app, log, call } = await openApp();
  const codes: unknown[] = [];
  const refused = (work: () => unknown) =>
    Promise.resolve()
      .then(work)
      .then(
        () => codes.push('passed'),
        (error: unknown) => codes.push(auditErrorCode(error)),
      );
  app.addHook('preHandler', async () => {
    await refused(() => log.audit.record({ action: 'note.read', context: { tenant: 'south' } }));
  });
  app.post('/notes', async (request) => {
    await refused(() => runWithContext({ tenant: 'south' }, async () => {}));
    await refused(() => request.audit.update({ tenant: 'south' }));
    return {};
  });
  await call('north', '/notes');
  expect(codes).toEqual(['AUDIT_TENANT_MISMATCH', 'AUDIT_TENANT_MISMATCH', 'AUDIT_TENANT_MISMATCH']);
  expect((await log.events()).map(({ log: name, action }) => [name, action])).toEqual([
    ['audit/north', 'request.completed'],
  ]);
});

test('an encapsulated plugin has tenants of its own beside a part that has none', async () => {
  const log = openLog();
  const app = fastify();
  onTestFinished(() => app.close());
  await app.register(auditContext, { audit: log.audit, record: 'all' });
  await app.register(
    async (inner) => {
      await inner.register(auditContext, {
        audit: log.audit,
        record: 'all',
        tenant: (request) => Reflect.get(Object(request.params), 'tenant'),
      });
      inner.get('/:tenant/note', async () => ({}));
    },
    { prefix: '/of' },
  );
  app.get('/note', async () => ({}));
  for (const url of ['/of/north/note', '/note', '/of/south/note']) await app.inject(url);
  expect((await log.events()).map(({ log: name }) => name).sort()).toEqual([
    'audit',
    'audit/north',
    'audit/south',
  ]);
});
