import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  captureBody,
  isRequestId,
  parseTraceId,
  readIp,
  readPath,
  readQuery,
  readRequest,
  readRoute,
  readUser,
  requestDetails,
  requestIdFrom,
  sessionDigest,
  toActor,
} from '../src/index.js';
import { createTestLog } from './log-of.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the request id', () => {
  test('is taken over exactly where it is 1 to 128 of letters, digits, dot, underscore and hyphen', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 140, unit: 'binary' }), (text) => {
        const chars = [...text];
        const fine =
          text.length >= 1 &&
          text.length <= 128 &&
          chars.every((char) =>
            'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-'.includes(char),
          );
        expect(isRequestId(text)).toBe(fine);
        expect(requestIdFrom(text)).toMatch(fine ? text : UUID);
      }),
    );
    expect(isRequestId('x'.repeat(128))).toBe(true);
    expect(isRequestId('x'.repeat(129))).toBe(false);
    expect(isRequestId('line\n')).toBe(false);
    expect(isRequestId(['one'])).toBe(false);
  });

  test('fresh ones differ', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => requestIdFrom(undefined))).size).toBe(1_000);
  });
});

test('no text makes the trace id anything but 32 lower-case hex digits', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 }),
      (text, id) => {
        for (const value of [text, `00-${text}`, `00-${id}-00f067aa0ba902b7-01${text}`]) {
          expect([undefined, id]).toContain(parseTraceId(value));
        }
      },
    ),
  );
  expect(parseTraceId(`01-${'a'.repeat(32)}-${'b'.repeat(16)}-01-${'x'.repeat(600)}`)).toBeUndefined();
});

describe('reading a request', () => {
  test('a Web request', () => {
    const request = new Request('https://clinic.example/patients/7?token=x', {
      method: 'POST',
      headers: {
        'user-agent': 'test',
        'x-request-id': 'r1',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      },
    });
    expect(readRequest(request)).toEqual({
      source: 'http',
      userAgent: 'test',
      requestId: 'r1',
      traceId: 'a'.repeat(32),
      method: 'POST',
    });
    expect(readPath(request)).toBe('/patients/7');
  });

  test('a Fastify request', () => {
    const request = {
      method: 'GET',
      url: '/patients/7',
      ip: '203.0.113.7',
      headers: { 'user-agent': 'test' },
      params: { id: '7' },
      routeOptions: { url: '/patients/:id' },
      raw: { socket: { remoteAddress: '127.0.0.1' } },
    };
    expect(readRequest(request)).toMatchObject({ ip: '203.0.113.7', route: '/patients/:id' });
    expect(requestDetails(request)).toEqual({ params: { id: '7' } });
  });

  test("the address is the framework's, else the socket's, and never a header", () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' };
    expect(readIp({ headers, socket: { remoteAddress: '127.0.0.1' } })).toBe('127.0.0.1');
    expect(readIp({ headers, ip: '10.0.0.1', socket: { remoteAddress: '127.0.0.1' } })).toBe('10.0.0.1');
    expect(readIp({ headers })).toBeUndefined();
  });

  test('a session shows by a digest that is equal within it and no secret', () => {
    const id = 's3cret-session-id';
    const { sessionId } = readRequest({ sessionID: id });
    expect(sessionId).toBe(sessionDigest(id));
    expect(sessionId).toMatch(/^[\w-]{22}$/);
    expect(readRequest({ session: { id } }).sessionId).toBe(sessionId);
    expect(readRequest({ sessionID: 'another' }).sessionId).not.toBe(sessionId);
  });

  test('the route of a mounted router is known also after an error took it off the request', () => {
    const route = { path: '/users/:id/:tab' };
    const after = { route, baseUrl: '', originalUrl: '/api/v2/users/7/a%20b?x=1', params: {} };
    expect(readRoute(after)).toEqual({ pattern: '/api/v2/users/:id/:tab', params: { id: '7', tab: 'a b' } });
    expect(readRoute({ ...after, baseUrl: '/api/v2' })?.pattern).toBe('/api/v2/users/:id/:tab');
    expect(readRoute({ ...after, originalUrl: '/other/7' })?.pattern).toBe('/users/:id/:tab');
    expect(readRoute({ ...after, originalUrl: '/users/%E0%A4%A/x' })?.params).toEqual({
      id: '%E0%A4%A',
      tab: 'x',
    });
    expect(readRoute({ route: { path: /^\/any/ }, params: {} })?.pattern).toBe('/^\\/any/');
    expect(readRoute({ originalUrl: '/users' })).toBeUndefined();
  });

  test('a query is read by name, several values of one too, and bounded', () => {
    expect(readQuery({ url: '/x?a=1&b=2&a=3&__proto__=4' })).toEqual(
      JSON.parse('{"a":["1","3"],"b":"2","__proto__":"4"}'),
    );
    expect(readQuery({ url: '/x' })).toBeUndefined();
    expect(readQuery({ url: '/x?' })).toBeUndefined();
    const many = Array.from({ length: 10_000 }, (_, at) => `n${at}=v`).join('&');
    expect(Object.keys(readQuery({ url: `/x?${many}` }) ?? {})).toHaveLength(64);
  });

  test('a path that no route matched stands in the details, cut where it is long', () => {
    expect(requestDetails({ url: '/nowhere?token=x' })).toEqual({ path: '/nowhere', query: { token: 'x' } });
    expect(JSON.stringify(requestDetails({ url: `/${'x'.repeat(1_000_000)}` })).length).toBeLessThan(10_000);
  });

  test('a megabyte in a header is cut in the event and nowhere else', async () => {
    const { audit, events } = createTestLog();
    const request = {
      method: 'GET',
      headers: { 'user-agent': 'A'.repeat(1_000_000), 'x-request-id': 'B'.repeat(1_000_000) },
    };
    await audit.record({ action: 'note.read', context: readRequest(request) });
    const [event] = await events();
    expect(event?.context.userAgent?.length).toBeLessThanOrEqual(512);
    expect(event?.context.requestId).toBeUndefined();
    expect(event?.context.method).toBe('GET');
  });

  test('any object at all can be read', () => {
    fc.assert(
      fc.property(
        fc.object({
          key: fc.constantFrom(
            'headers',
            'url',
            'route',
            'path',
            'params',
            'session',
            'user',
            'id',
            'ip',
            'socket',
          ),
        }),
        (request) => {
          readRequest(request);
          requestDetails(request);
          readUser(request);
        },
      ),
    );
  });
});

describe('the user of a request', () => {
  test('is found where the usual libraries leave it', () => {
    const ada = { type: 'user', id: 'ada', email: 'ada@clinic.example', role: 'doctor' };
    const row = { id: 'ada', email: 'ada@clinic.example', role: 'doctor', passwordHash: 'x' };
    expect(readUser({ user: row })).toEqual(ada);
    expect(readUser({ auth: { sub: 'ada' } })).toEqual({ type: 'user', id: 'ada' });
    expect(readUser({ auth: { payload: { sub: 'ada' }, token: 'x' } })).toEqual({ type: 'user', id: 'ada' });
    expect(readUser({ auth: { user: 'ada', password: 'x' } })).toEqual({ type: 'user', id: 'ada' });
    expect(readUser({ session: { user: row } })).toEqual(ada);
    expect(readUser({ session: { userId: 7 } })).toEqual({ type: 'user', id: '7' });
    expect(readUser({ user: { _id: { toHexString: () => '5f1d' } } })).toEqual({ type: 'user', id: '5f1d' });
    expect(readUser({ user: { id: 7n, roles: ['admin', 'doctor'] } })).toEqual({
      type: 'user',
      id: '7',
      role: 'admin,doctor',
    });
    expect(readUser({})).toBeUndefined();
    expect(readUser({ user: { name: 'Ada' } })).toBeUndefined();
  });

  test('an actor keeps its type, and the other identity', () => {
    expect(toActor({ type: 'service', id: 'ocr' })).toEqual({ type: 'service', id: 'ocr' });
    expect(toActor({ type: 'premium', id: 'ada' })).toEqual({ type: 'user', id: 'ada' });
    expect(toActor({ id: 'ada', onBehalfOf: { id: 'grace' } })).toEqual({
      type: 'user',
      id: 'ada',
      onBehalfOf: { type: 'user', id: 'grace' },
    });
    const endless: { id: string; onBehalfOf?: object } = { id: 'ada' };
    endless.onBehalfOf = endless;
    expect(JSON.stringify(toActor(endless)).length).toBeLessThan(500);
  });
});

describe('a captured body', () => {
  test('is kept as it is where it fits, and left out where there is none', () => {
    expect(captureBody({ note: 'blue', tags: [1, null] })).toEqual({ note: 'blue', tags: [1, null] });
    for (const nothing of [undefined, null, '', {}]) expect(captureBody(nothing)).toBeUndefined();
    expect(captureBody(Buffer.from('{"password":"x"}'))).toEqual({ bytes: 16 });
  });

  test('a circular, an enormous and a throwing one cost nothing but themselves', () => {
    const circular: Record<string, unknown> = { note: 'blue' };
    circular.self = circular;
    expect(captureBody(circular)).toMatchObject({ note: 'blue' });
    expect(JSON.stringify(captureBody({ note: 'x'.repeat(1_000_000) })).length).toBeLessThan(20_000);
    expect(JSON.stringify(captureBody(Array.from({ length: 1_000_000 }, () => 1))).length).toBeLessThan(
      20_000,
    );
    const throwing = Object.defineProperty({ note: 'blue' }, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('on purpose');
      },
    });
    expect(captureBody(throwing)).toMatchObject({ note: 'blue' });
  });

  test.each([
    ['a field', { note: 'x'.repeat(40_000), password: 'correct horse' }],
    ['JSON in a text', JSON.stringify({ password: 'correct horse', note: 'x'.repeat(40_000) })],
    ['a form in a text', `note=x&password=correct%20horse&more=${'x'.repeat(40_000)}`],
    ['JSON in a field', { inner: JSON.stringify({ password: 'correct horse', note: 'x'.repeat(40_000) }) }],
  ])('a secret in a body that had to be cut never reaches storage: %s', async (_, body) => {
    const { audit, store } = createTestLog();
    const captured = captureBody(body);
    await audit.record({ action: 'note.read', details: { body: captured } });
    await audit.flush();
    const [stored] = await store.list();
    const bytes = Buffer.from(stored?.body ?? []).toString('utf8');
    expect(bytes).toContain('xxxx');
    expect(bytes).not.toMatch(/correct.{1,3}horse/);
  });
});
