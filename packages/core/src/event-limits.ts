/**
 * How long the texts of an event may be, in UTF-16 units. A longer text is cut and ends with `…`. One that identifies
 * something is cut and ends with `…` and its SHA-256 (base64url), so that two of them never become one.
 */
export const EVENT_LIMITS = {
  action: 200,
  'actor.id': 256,
  'actor.email': 320,
  'actor.role': 128,
  'resource.type': 256,
  'resource.id': 1024,
  reason: 1024,
  tag: 128,
  field: 256,
  'context.tenant': 200,
  'context.ip': 64,
  'context.userAgent': 512,
  'context.requestId': 128,
  'context.sessionId': 256,
  'context.correlationId': 128,
  'context.traceId': 128,
  'context.source': 64,
  'context.method': 32,
  'context.route': 1024,
  'context.transactionId': 128,
} as const;

/** At most so many tags; more are cut, and the last one is `…`. */
export const MAX_TAGS = 32;

/** At most so many actors in a chain of `onBehalfOf`. */
export const MAX_ACTORS = 5;

/** `maxEventBytes` can not be less: what identifies an event always fits. */
export const MIN_EVENT_BYTES = 4_096;
