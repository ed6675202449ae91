import { AuditError } from './audit-error.js';
import type { AmbientContext } from './context-provider.js';
import type { EventContext } from './event.js';
import { EVENT_LIMITS } from './event-limits.js';
import { identifierText, invalidEvent, plainText, shortenIdentifier } from './event-text.js';
import type { Redactor } from './redactor.js';

/** An unchecked `EventContext`: what callers in JavaScript pass is looked at field by field. */
type Texts = Readonly<Partial<Record<keyof EventContext, unknown>>>;
type PlainField = 'ip' | 'userAgent' | 'source' | 'method' | 'route';
type IdentifierField = 'requestId' | 'sessionId' | 'correlationId' | 'traceId' | 'transactionId';

const LIMITED = {
  ip: 'context.ip',
  userAgent: 'context.userAgent',
  source: 'context.source',
  method: 'context.method',
  route: 'context.route',
  requestId: 'context.requestId',
  sessionId: 'context.sessionId',
  correlationId: 'context.correlationId',
  traceId: 'context.traceId',
  transactionId: 'context.transactionId',
} as const;
const NONE: Texts = Object.freeze({});

/**
 * The context of an event: its own over the ambient one, field by field.
 *
 * @throws AuditError `AUDIT_EVENT_INVALID` for a field of the wrong type, `AUDIT_TENANT_MISMATCH`
 */
export function prepareContext(
  own: EventContext | undefined,
  ambient: Omit<AmbientContext, 'actor'>,
  redactor: Redactor,
): EventContext {
  if (own !== undefined && (typeof own !== 'object' || own === null))
    throw invalidEvent('context', 'an object');
  // Field by field and not by a list of names: this runs for every event.
  const mine: Texts = own ?? NONE;
  const its: Texts = ambient;
  // In the order of canonical JSON, which then has nothing to sort.
  const context: { -readonly [K in keyof EventContext]: EventContext[K] | undefined } = {
    correlationId: id(redactor, 'correlationId', mine.correlationId ?? its.correlationId),
    durationMs: number('durationMs', mine.durationMs ?? its.durationMs),
    ip: text(redactor, 'ip', mine.ip ?? its.ip),
    method: text(redactor, 'method', mine.method ?? its.method),
    requestId: id(redactor, 'requestId', mine.requestId ?? its.requestId),
    route: text(redactor, 'route', mine.route ?? its.route),
    sessionId: id(redactor, 'sessionId', mine.sessionId ?? its.sessionId),
    source: text(redactor, 'source', mine.source ?? its.source),
    status: number('status', mine.status ?? its.status),
    tenant: tenantText(mine.tenant ?? its.tenant),
    traceId: id(redactor, 'traceId', mine.traceId ?? its.traceId),
    transactionId: id(redactor, 'transactionId', mine.transactionId ?? its.transactionId),
    userAgent: text(redactor, 'userAgent', mine.userAgent ?? its.userAgent),
  };
  if (ambient.fixedTenant !== undefined && context.tenant !== tenantText(ambient.fixedTenant)) {
    throw new AuditError(
      'AUDIT_TENANT_MISMATCH',
      'core',
      'the event names another tenant than its request is of',
    );
  }
  return context as EventContext;
}

function text(redactor: Redactor, name: PlainField, value: unknown): string | undefined {
  return plainText(redactor, 'context', name, value, LIMITED[name]);
}

function id(redactor: Redactor, name: IdentifierField, value: unknown): string | undefined {
  return identifierText(redactor, 'context', name, value, LIMITED[name]) || undefined;
}

/** Not redacted: the log is named by it. */
function tenantText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const tenant = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof tenant !== 'string') throw invalidEvent('context.tenant', 'a string');
  return shortenIdentifier(tenant, EVENT_LIMITS['context.tenant']);
}

function number(name: 'status' | 'durationMs', value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw invalidEvent(`context.${name}`, 'a number');
  return Number.isFinite(value) ? value : undefined;
}
