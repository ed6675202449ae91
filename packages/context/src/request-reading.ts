import { createHash } from 'node:crypto';
import type { EventContext } from '@indelible/core';
import { isRequestId } from './request-id.js';
import { readRoute } from './request-route.js';
import { parseTraceId } from './trace-parent.js';

// A query is parsed on the server's time, whoever sent it.
const QUERY_LENGTH = 16_384;
const QUERY_NAMES = 64;

/** A field of an object from outside, whose shape nobody vouches for. */
export function readField(object: object, name: string): unknown {
  return (object as Readonly<Record<string, unknown>>)[name];
}

function readObject(object: object, name: string): object | undefined {
  const value = readField(object, name);
  return typeof value === 'object' && value !== null ? value : undefined;
}

function readText(object: object, name: string): string | undefined {
  const value = readField(object, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** One header of an Express, Fastify, Node or Web request. A header that came several times is no text. */
export function readHeader(req: object, name: string): string | undefined {
  const headers = readObject(req, 'headers');
  if (headers === undefined) return undefined;
  const get = readField(headers, 'get');
  const value: unknown = typeof get === 'function' ? get.call(headers, name) : readField(headers, name);
  return typeof value === 'string' ? value : undefined;
}

export function readMethod(req: object): string | undefined {
  return readText(req, 'method');
}

/**
 * The client's address as the framework sees it (`req.ip`, which follows Express' `trust proxy` and Fastify's
 * `trustProxy`), else the socket's. Never a raw `x-forwarded-for`, which anybody can send.
 */
export function readIp(req: object): string | undefined {
  return readText(req, 'ip') ?? readSocketAddress(req);
}

function readSocketAddress(req: object): string | undefined {
  const socket = readObject(readObject(req, 'raw') ?? req, 'socket');
  return socket === undefined ? undefined : readText(socket, 'remoteAddress');
}

export function readUserAgent(req: object): string | undefined {
  return readHeader(req, 'user-agent') || undefined;
}

/** The URL as it was asked for, before any router cut a prefix off. */
export function readUrl(req: object): string {
  return readText(req, 'originalUrl') ?? readText(req, 'url') ?? '';
}

/** The path that was asked for, without the query. */
export function readPath(req: object): string {
  const url = readUrl(req);
  // A Web request has an absolute URL, and so has a request that was made to a proxy.
  const start = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)?.[0].length ?? 0;
  const end = url.slice(start).search(/[?#]/);
  const path = end < 0 ? url.slice(start) : url.slice(start, start + end);
  return path === '' ? '/' : path;
}

/**
 * The query as an object, so that redaction finds secrets in it by name: of its first 16,384 characters at most 64 names.
 *
 * @returns undefined where there is no query
 */
export function readQuery(req: object): Readonly<Record<string, string | readonly string[]>> | undefined {
  const url = readUrl(req);
  const mark = url.indexOf('?');
  if (mark < 0 || mark === url.length - 1) return undefined;
  const query = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(url.slice(mark + 1, mark + 1 + QUERY_LENGTH))) {
    const values = query.get(name);
    if (values !== undefined) values.push(value);
    else if (query.size < QUERY_NAMES) query.set(name, [value]);
  }
  return Object.fromEntries(
    [...query].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/**
 * A digest of the session's id: 22 characters that are equal for the events of one session. The id itself is a bearer
 * secret (who reads it can take the session over) and stays out of the log.
 */
export function readSessionId(req: object): string | undefined {
  const session = readObject(req, 'session');
  const id =
    readText(req, 'sessionID') ??
    (session === undefined ? undefined : (readText(session, 'id') ?? readText(session, 'sessionId')));
  return id === undefined ? undefined : sessionDigest(id);
}

/** What stands in `context.sessionId` for a session id: the first 132 bits of a SHA-256, as base64url. */
export function sessionDigest(sessionId: string): string {
  return createHash('sha256')
    .update('indelible/session/v1\n')
    .update(sessionId)
    .digest('base64url')
    .slice(0, 22);
}

/**
 * What an Express, Fastify, Node or Web request says about itself; core cuts each string to its limit (`EVENT_LIMITS`). The
 * request id is taken over only where it is well-formed; none is made here.
 */
export function readRequest(req: object): EventContext {
  const requestId = readHeader(req, 'x-request-id');
  return {
    ...readRequestOrigin(req),
    ...(isRequestId(requestId) ? { requestId } : undefined),
    ...readRequestRoute(req),
  };
}

/** What does not change while the request lasts. */
export function readRequestOrigin(req: object): EventContext {
  const ip = readIp(req);
  const userAgent = readUserAgent(req);
  const correlationId = readHeader(req, 'x-correlation-id');
  const traceId = parseTraceId(readHeader(req, 'traceparent'));
  const method = readMethod(req);
  return {
    source: 'http',
    ...(ip === undefined ? undefined : { ip }),
    ...(userAgent === undefined ? undefined : { userAgent }),
    ...(isRequestId(correlationId) ? { correlationId } : undefined),
    ...(traceId === undefined ? undefined : { traceId }),
    ...(method === undefined ? undefined : { method }),
  };
}

/** What may change while the request lasts: sign-in makes a new session, and the route is known late. */
export function readRequestRoute(req: object): EventContext {
  const sessionId = readSessionId(req);
  const route = readRoute(req)?.pattern;
  return {
    ...(sessionId === undefined ? undefined : { sessionId }),
    ...(route === undefined ? undefined : { route }),
  };
}
