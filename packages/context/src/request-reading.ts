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

/**
 * What is read of every request. Its shape nobody vouches for; each field is read where it is named, because on a request, whose
 * prototype the framework has set, reading by a variable name takes several times as long.
 */
interface UncheckedRequest {
  readonly headers?: unknown;
  readonly ip?: unknown;
  readonly method?: unknown;
  readonly originalUrl?: unknown;
  readonly raw?: unknown;
  readonly session?: unknown;
  readonly sessionID?: unknown;
  readonly socket?: unknown;
  readonly url?: unknown;
}

function objectOf(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** One header of an Express, Fastify, Node or Web request. A header that came several times is no text. */
export function readHeader(req: object, name: string): string | undefined {
  return headerOf(objectOf((req as UncheckedRequest).headers), name);
}

function headerOf(headers: object | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined;
  const { get } = headers as { readonly get?: unknown };
  const value: unknown = typeof get === 'function' ? get.call(headers, name) : readField(headers, name);
  return typeof value === 'string' ? value : undefined;
}

export function readMethod(req: object): string | undefined {
  return textOf((req as UncheckedRequest).method);
}

/**
 * The client's address as the framework sees it (`req.ip`, which follows Express' `trust proxy` and Fastify's
 * `trustProxy`), else the socket's. Never a raw `x-forwarded-for`, which anybody can send.
 */
export function readIp(req: object): string | undefined {
  return textOf((req as UncheckedRequest).ip) ?? readSocketAddress(req);
}

function readSocketAddress(req: object): string | undefined {
  const raw: UncheckedRequest = objectOf((req as UncheckedRequest).raw) ?? req;
  const socket: { readonly remoteAddress?: unknown } | undefined = objectOf(raw.socket);
  return textOf(socket?.remoteAddress);
}

export function readUserAgent(req: object): string | undefined {
  return readHeader(req, 'user-agent') || undefined;
}

/** The URL as it was asked for, before any router cut a prefix off. */
export function readUrl(req: object): string {
  const { originalUrl, url } = req as UncheckedRequest;
  return textOf(originalUrl) ?? textOf(url) ?? '';
}

const PLAIN_PATH = /^\/[^?#]*$/;

/** The path that was asked for, without the query. */
export function readPath(req: object): string {
  const url = readUrl(req);
  if (PLAIN_PATH.test(url)) return url;
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
  const { session, sessionID } = req as UncheckedRequest;
  const known: { readonly id?: unknown; readonly sessionId?: unknown } | undefined = objectOf(session);
  const id = textOf(sessionID) ?? textOf(known?.id) ?? textOf(known?.sessionId);
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
  const headers = objectOf((req as UncheckedRequest).headers);
  const context: { -readonly [K in keyof EventContext]: EventContext[K] } = { source: 'http' };
  const ip = readIp(req);
  if (ip !== undefined) context.ip = ip;
  const userAgent = headerOf(headers, 'user-agent');
  if (userAgent) context.userAgent = userAgent;
  const correlationId = headerOf(headers, 'x-correlation-id');
  if (isRequestId(correlationId)) context.correlationId = correlationId;
  const traceId = parseTraceId(headerOf(headers, 'traceparent'));
  if (traceId !== undefined) context.traceId = traceId;
  const method = readMethod(req);
  if (method !== undefined) context.method = method;
  return context;
}

/** What may change while the request lasts: sign-in makes a new session, and the route is known late. */
export function readRequestRoute(req: object): EventContext {
  const context: { -readonly [K in keyof EventContext]: EventContext[K] } = {};
  const sessionId = readSessionId(req);
  if (sessionId !== undefined) context.sessionId = sessionId;
  const route = readRoute(req)?.pattern;
  if (route !== undefined) context.route = route;
  return context;
}
