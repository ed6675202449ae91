import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Audit } from '@indelible/core';
import { runWithContext, tryGetScope, updateContext } from '../audit-context.js';
import { withoutAudit } from '../without-audit.js';
import type { HttpExchange, HttpRoute, HttpSuiteOptions } from './http-app.js';
import { type Bench, only, userNamed, withBench } from './http-bench.js';
import { call, callAndHangUp } from './http-client.js';

const ADA = { 'x-test-user': 'ada' };

/** X2, X3, X5 and X8: who acts, how far a scope reaches, what a pause covers. */
export function scopeSuite({ test, factory }: HttpSuiteOptions): void {
  for (const authentication of ['before', 'after'] as const) {
    test(`the middleware may stand ${authentication === 'before' ? 'after' : 'before'} authentication`, async () => {
      const route = get('/', async (it, audit) => {
        await audit.record({ action: 'note.read' });
        it.reply(200, {});
      });
      await oneRoute({ authentication, options: { record: 'all' } }, route, async (bench) => {
        await call({ port: bench.port, path: '/', headers: ADA });
        const events = await bench.waitFor(2);
        for (const event of events) {
          assert.deepEqual(event.actor, {
            type: 'user',
            id: 'ada',
            email: 'ada@clinic.example',
            role: 'doctor',
          });
        }
      });
    });
  }

  test('an actor that is set in the handler acts from then on', async () => {
    const route = get('/', async (it, audit) => {
      await audit.record({ action: 'note.first' });
      it.audit.setActor({ id: 'grace' });
      await audit.record({ action: 'note.second' });
      it.reply(200, {});
    });
    await oneRoute({ options: { record: 'all' } }, route, async (bench) => {
      await call({ port: bench.port, path: '/' });
      const events = await bench.waitFor(3);
      assert.deepEqual(
        events.map(({ action, actor }) => [action, actor.type, actor.id]),
        [
          ['note.first', 'anonymous', 'anonymous'],
          ['note.second', 'user', 'grace'],
          ['request.completed', 'user', 'grace'],
        ],
      );
    });
  });

  test('an actor that is found out by a promise is waited for', async () => {
    const actor = async (user: unknown) => {
      await sleep(20);
      return user as { id: string };
    };
    await oneRoute(
      { options: { record: 'all', actor } },
      get('/', (it) => it.reply(200, {})),
      async (bench) => {
        await call({ port: bench.port, path: '/', headers: ADA });
        assert.equal(only(await bench.waitFor(1)).actor.id, 'ada');
      },
    );
  });

  test('an actor function that throws costs neither the answer nor the event', async () => {
    const actor = () => {
      throw new Error('the session store is gone');
    };
    await oneRoute(
      { options: { record: 'all', actor } },
      get('/', (it) => it.reply(200, {})),
      async (bench) => {
        const answer = await call({ port: bench.port, path: '/', headers: ADA });
        assert.equal(answer.status, 200);
        const event = only(await bench.waitFor(1));
        assert.notEqual(event.actor.type, 'user');
        assert.ok(event.tags?.includes('actor-failed'), 'the event says that its actor is not known');
        assert.ok(bench.errors.length >= 1, 'the error is reported');
      },
    );
  });

  test('a tenant that is learned late is on every later event, and a throwing tenant function on none', async () => {
    const route = get('/', async (it, audit) => {
      updateContext({ tenant: 'north' });
      await audit.record({ action: 'note.read' });
      it.reply(200, {});
    });
    const tenant = () => {
      throw new Error('no such host');
    };
    await oneRoute({ options: { record: 'all', tenant } }, route, async (bench) => {
      assert.equal((await call({ port: bench.port, path: '/' })).status, 200);
      const events = await bench.waitFor(2);
      assert.deepEqual(
        events.map((event) => event.context.tenant),
        ['north', 'north'],
      );
      assert.ok(bench.errors.length >= 1, 'the error is reported');
    });
  });

  test('nested contexts merge, override and restore the outer one, also after exceptions and in parallel', async () => {
    const route = get('/', async (it, audit) => {
      const note = (at: string) => audit.record({ action: 'note.read', details: { at } });
      await note('before');
      await Promise.all([
        runWithContext({ tenant: 'north' }, async () => {
          await sleep(5);
          await note('north');
          await runWithContext({ actor: { type: 'service', id: 'ocr' } }, () => note('north, ocr'));
          await note('north again');
        }),
        runWithContext({ tenant: 'south' }, async () => {
          await note('south');
          throw new Error('on purpose');
        }).catch(() => note('after the exception')),
        note('beside'),
      ]);
      assert.throws(() =>
        runWithContext({ tenant: 'west' }, () => {
          throw new Error('on purpose');
        }),
      );
      await note('after');
      it.reply(200, {});
    });
    await oneRoute({}, route, async (bench) => {
      await call({ port: bench.port, path: '/', headers: { ...ADA, 'x-request-id': 'r1' } });
      const events = await bench.waitFor(8);
      const found = Object.fromEntries(
        events.map((event) => [String(event.details?.at), [event.actor.id, event.context.tenant]]),
      );
      assert.deepEqual(found, {
        before: ['ada', undefined],
        north: ['ada', 'north'],
        'north, ocr': ['ocr', 'north'],
        'north again': ['ada', 'north'],
        south: ['ada', 'south'],
        'after the exception': ['ada', undefined],
        beside: ['ada', undefined],
        after: ['ada', undefined],
      });
      for (const event of events) assert.equal(event.context.requestId, 'r1');
    });
  });

  test('work that outlives the request carries none of it', async () => {
    let late: Promise<unknown> | undefined;
    const route = get('/', (it, audit) => {
      late = new Promise<void>((resolve) => it.response.once('close', resolve))
        .then(() => sleep(20))
        .then(() => {
          assert.equal(tryGetScope(), undefined);
          return audit.record({ action: 'note.late' });
        });
      it.reply(200, {});
    });
    await oneRoute({}, route, async (bench) => {
      await call({ port: bench.port, path: '/', headers: ADA });
      const event = only(await bench.waitFor(1));
      await late;
      assert.deepEqual(event.actor, { type: 'system', id: 'unknown' });
      assert.deepEqual(event.context, {});
    });
  });

  test('work that keeps a scope of its own open after the answer stays the work of the request', async () => {
    const route = get('/', (it, audit) => {
      void runWithContext({ source: 'job' }, async () => {
        await closed(it.response);
        await sleep(20);
        await audit.record({ action: 'note.late' });
      });
      it.reply(200, {});
    });
    await oneRoute({}, route, async (bench) => {
      await call({ port: bench.port, path: '/', headers: { ...ADA, 'x-request-id': 'r1' } });
      const event = only(await bench.waitFor(1));
      assert.deepEqual([event.actor.id, event.context.requestId, event.context.source], ['ada', 'r1', 'job']);
    });
  });

  test('a client that hangs up does not take its name off what the handler still does', async () => {
    const route: HttpRouteWithAudit = {
      ...get('/', async (it, audit) => {
        await closed(it.response);
        await sleep(20);
        await audit.record({ action: 'note.written' });
        it.reply(200, {});
      }),
    };
    await oneRoute({ options: { record: 'all' } }, route, async (bench) => {
      await callAndHangUp({ port: bench.port, path: '/', headers: ADA }, 50);
      const events = await bench.waitFor(2);
      assert.deepEqual(events.map((event) => [event.action, event.actor.id]).sort(), [
        ['note.written', 'ada'],
        ['request.aborted', 'ada'],
      ]);
      for (const event of events) assert.match(event.context.ip ?? '', /127\.0\.0\.1$/);
    });
  });

  test('impersonation keeps both: who acts and on whose behalf', async () => {
    const actor = (user: unknown) => ({ ...(user as { id: string }), onBehalfOf: userNamed('grace') });
    await oneRoute(
      { options: { record: 'all', actor } },
      get('/', (it) => it.reply(200, {})),
      async (bench) => {
        await call({ port: bench.port, path: '/', headers: ADA });
        const { actor: found } = only(await bench.waitFor(1));
        assert.equal(found.id, 'ada');
        assert.equal(found.onBehalfOf?.id, 'grace');
        assert.equal(found.onBehalfOf?.email, 'grace@clinic.example');
      },
    );
  });

  test('a pause covers its own flow only, ends after an exception, and is itself recorded', async () => {
    const route = get('/', async (it, audit) => {
      const note = (at: string) => audit.record({ action: 'note.read', details: { at } });
      const paused = withoutAudit(
        async () => {
          await sleep(10);
          assert.equal((await note('paused')).where, 'paused');
          assert.equal((await it.audit.record({ action: 'note.read' })).where, 'paused');
          throw new Error('on purpose');
        },
        { reason: 'backfill', audit },
      );
      await note('beside');
      await assert.rejects(paused, { message: 'on purpose' });
      await note('after');
      it.reply(200, {});
    });
    await oneRoute({}, route, async (bench) => {
      const answer = await call({ port: bench.port, path: '/', headers: ADA });
      assert.equal(answer.status, 200, answer.text);
      const events = await bench.waitFor(4);
      assert.deepEqual(events.map((event) => event.details?.at ?? event.action).sort(), [
        'after',
        'audit.paused',
        'audit.resumed',
        'beside',
      ]);
      for (const event of events) assert.equal(event.actor.id, 'ada');
      const resumed = events.find((event) => event.action === 'audit.resumed');
      assert.equal(resumed?.reason, 'backfill');
      assert.equal(resumed?.details?.pausedBy, events.find((event) => event.action === 'audit.paused')?.id);
    });
  });

  /** A bench of one route whose handler gets the audit. */
  async function oneRoute(
    plan: Omit<Parameters<typeof withBench>[1], 'routes'>,
    route: HttpRouteWithAudit,
    fn: (bench: Bench) => Promise<void>,
  ): Promise<void> {
    let audit: Audit | undefined;
    const handle = async (exchange: HttpExchange): Promise<void> => {
      assert.ok(audit !== undefined);
      await route.handle(exchange, audit);
    };
    await withBench(factory, { ...plan, routes: [{ ...route, handle }] }, async (bench) => {
      audit = bench.audit;
      await fn(bench);
    });
  }
}

/** Where the client was quicker than the handler, it is closed already. */
async function closed(response: ServerResponse): Promise<void> {
  if (!response.closed) await new Promise<void>((resolve) => response.once('close', resolve));
}

type HttpRouteWithAudit = Omit<HttpRoute, 'handle'> & {
  readonly handle: (exchange: HttpExchange, audit: Audit) => void | Promise<void>;
};

function get(path: string, handle: HttpRouteWithAudit['handle']): HttpRouteWithAudit {
  return { method: 'GET', path, body: 'none', handle };
}
