import type { IncomingMessage, ServerResponse } from 'node:http';
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
  const scope = new RequestScope(req, res, settings);
  // The address is gone with the socket, and a client may hang up before its event is made. Node remembers it once read.
  void raw.socket?.remoteAddress;
  if (scope.first === scope && settings.requestIdHeader !== undefined && !res.headersSent) {
    res.setHeader(settings.requestIdHeader, scope.requestId);
  }
  if (hasBody(raw)) scope.followBody(raw);
  if (settings.record !== 'none') {
    whenClosed(res, () => {
      recordRequest(scope, req, reply);
    });
  }
  return scope;
}

/** Calls `fn` once the response is closed: complete or not, and also where that is long past. */
export function whenClosed(res: ServerResponse, fn: () => void): void {
  if (res.closed) process.nextTick(fn);
  else res.once('close', fn);
}

function hasBody(raw: IncomingMessage): boolean {
  const { headers } = raw;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function recordRequest(scope: RequestScope, req: object, reply: object): void {
  const { first } = scope;
  const end = scope.end();
  if (first.eventMade || !isRecorded(scope, req, reply, end)) return;
  first.eventMade = true;
  // A middleware further in may know more: the tenant of its router.
  const last = tryGetRequestScope(req) ?? scope;
  last.recordLater(makeEvent(scope, req, end));
}

function makeEvent(scope: RequestScope, req: object, end: RequestEnd): EventInput {
  try {
    return requestEvent(end, requestDetails(req, readBody(scope, req)));
  } catch (error) {
    scope.report('reading the request', error);
    return requestEvent(end, undefined);
  }
}

function isRecorded(scope: RequestScope, req: object, reply: object, end: RequestEnd): boolean {
  const { record } = scope.settings;
  if (record === 'all') return true;
  if (record === 'none') return false;
  if (record === 'writes') {
    return !isSafeMethod(readMethod(req)) || end.status === 401 || end.status === 403;
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
