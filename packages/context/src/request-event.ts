import { type EventInput, type JsonValue, type Outcome, toJson } from '@indelible/core';
import { readPath, readQuery } from './request-reading.js';
import { readRoute } from './request-route.js';

// What is cut is marked, and core redacts what is left.
const DETAIL_LIMITS = { maxTextLength: 4_096, maxNodes: 256 };

/** 401 and 403 are `denied`, every other 4xx or 5xx is a `failure`. */
export function outcomeOfStatus(status: number): Outcome {
  if (status === 401 || status === 403) return 'denied';
  return status >= 400 ? 'failure' : 'success';
}

/** True for methods that by RFC 9110, section 9.2.1, only read. */
export function isSafeMethod(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
}

/** How a request ended. */
export interface RequestEnd {
  /** Undefined where the response had not even begun. */
  readonly status: number | undefined;
  /** The connection was gone before the response was complete. */
  readonly aborted: boolean;
  /** In milliseconds. */
  readonly durationMs: number;
}

/**
 * The event of one request: `request.completed`, or `request.aborted` where the connection was gone before the response
 * was complete.
 */
export function requestEvent(
  end: RequestEnd,
  details: Readonly<Record<string, JsonValue>> | undefined,
): EventInput {
  return {
    action: end.aborted ? 'request.aborted' : 'request.completed',
    category: 'request',
    outcome: outcomeOfEnd(end),
    ...(end.aborted ? { reason: 'the connection was closed before the response was complete' } : undefined),
    context: endContext(end),
    ...(details === undefined ? undefined : { details }),
  };
}

export function outcomeOfEnd(end: RequestEnd): Outcome {
  return end.aborted ? 'failure' : outcomeOfStatus(end.status ?? 200);
}

export function endContext(end: RequestEnd): { status?: number; durationMs: number } {
  return { ...(end.status === undefined ? undefined : { status: end.status }), durationMs: end.durationMs };
}

/**
 * What a request asked for: the route's parameters (or the path where no route matched), the query and the body, each by
 * name, so that redaction sees the names.
 *
 * @returns undefined where the route says it all
 */
export function requestDetails(
  req: object,
  body?: JsonValue,
): Readonly<Record<string, JsonValue>> | undefined {
  const route = readRoute(req);
  const query = readQuery(req);
  const params = route === undefined || Object.keys(route.params).length === 0 ? undefined : route.params;
  if (route !== undefined && params === undefined && query === undefined && body === undefined)
    return undefined;
  return {
    // The path of a matched route would repeat its parameters without their names (`/reset/:token`).
    ...(route === undefined ? { path: toJson(readPath(req), DETAIL_LIMITS) } : undefined),
    ...(params === undefined ? undefined : { params: toJson(params, DETAIL_LIMITS) }),
    ...(query === undefined ? undefined : { query: toJson(query, DETAIL_LIMITS) }),
    ...(body === undefined ? undefined : { body }),
  };
}
