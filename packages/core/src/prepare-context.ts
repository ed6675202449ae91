import type { EventContext } from './event.js';
import { EVENT_LIMITS } from './event-limits.js';
import { identifierText, invalidEvent, plainText, shortenIdentifier } from './event-text.js';
import type { Redactor } from './redactor.js';

type Texts = Readonly<Record<string, unknown>>;
type PlainField = 'ip' | 'userAgent' | 'source' | 'method' | 'route';
type IdentifierField = 'requestId' | 'sessionId' | 'correlationId' | 'traceId' | 'transactionId';

interface Source {
  readonly own: Texts;
  readonly ambient: Texts;
  readonly redactor: Redactor;
}

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
 * @throws AuditError `AUDIT_EVENT_INVALID` for a field of the wrong type
 */
export function prepareContext(
  own: EventContext | undefined,
  ambient: EventContext,
  redactor: Redactor,
): EventContext {
  if (own !== undefined && (typeof own !== 'object' || own === null))
    throw invalidEvent('context', 'an object');
  const from = { own: (own ?? NONE) as Texts, ambient: ambient as Texts, redactor };
  // In the order of canonical JSON, which then has nothing to sort.
  const context: { -readonly [K in keyof EventContext]: EventContext[K] | undefined } = {
    correlationId: id(from, 'correlationId'),
    durationMs: number(from, 'durationMs'),
    ip: text(from, 'ip'),
    method: text(from, 'method'),
    requestId: id(from, 'requestId'),
    route: text(from, 'route'),
    sessionId: id(from, 'sessionId'),
    source: text(from, 'source'),
    status: number(from, 'status'),
    tenant: tenantText(pick(from, 'tenant')),
    traceId: id(from, 'traceId'),
    transactionId: id(from, 'transactionId'),
    userAgent: text(from, 'userAgent'),
  };
  return context as EventContext;
}

function pick(from: Source, name: string): unknown {
  return from.own[name] ?? from.ambient[name];
}

function text(from: Source, name: PlainField): string | undefined {
  return plainText(from.redactor, 'context', name, pick(from, name), LIMITED[name]);
}

function id(from: Source, name: IdentifierField): string | undefined {
  return identifierText(from.redactor, 'context', name, pick(from, name), LIMITED[name]) || undefined;
}

/** Not redacted: the log is named by it. */
function tenantText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const tenant = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof tenant !== 'string') throw invalidEvent('context.tenant', 'a string');
  return shortenIdentifier(tenant, EVENT_LIMITS['context.tenant']);
}

function number(from: Source, name: 'status' | 'durationMs'): number | undefined {
  const value = pick(from, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw invalidEvent(`context.${name}`, 'a number');
  return Number.isFinite(value) ? value : undefined;
}
