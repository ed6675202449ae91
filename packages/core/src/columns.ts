import type { AuditEvent, EventColumns } from './event.js';

/** The query columns of an event: what a store keeps beside the body, and what verification compares with it. */
export function deriveColumns(event: AuditEvent): EventColumns {
  const { context, resource } = event;
  return {
    time: event.time,
    action: event.action,
    category: event.category,
    outcome: event.outcome,
    actorType: event.actor.type,
    actorId: event.actor.id,
    resourceType: resource?.type ?? null,
    resourceId: resource?.id ?? null,
    tenant: context.tenant ?? null,
    requestId: context.requestId ?? null,
    transactionId: context.transactionId ?? null,
    ip: context.ip ?? null,
  };
}
