import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAudit, createMemoryStore, readBody } from '@indelible/core';
import express from 'express';
import { expect, test } from 'vitest';
import { auditContext } from '../src/index.js';

test('where an actor is demanded a request of nobody is `anonymous`, and work without a request is refused', async () => {
  const store = createMemoryStore();
  const audit = createAudit({
    store,
    hmacKey: 'x'.repeat(32),
    lifecycleEvents: false,
    onMissingActor: 'throw',
  });
  const app = express();
  app.use(auditContext({ audit, record: 'all' }));
  app.get('/', async (_req, res) => {
    await audit.record({ action: 'page.read' });
    res.end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  await expect(audit.record({ action: 'page.read' })).rejects.toMatchObject({ code: 'AUDIT_ACTOR_MISSING' });
  await audit.flush();
  const events = (await store.list()).map(({ body }) => readBody(body));
  expect(events.map(({ action, actor }) => [action, actor.type])).toEqual([
    ['page.read', 'anonymous'],
    ['request.completed', 'anonymous'],
  ]);
  await audit.close();
});
