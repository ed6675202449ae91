import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { auditContext } from '../src/index.js';
import { type OpenLog, openLog } from './open-log.js';

const ACTION = { config: { audit: { action: 'note.written', resource: () => ({ type: 'Note', id: 7 }) } } };

async function createApp(): Promise<{ app: FastifyInstance; log: OpenLog }> {
  const log = openLog();
  const app = fastify({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  await app.register(auditContext, { audit: log.audit, record: 'all', actor: () => ({ id: 'ada' }) });
  return { app, log };
}

const told = async ({ events }: OpenLog) =>
  (await events())
    .map(({ action, outcome, context, actor }) => [action, outcome, context.status, actor.id])
    .sort();

const post = (url: string, body = 'x', headers: object = {}) => ({
  method: 'POST' as const,
  url,
  payload: body,
  headers: { 'content-type': 'text/plain', ...headers },
});

describe('a hook that fails', () => {
  test.each([
    'onRequest',
    'preParsing',
    'preValidation',
    'preHandler',
    'preSerialization',
    'onSend',
  ] as const)('leaves one event of the request and one of its action: %s', async (hook) => {
    for (const way of ['inject', 'http'] as const) {
      const { app, log } = await createApp();
      app.addHook(hook as 'onRequest', async () => {
        throw new Error('on purpose');
      });
      app.post('/', ACTION, async () => ({ id: 7 }));
      const status =
        way === 'inject'
          ? (await app.inject(post('/'))).statusCode
          : (await fetch(await app.listen({ port: 0, host: '127.0.0.1' }), { method: 'POST', body: 'x' }))
              .status;
      expect([way, status]).toEqual([way, 500]);
      expect(await told(log)).toEqual([
        ['note.written', 'failure', 500, 'ada'],
        ['request.completed', 'failure', 500, 'ada'],
      ]);
    }
  });

  test('after the answer it changes nothing of what is recorded: onResponse, onError', async () => {
    const { app, log } = await createApp();
    app.addHook('onResponse', async () => {
      throw new Error('on purpose');
    });
    app.addHook('onError', async () => {
      throw new Error('on purpose');
    });
    app.post('/', ACTION, async () => ({ id: 7 }));
    await app.inject(post('/'));
    expect(await told(log)).toEqual([
      ['note.written', 'success', 200, 'ada'],
      ['request.completed', 'success', 200, 'ada'],
    ]);
  });

  test('a schema that the body does not fit, and an answer that its schema refuses, are failures of their own', async () => {
    const { app, log } = await createApp();
    const body = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
    const response = {
      200: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    };
    app.post('/', { schema: { body }, ...ACTION }, async () => ({}));
    app.get('/', { schema: { response } }, async () => ({}));
    await app.inject({ method: 'POST', url: '/', payload: {} });
    await app.inject({ method: 'GET', url: '/' });
    expect(await told(log)).toEqual([
      ['note.written', 'failure', 400, 'ada'],
      ['request.completed', 'failure', 400, 'ada'],
      ['request.completed', 'failure', 500, 'ada'],
    ]);
  });
});

describe('an answer that Fastify does not send', () => {
  test('hijacked and written to the socket, it has its one event', async () => {
    const { app, log } = await createApp();
    app.get('/', ACTION, (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(202);
      reply.raw.end('raw');
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    expect(await (await fetch(url)).text()).toBe('raw');
    expect(await told(log)).toEqual([
      ['note.written', 'success', 202, 'ada'],
      ['request.completed', 'success', 202, 'ada'],
    ]);
  });
});

describe('a multipart body that the handler streams', () => {
  const BODY = [
    '--b',
    'content-disposition: form-data; name="f"; filename="a.txt"',
    '',
    'content',
    '--b--',
    '',
  ].join('\r\n');
  const HEADERS = { 'content-type': 'multipart/form-data; boundary=b' };

  test('does not lose the request on its way', async () => {
    const { app, log } = await createApp();
    await app.register(multipart);
    app.post('/', async (request) => {
      const file = await request.file();
      const content = file === undefined ? '' : await text(file.file);
      await log.audit.record({ action: 'file.stored', details: { content } });
      return {};
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const ids = Array.from({ length: 20 }, (_, at) => `r${at}`);
    await Promise.all(
      ids.map((id) =>
        fetch(url, { method: 'POST', body: BODY, headers: { ...HEADERS, 'x-request-id': id } }),
      ),
    );
    const stored = (await log.events()).filter(({ action }) => action === 'file.stored');
    expect(stored.map(({ context }) => context.requestId).sort()).toEqual([...ids].sort());
    expect(stored.every(({ actor, details }) => actor.id === 'ada' && details?.content === 'content')).toBe(
      true,
    );
  });

  test('of which the client sends a part and hangs up, it is aborted, with its action', async () => {
    const { app, log } = await createApp();
    await app.register(multipart);
    let hasBegun = false;
    app.post('/', ACTION, async (request) => {
      hasBegun = true;
      const file = await request.file();
      if (file !== undefined) await text(file.file).catch(() => undefined);
      return {};
    });
    const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const socket = connect(Number(url.port), '127.0.0.1');
    const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${HEADERS['content-type']}\r\ncontent-length: 10000\r\n\r\n`;
    socket.write(head + BODY.slice(0, 70));
    while (!hasBegun) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await told(log)).map(([action, outcome]) => [action, outcome])).toEqual([
      ['note.written', 'failure'],
      ['request.aborted', 'failure'],
    ]);
  });
});
