import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEvent } from '@indelible/core';
import type { HttpExchange, HttpRoute, HttpSuiteOptions } from './http-app.js';
import { only, withBench } from './http-bench.js';
import { call, callAndHangUp } from './http-client.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ok = (it: HttpExchange): void => it.reply(200, {});

/** X6, X7 and X9: what a request says about itself, and its one event. */
export function requestSuite({ test, factory }: HttpSuiteOptions): void {
  test('a well-formed request id is taken over and sent back', async () => {
    await withBench(factory, { routes: [get('/', ok)], options: { record: 'all' } }, async (bench) => {
      for (const id of ['a', 'Req_7.b-c', 'x'.repeat(128)]) {
        const answer = await call({ port: bench.port, path: '/', headers: { 'x-request-id': id } });
        assert.equal(answer.headers['x-request-id'], id);
        await bench.waitFor(1, (event) => event.context.requestId === id);
      }
    });
  });

  test('an ill-formed request id is replaced by a fresh one', async () => {
    const bad = ['', 'a b', 'x'.repeat(129), 'a\tb', 'a*/b', "1' OR '1'='1", 'ümlaut', '<script>'];
    await withBench(factory, { routes: [get('/', ok)], options: { record: 'all' } }, async (bench) => {
      const ids = new Set<string>();
      for (const id of [...bad, ['one', 'two']]) {
        const answer = await call({ port: bench.port, path: '/', headers: { 'x-request-id': id } });
        assert.match(String(answer.headers['x-request-id']), UUID);
        ids.add(String(answer.headers['x-request-id']));
      }
      assert.equal(ids.size, bad.length + 1);
      const events = await bench.waitFor(bad.length + 1);
      for (const event of events) assert.ok(ids.has(event.context.requestId ?? ''));
    });
  });

  test('a traceparent is parsed, and a malformed one ignored', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const cases: readonly (readonly [string, string | undefined])[] = [
      [`00-${trace}-00f067aa0ba902b7-01`, trace],
      [`cc-${trace}-00f067aa0ba902b7-01-what-the-future-brings`, trace],
      [`00-${trace}-00f067aa0ba902b7-01-more`, undefined],
      [`ff-${trace}-00f067aa0ba902b7-01`, undefined],
      [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
      [`00-${trace}-${'0'.repeat(16)}-01`, undefined],
      [`00-${trace.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
      ['garbage', undefined],
    ];
    await withBench(factory, { routes: [get('/', ok)], options: { record: 'all' } }, async (bench) => {
      for (const [at, [traceparent, expected]] of cases.entries()) {
        await call({ port: bench.port, path: '/', headers: { traceparent, 'x-request-id': `r${at}` } });
        const event = only(await bench.waitFor(1, (found) => found.context.requestId === `r${at}`));
        assert.equal(event.context.traceId, expected, traceparent);
      }
    });
  });

  for (const trustProxy of [false, true]) {
    test(`the address ${trustProxy ? 'follows' : 'does not follow'} x-forwarded-for ${trustProxy ? 'where the framework trusts its proxy' : 'unless the framework trusts its proxy'}`, async () => {
      await withBench(
        factory,
        { routes: [get('/', ok)], options: { record: 'all' }, trustProxy },
        async (bench) => {
          await call({ port: bench.port, path: '/', headers: { 'x-forwarded-for': '203.0.113.7' } });
          const event = only(await bench.waitFor(1));
          if (trustProxy) assert.equal(event.context.ip, '203.0.113.7');
          else assert.match(event.context.ip ?? '', /127\.0\.0\.1$/);
        },
      );
    });
  }

  test('hostile content changes nothing but its own field, cut to a limit', async () => {
    const agent = `x'; DROP TABLE audit_event; -- */ ${'A'.repeat(9_000)}`;
    const route: HttpRoute = { method: 'POST', path: '/notes/:id', body: 'json', handle: ok };
    const options = { record: 'all', captureBody: true } as const;
    await withBench(factory, { routes: [route], options }, async (bench) => {
      const note = `line\r\nbreak \u0000 \u202e */ '; DROP TABLE audit_event; -- ${'B'.repeat(80_000)}`;
      const body = JSON.stringify({ note, password: 'correct horse', __proto__x: 1, deep: nest(200) });
      const answer = await call({
        port: bench.port,
        method: 'POST',
        path: `/notes/%0d%0a%00'--?q=%0a*%2f&token=s3cret-in-the-query&q=two`,
        headers: {
          'x-test-user': 'ada',
          'x-request-id': 'r1',
          'user-agent': agent,
          'content-type': 'application/json',
        },
        body: [body],
      });
      assert.equal(answer.status, 200, answer.text);
      const event = only(await bench.waitFor(1));
      assert.equal(event.action, 'request.completed');
      assert.equal(event.actor.id, 'ada');
      assert.equal(event.outcome, 'success');
      const { userAgent = '', durationMs, ip, ...context } = event.context;
      assert.deepEqual(context, {
        source: 'http',
        requestId: 'r1',
        method: 'POST',
        route: '/notes/:id',
        status: 200,
      });
      assert.ok(userAgent.startsWith("x'; DROP TABLE") && userAgent.length <= 512, 'the user agent is cut');
      assert.deepEqual(event.details?.params, { id: "\r\n\u0000'--" });
      const text = JSON.stringify(event);
      assert.ok(Buffer.byteLength(text) <= 65_536, 'the event is bounded');
      assert.ok(
        !text.includes('correct horse') && !text.includes('s3cret-in-the-query'),
        'no secret is kept',
      );
      assert.deepEqual(bench.errors, []);
    });
  });

  test('a body is captured only where that was asked for', async () => {
    const route: HttpRoute = { method: 'POST', path: '/', body: 'json', handle: ok };
    for (const captureBody of [false, true]) {
      await withBench(
        factory,
        { routes: [route], options: { record: 'all', captureBody } },
        async (bench) => {
          const headers = { 'content-type': 'application/json' };
          await call({ port: bench.port, method: 'POST', path: '/', headers, body: ['{"note":"blue"}'] });
          const event = only(await bench.waitFor(1));
          assert.deepEqual(event.details?.body, captureBody ? { note: 'blue' } : undefined);
        },
      );
    }
  });

  test('the outcome follows the status', async () => {
    const expected: Readonly<Record<number, AuditEvent['outcome']>> = {
      200: 'success',
      204: 'success',
      302: 'success',
      304: 'success',
      400: 'failure',
      401: 'denied',
      403: 'denied',
      404: 'failure',
      409: 'failure',
      500: 'failure',
      503: 'failure',
    };
    const route = get('/:status', (it) => it.reply(Number(it.params.status), {}));
    await withBench(factory, { routes: [route], options: { record: 'all' } }, async (bench) => {
      for (const status of Object.keys(expected)) await call({ port: bench.port, path: `/${status}` });
      const events = await bench.waitFor(Object.keys(expected).length);
      for (const { context, outcome } of events) assert.equal(outcome, expected[context.status ?? 0]);
      for (const { context } of events) assert.equal(context.route, '/:status');
    });
  });

  test('every request has exactly one event, whatever becomes of it', async () => {
    const boom = (): never => {
      throw new Error('on purpose');
    };
    const routes: HttpRoute[] = [
      get('/ok/:id', ok),
      { ...get('/mounted/:id', ok), prefix: '/api' },
      { ...get('/mounted/:id/broken', boom), prefix: '/api' },
      get('/throws', boom),
      get('/rejects', async () => {
        await sleep(5);
        boom();
      }),
      get('/stream', (it) => it.stream(Readable.from(slowly(['one', 'two', 'three'])))),
      get('/endless', (it) => it.stream(Readable.from(slowly(Array.from({ length: 1_000 }, () => 'more'))))),
      get('/silent', () => undefined),
    ];
    await withBench(factory, { routes, options: { record: 'all' } }, async (bench) => {
      const { port } = bench;
      const statuses: number[] = [];
      const paths = [
        '/ok/7',
        '/api/mounted/8',
        '/api/mounted/9/broken',
        '/throws',
        '/rejects',
        '/stream',
        '/nowhere/to/be/found',
      ];
      for (const path of paths) statuses.push((await call({ port, path })).status);
      assert.deepEqual(statuses, [200, 200, 500, 500, 500, 200, 404]);
      await callAndHangUp({ port, path: '/endless' }, 500);
      await callAndHangUp({ port, path: '/silent' }, 50);
      const events = await bench.waitFor(paths.length + 2);
      const found = events.map(({ action, outcome, context: { route, status } }) => [
        action,
        route,
        status,
        outcome,
      ]);
      assert.deepEqual(found, [
        ['request.completed', '/ok/:id', 200, 'success'],
        ['request.completed', '/api/mounted/:id', 200, 'success'],
        ['request.completed', '/api/mounted/:id/broken', 500, 'failure'],
        ['request.completed', '/throws', 500, 'failure'],
        ['request.completed', '/rejects', 500, 'failure'],
        ['request.completed', '/stream', 200, 'success'],
        ['request.completed', undefined, 404, 'failure'],
        ['request.aborted', '/endless', 200, 'failure'],
        ['request.aborted', '/silent', undefined, 'failure'],
      ]);
      for (const { context } of events) {
        assert.equal(context.method, 'GET');
        assert.ok((context.durationMs ?? -1) >= 0);
      }
      const stream = events.find((event) => event.context.route === '/stream');
      assert.ok((stream?.context.durationMs ?? 0) >= 15, 'a streamed answer lasts until its last byte');
      const params = events.map((event) => event.details?.params);
      assert.deepEqual(params.slice(0, 3), [{ id: '7' }, { id: '8' }, { id: '9' }]);
      assert.equal(
        events.find((event) => event.context.status === 404)?.details?.path,
        '/nowhere/to/be/found',
      );
    });
  });

  test('requests on one kept-alive connection each have their own event and actor', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      await withBench(factory, { routes: [get('/', ok)], options: { record: 'all' } }, async (bench) => {
        for (let at = 0; at < 20; at++) {
          await call({
            port: bench.port,
            path: '/',
            headers: at % 2 === 0 ? { 'x-test-user': `user-${at}` } : {},
            agent,
          });
        }
        const events = await bench.waitFor(20);
        assert.deepEqual(
          events.map((event) => event.actor.id),
          Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? `user-${at}` : 'anonymous')),
        );
        assert.equal(new Set(events.map((event) => event.context.requestId)).size, 20);
      });
    } finally {
      agent.destroy();
    }
  });

  test('the default records what may change something and what was refused', async () => {
    const routes: HttpRoute[] = [
      get('/', ok),
      get('/refused', (it) => it.reply(403, {})),
      { method: 'POST', path: '/', body: 'none', handle: ok },
      { method: 'PUT', path: '/', body: 'none', handle: ok },
      { method: 'DELETE', path: '/', body: 'none', handle: ok },
    ];
    await withBench(factory, { routes, options: {} }, async (bench) => {
      const { port } = bench;
      await call({ port, path: '/' });
      await call({ port, path: '/refused' });
      for (const method of ['POST', 'PUT', 'DELETE']) await call({ port, path: '/', method });
      const events = await bench.waitFor(4);
      assert.deepEqual(
        events.map(({ context }) => context.method),
        ['GET', 'POST', 'PUT', 'DELETE'],
      );
    });
  });

  test('a record function that throws records the request', async () => {
    const record = () => {
      throw new Error('on purpose');
    };
    await withBench(factory, { routes: [get('/', ok)], options: { record } }, async (bench) => {
      assert.equal((await call({ port: bench.port, path: '/' })).status, 200);
      await bench.waitFor(1);
      assert.equal(bench.errors.length, 1);
    });
  });

  test('a named action of a route is recorded with the outcome of its answer', async () => {
    const action = { name: 'invoice.exported', resourceType: 'Invoice' };
    const routes: HttpRoute[] = [
      { ...get('/invoices/:id', (it) => it.reply(it.params.id === '1' ? 200 : 403, {})), action },
      {
        ...get('/broken/:id', () => {
          throw new Error('on purpose');
        }),
        prefix: '/api',
        action,
      },
    ];
    await withBench(factory, { routes }, async (bench) => {
      const { port } = bench;
      for (const path of ['/invoices/1', '/invoices/2', '/api/broken/3']) {
        await call({ port, path, headers: { 'x-test-user': 'ada' } });
      }
      const events = await bench.waitFor(3);
      assert.deepEqual(
        events.map((event) => [
          event.action,
          event.resource?.id,
          event.outcome,
          event.context.status,
          event.actor.id,
        ]),
        [
          ['invoice.exported', '1', 'success', 200, 'ada'],
          ['invoice.exported', '2', 'denied', 403, 'ada'],
          ['invoice.exported', '3', 'failure', 500, 'ada'],
        ],
      );
    });
  });
}

function get(path: string, handle: HttpRoute['handle']): HttpRoute {
  return { method: 'GET', path, body: 'none', handle };
}

async function* slowly(chunks: readonly string[]): AsyncGenerator<string> {
  for (const chunk of chunks) {
    await sleep(8);
    yield chunk;
  }
}

function nest(depth: number): unknown {
  let value: unknown = 'end';
  for (let at = 0; at < depth; at++) value = { value };
  return value;
}
