import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Audit } from '@indelible/core';
import { bindContext } from '../audit-context.js';
import type { HttpExchange, HttpRoute, HttpSuiteOptions } from './http-app.js';
import { withBench } from './http-bench.js';
import { call, type HttpCall, multipart } from './http-client.js';

const REQUESTS = 200;
const pause = () => sleep(Math.random() * 20);

/** A pool as drivers have them: whoever releases a connection calls the next one who waits, in his own context. */
class Pool {
  #free = 4;
  readonly #waiting: (() => void)[] = [];

  acquire(granted: () => void): void {
    if (this.#free > 0) {
      this.#free -= 1;
      granted();
    } else this.#waiting.push(granted);
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** X1: two hundred requests at once never see each other. */
export function isolationSuite({ test, factory, supports }: HttpSuiteOptions): void {
  test('two hundred concurrent requests never see each other', async () => {
    const kinds = supports.multipart ? [...Object.keys(HANDLERS), 'multipart'] : Object.keys(HANDLERS);
    const agent = new Agent({ keepAlive: true, maxSockets: 40 });
    // The routes need the audit, which is made with the application.
    let audit: Audit | undefined;
    const probe: Probe = async (exchange, point) => {
      const expected = String(exchange.raw.headers['x-test-user']);
      await audit?.record({ action: 'probe.seen', details: { expected, point } });
    };
    try {
      await withBench(
        factory,
        { routes: kinds.map((kind) => routeOf(kind, probe)), options: { record: 'all' } },
        async (bench) => {
          audit = bench.audit;
          const answers = await Promise.all(
            Array.from({ length: REQUESTS }, async (_, at) => {
              await sleep(Math.random() * 50);
              const kind = kinds[at % kinds.length] ?? '';
              return call({
                ...callOf(kind, at),
                port: bench.port,
                ...(at % 3 === 0 ? { agent } : undefined),
              });
            }),
          );
          for (const answer of answers) assert.equal(answer.status, 200, answer.text);
          const events = await bench.waitFor(REQUESTS, (event) => event.action === 'request.completed');
          for (const event of events) assert.equal(event.context.requestId, `request-${event.actor.id}`);
          const seen = (await bench.events()).filter((event) => event.action === 'probe.seen');
          assert.ok(seen.length >= REQUESTS * 2, `only ${seen.length} probes`);
          for (const event of seen) {
            const { expected, point } = event.details ?? {};
            assert.equal(event.actor.id, expected, `wrong actor at ${String(point)}`);
            assert.equal(
              event.context.requestId,
              `request-${String(expected)}`,
              `wrong request at ${String(point)}`,
            );
          }
          assert.deepEqual(bench.errors, []);
        },
      );
    } finally {
      agent.destroy();
    }
  });

  for (const kind of ['upload', 'listeners', 'json', ...(supports.multipart ? ['multipart'] : [])]) {
    test(`a body that arrives slowly keeps its request: ${kind}`, async () => {
      let audit: Audit | undefined;
      const probe: Probe = async (_exchange, point) => {
        await audit?.record({ action: 'probe.seen', details: { point } });
      };
      await withBench(factory, { routes: [routeOf(kind, probe)] }, async (bench) => {
        audit = bench.audit;
        const answer = await call({ ...callOf(kind, 7), port: bench.port, pauseMs: 60 });
        assert.equal(answer.status, 200, answer.text);
        const events = await bench.events();
        assert.ok(events.length >= 2);
        for (const event of events) assert.equal(event.actor.id, 'user-7', String(event.details?.point));
      });
    });
  }

  if (!supports.multipart) {
    test('a multipart request that nobody parses is recorded with its actor all the same', async () => {
      const route: HttpRoute = {
        method: 'POST',
        path: '/upload',
        body: 'json',
        handle: (it) => it.reply(200, {}),
      };
      await withBench(factory, { routes: [route], options: { record: 'all' } }, async (bench) => {
        await call({ ...callOf('multipart', 1), path: '/upload', port: bench.port });
        const [event] = await bench.waitFor(1);
        assert.equal(event?.actor.id, 'user-1');
      });
    });
  }
}

type Probe = (exchange: HttpExchange, point: string) => Promise<void>;
type Handler = (exchange: HttpExchange, probe: Probe) => Promise<void>;

const pool = new Pool();
const shared = new EventEmitter().setMaxListeners(0);

const HANDLERS: Readonly<Record<string, Handler>> = {
  timers: async (exchange, probe) => {
    await pause();
    await probe(exchange, 'after a timer');
    await new Promise<void>((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    await new Promise<void>((resolve) => {
      setTimeout(() => void probe(exchange, 'in a timer').then(resolve), Math.random() * 10);
    });
  },
  json: async (exchange, probe) => {
    await probe(exchange, 'after the body was parsed');
    assert.deepEqual(exchange.body, { note: 'x'.repeat(20_000) });
    await pause();
    await probe(exchange, 'later');
  },
  upload: async (exchange, probe) => {
    let length = 0;
    for await (const chunk of exchange.raw) {
      length += Buffer.byteLength(chunk);
      await probe(exchange, 'between two chunks');
    }
    assert.equal(length, 30_000);
    await probe(exchange, 'after the stream');
  },
  listeners: async (exchange, probe) => {
    const seen: Promise<void>[] = [];
    await new Promise<void>((resolve, reject) => {
      exchange.raw.on('data', () => seen.push(probe(exchange, 'in a data listener')));
      exchange.raw.on('error', reject);
      exchange.raw.on('end', () => {
        seen.push(probe(exchange, 'in an end listener'));
        resolve();
      });
    });
    await Promise.all(seen);
  },
  emitters: async (exchange, probe) => {
    const name = `done-${String(exchange.raw.headers['x-test-user'])}`;
    const bound = new Promise<void>((resolve) => {
      shared.once(
        name,
        bindContext(() => void probe(exchange, 'in a bound listener').then(resolve)),
      );
    });
    const announced = once(shared, name);
    // Emitted from another request's work as often as from this one's.
    pool.acquire(() => setTimeout(() => shared.emit(name), Math.random() * 10));
    await announced;
    pool.release();
    await probe(exchange, 'after an emitter');
    await bound;
  },
  callbacks: async (exchange, probe) => {
    await new Promise<void>((resolve) => pool.acquire(resolve));
    await probe(exchange, 'after waiting for a pool');
    await pause();
    pool.release();
    await new Promise<void>((resolve) => {
      pool.acquire(
        bindContext(() => {
          void probe(exchange, 'in a bound callback of a pool').then(() => {
            pool.release();
            resolve();
          });
        }),
      );
    });
  },
  lazy: async (exchange, probe) => {
    // An ORM's promise: nothing happens before somebody awaits it.
    const query: PromiseLike<void> = {
      // biome-ignore lint/suspicious/noThenProperty: that is what is tried here.
      then: (resolve, reject) =>
        pause()
          .then(() => probe(exchange, 'in a lazy promise'))
          .then(resolve, reject),
    };
    await pause();
    await query;
    await Promise.all([pause().then(() => probe(exchange, 'in parallel')), probe(exchange, 'at once')]);
  },
  download: async (exchange, probe) => {
    const chunks = async function* (): AsyncGenerator<string> {
      for (const chunk of ['one', 'two', 'three']) {
        await pause();
        await probe(exchange, 'while the answer streams');
        yield chunk;
      }
    };
    exchange.stream(Readable.from(chunks()));
  },
};

async function multipartHandler(exchange: HttpExchange, probe: Probe): Promise<void> {
  await probe(exchange, 'after the upload');
  assert.deepEqual({ ...(exchange.body as object) }, { note: 'scan' });
  await pause();
  await probe(exchange, 'later');
}

function routeOf(kind: string, probe: Probe): HttpRoute {
  const handler = HANDLERS[kind] ?? multipartHandler;
  return {
    method: sendsBody(kind) ? 'POST' : 'GET',
    path: `/${kind}`,
    body: kind === 'json' || kind === 'multipart' ? kind : 'none',
    handle: async (exchange) => {
      await handler(exchange, probe);
      if (kind !== 'download') exchange.reply(200, { kind });
    },
  };
}

function sendsBody(kind: string): boolean {
  return ['json', 'multipart', 'upload', 'listeners'].includes(kind);
}

function callOf(kind: string, at: number): Omit<HttpCall, 'port'> {
  const headers = { 'x-test-user': `user-${at}`, 'x-request-id': `request-user-${at}` };
  const path = `/${kind}`;
  const pauseMs = Math.random() * 40;
  if (kind === 'multipart') {
    const form = multipart({ note: 'scan' }, Buffer.alloc(60_000, at));
    return { method: 'POST', path, headers: { ...headers, ...form.headers }, body: form.body, pauseMs };
  }
  if (kind === 'json') {
    const text = JSON.stringify({ note: 'x'.repeat(20_000) });
    return {
      method: 'POST',
      path,
      headers: { ...headers, 'content-type': 'application/json' },
      body: [text.slice(0, 7_000), text.slice(7_000)],
      pauseMs,
    };
  }
  if (!sendsBody(kind)) return { path, headers };
  const chunk = Buffer.alloc(10_000, at);
  return { method: 'POST', path, headers, body: [chunk, chunk, chunk], pauseMs };
}
