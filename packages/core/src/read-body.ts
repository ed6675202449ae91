import { AuditError } from './audit-error.js';
import { type AuditEvent, CATEGORIES, FIDELITIES, OUTCOMES } from './event.js';
import { parseEventTime } from './event-time.js';

/** Fatal, because bytes that are no UTF-8 would come back as other bytes than were hashed. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const ACTOR_TYPES: ReadonlySet<unknown> = new Set([
  'user',
  'service',
  'system',
  'api_key',
  'anonymous',
]);
export const OPERATIONS: ReadonlySet<unknown> = new Set([
  'create',
  'update',
  'delete',
  'read',
  'link',
  'unlink',
  'soft_delete',
  'restore',
  'truncate',
  'execute',
]);
export const CATEGORY_SET: ReadonlySet<unknown> = new Set(CATEGORIES);
export const OUTCOME_SET: ReadonlySet<unknown> = new Set(OUTCOMES);
const FIDELITY_SET: ReadonlySet<unknown> = new Set(FIDELITIES);

const CONTEXT_TEXTS = [
  'tenant',
  'ip',
  'userAgent',
  'requestId',
  'sessionId',
  'correlationId',
  'traceId',
  'source',
  'method',
  'route',
  'transactionId',
] as const;

type Members = Readonly<Record<string, unknown>>;

/**
 * The event in a body. Every member that `AuditEvent` names is checked; members that it does not name are kept.
 *
 * @param body UTF-8 JSON; it need not be canonical
 * @throws AuditError `AUDIT_EVENT_INVALID`, which names the first member that has the wrong form
 */
export function readBody(body: Uint8Array): AuditEvent {
  const value = parse(body);
  const wrong = wrongMember(value);
  if (wrong === null && isEvent(value)) return value;
  throw new AuditError('AUDIT_EVENT_INVALID', 'core', `the stored event has no valid ${wrong ?? 'members'}`);
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw new AuditError('AUDIT_EVENT_INVALID', 'core', 'the stored bytes are not UTF-8 JSON', { cause });
  }
}

/** Says in types what `wrongMember` has checked. */
function isEvent(value: unknown): value is AuditEvent {
  return isMembers(value);
}

function wrongMember(event: unknown): string | null {
  if (!isMembers(event)) return 'object';
  if (event.v !== 1) return 'v';
  if (!isName(event.id)) return 'id';
  if (!isName(event.log)) return 'log';
  if (Number.isNaN(parseEventTime(event.time))) return 'time';
  if (!isName(event.action)) return 'action';
  if (!CATEGORY_SET.has(event.category)) return 'category';
  if (!OUTCOME_SET.has(event.outcome)) return 'outcome';
  if (!isName(event.salt)) return 'salt';
  if (!isActor(event.actor)) return 'actor';
  if (event.resource !== undefined && !isResource(event.resource)) return 'resource';
  if (!isTextOrAbsent(event.reason)) return 'reason';
  if (!isContext(event.context)) return 'context';
  if (event.change !== undefined && !isChange(event.change)) return 'change';
  if (event.details !== undefined && !isMembers(event.details)) return 'details';
  if (event.tags !== undefined && !isTexts(event.tags)) return 'tags';
  return null;
}

/** A loop, because a hostile chain of identities would overflow the stack. */
function isActor(value: unknown): boolean {
  let actor = value;
  do {
    if (!isMembers(actor)) return false;
    if (!ACTOR_TYPES.has(actor.type) || typeof actor.id !== 'string') return false;
    if (!isTextOrAbsent(actor.email) || !isTextOrAbsent(actor.role)) return false;
    actor = actor.onBehalfOf;
  } while (actor !== undefined);
  return true;
}

function isResource(value: unknown): boolean {
  return isMembers(value) && typeof value.type === 'string' && typeof value.id === 'string';
}

function isContext(value: unknown): boolean {
  if (!isMembers(value)) return false;
  for (const name of CONTEXT_TEXTS) if (!isTextOrAbsent(value[name])) return false;
  return isNumberOrAbsent(value.status) && isNumberOrAbsent(value.durationMs);
}

function isChange(value: unknown): boolean {
  return (
    isMembers(value) &&
    OPERATIONS.has(value.operation) &&
    FIDELITY_SET.has(value.fidelity) &&
    (value.before === undefined || isMembers(value.before)) &&
    (value.after === undefined || isMembers(value.after)) &&
    (value.fields === undefined || isTexts(value.fields))
  );
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isNumberOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'number';
}
