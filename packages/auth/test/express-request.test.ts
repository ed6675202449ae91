import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openRequest, requestSettings, runInScope } from '@indelible/context';
import { createAudit, createMemoryStore, readBody } from '@indelible/core';
import { expect, test } from 'vitest';
import { createAuthLogger } from '../src/index.js';

test('an event of a request that the middleware knows shares its context, also after the response', async () => {
  const store = createMemoryStore();
  const audit = createAudit({ store, lifecycleEvents: false, hmacKey: 'x'.repeat(32) });
  const log = createAuthLogger({ audit });
  const settings = requestSettings('express', { audit, record: 'none' });
  let late: Promise<unknown> | undefined;
  const server = createServer((req, res) => {
    const scope = openRequest(req, req, res, settings);
    runInScope(scope, () => {
      scope.update({ tenant: 'north' });
      late = new Promise<void>((resolve) => res.once('close', resolve)).then(() => log('login', 'ada', req));
      void log('login_failed', null, req).then(() => res.end());
    });
  }).listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    get({ port, host: '127.0.0.1', agent: false, headers: { 'x-request-id': 'r1' } }, (answer) => {
      answer.resume().on('close', resolve);
    });
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  await late;
  await audit.flush();
  const events = (await store.list()).map((event) => readBody(event.body));
  expect(events.map((event) => [event.action, event.context.requestId, event.context.tenant])).toEqual([
    ['auth.login_failed', 'r1', 'north'],
    ['auth.login', 'r1', 'north'],
  ]);
  server.close();
  await audit.close();
});
