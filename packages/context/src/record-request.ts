import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { EventInput, JsonValue } from '@indelible/core';
import { captureBody } from './body-capture.js';
import { isSafeMethod, type RequestEnd, requestDetails, requestEvent } from './request-event.js';
import { readField, readMethod } from './request-reading.js';
import { RequestScope, tryGetRequestScope } from './request-scope.js';
import type { RequestSettings } from './request-settings.js';

/**
 * Opens the scope of a request: sends its id back, keeps the listeners of its body in scope, and records it when the
 * response is closed. The caller runs the rest of the request inside the scope.
 *
 * @param req the framework's request
 * @param reply what the `record` function is shown beside the request
 */
export function openRequest(
  req: object,
  raw: IncomingMessage,
  res: ServerResponse,
  settings: RequestSettings,
  reply: object = res,
): RequestScope {
  const header = settings.requestIdHeader;
  const scope = new RequestScope(req, res, settings, header === undefined ? undefined : raw.headers[header]);
  rememberAddress(raw.socket);
  if (header !== undefined && scope.first === scope && !res.headersSent)
    res.setHeader(header, scope.requestId);
  if (hasBody(raw)) scope.followBody(raw);
  if (settings.record !== 'none') {
    scope.startClock();
    whenClosed(res, () => {
      recordRequest(scope, req, res, reply);
    });
  }
  return scope;
}

/** Calls `fn` once the response is closed: complete or not, and also where that is long past. */
export function whenClosed(res: ServerResponse, fn: () => void): void {
  if (res.closed) process.nextTick(fn);
  else res.on('close', fn);
}

const REMEMBERED = Symbol('address remembered');

/**
 * The address is gone with the socket, and a client may hang up before its event is made. Node remembers it once it was
 * read, which is done once a connection.
 */
function rememberAddress(socket: Socket & { [REMEMBERED]?: string | true }): void {
  socket[REMEMBERED] ??= socket.remoteAddress ?? true;
}

function hasBody(raw: IncomingMessage): boolean {
  const { headers } = raw;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function recordRequest(scope: RequestScope, req: object, res: ServerResponse, reply: object): void {
  const { first } = scope;
  if (first.eventMade || !isRecorded(scope, req, res, reply)) return;
  first.eventMade = true;
  // A middleware further in may know more: the tenant of its router.
  const last = tryGetRequestScope(req) ?? scope;
  last.recordLater(makeEvent(scope, req, scope.end()));
}

function makeEvent(scope: RequestScope, req: object, end: RequestEnd): EventInput {
  try {
    return requestEvent(end, requestDetails(req, readBody(scope, req)));
  } catch (error) {
    scope.report('reading the request', error);
    return requestEvent(end, undefined);
  }
}

function isRecorded(scope: RequestScope, req: object, res: ServerResponse, reply: object): boolean {
  const { record } = scope.settings;
  if (record === 'all') return true;
  if (record === 'none') return false;
  if (record === 'writes') {
    if (!isSafeMethod(readMethod(req))) return true;
    return res.headersSent && (res.statusCode === 401 || res.statusCode === 403);
  }
  try {
    return record(req, reply);
  } catch (error) {
    scope.report('`record`', error);
    return true;
  }
}

function readBody(scope: RequestScope, req: object): JsonValue | undefined {
  if (scope.settings.bodyLength === 0) return undefined;
  try {
    return captureBody(readField(req, 'body'), scope.settings.bodyLength);
  } catch (error) {
    scope.report('`captureBody`', error);
    return undefined;
  }
}
