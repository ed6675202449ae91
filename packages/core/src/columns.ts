import type { AuditEvent, EventColumns } from './event.js';

const UNSTORABLE = /[\0\p{Surrogate}]/u;
const EVERY_UNSTORABLE = /[\0\p{Surrogate}]/gu;

/**
 * The query columns of an event: what a store keeps beside the body, and what verification compares with it. NUL and lone
 * surrogates stand as U+FFFD in them: PostgreSQL refuses both in text, and SQLite cuts at NUL.
 */
export function deriveColumns(event: AuditEvent): EventColumns {
  const { context, resource } = event;
  return {
    time: event.time,
    action: storable(event.action),
    category: event.category,
    outcome: event.outcome,
    actorType: event.actor.type,
    actorId: storable(event.actor.id),
    resourceType: resource === undefined ? null : storable(resource.type),
    resourceId: resource === undefined ? null : storable(resource.id),
    tenant: storableOrNull(context.tenant),
    requestId: storableOrNull(context.requestId),
    transactionId: storableOrNull(context.transactionId),
    ip: storableOrNull(context.ip),
  };
}

function storableOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storable(text);
}

function storable(text: string): string {
  return UNSTORABLE.test(text) ? text.replaceAll(EVERY_UNSTORABLE, '\ufffd') : text;
}
