import type { EventContext } from './event.js';
import { EVENT_LIMITS } from './event-limits.js';
import { identifierText, invalidEvent, plainText, shortenIdentifier } from './event-text.js';
import type { Redactor } from './redactor.js';

type Texts = Readonly<Record<string, unknown>>;

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
  const first: Texts = { ...own };
  const second: Texts = ambient as Texts;
  const pick = (name: keyof EventContext): unknown => first[name] ?? second[name];
  const text = (name: 'ip' | 'userAgent' | 'source' | 'method' | 'route') =>
    plainText(redactor, 'context', name, pick(name), `context.${name}`);
  const id = (name: 'requestId' | 'sessionId' | 'correlationId' | 'traceId' | 'transactionId') =>
    identifierText(redactor, 'context', name, pick(name), `context.${name}`) || undefined;
  // In the order of canonical JSON, which then has nothing to sort.
  const context: { -readonly [K in keyof EventContext]: EventContext[K] | undefined } = {
    correlationId: id('correlationId'),
    durationMs: number('durationMs', pick('durationMs')),
    ip: text('ip'),
    method: text('method'),
    requestId: id('requestId'),
    route: text('route'),
    sessionId: id('sessionId'),
    source: text('source'),
    status: number('status', pick('status')),
    tenant: tenantText(pick('tenant')),
    traceId: id('traceId'),
    transactionId: id('transactionId'),
    userAgent: text('userAgent'),
  };
  return context as EventContext;
}

/** Not redacted: the log is named by it. */
function tenantText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const tenant = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof tenant !== 'string') throw invalidEvent('context.tenant', 'a string');
  return shortenIdentifier(tenant, EVENT_LIMITS['context.tenant']);
}

function number(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw invalidEvent(`context.${name}`, 'a number');
  return Number.isFinite(value) ? value : undefined;
}
