import { AuditError } from './audit-error.js';
import type { Actor, Resource } from './event.js';
import { MAX_ACTORS } from './event-limits.js';
import { identifierText, invalidEvent, plainText } from './event-text.js';
import type { Redactor } from './redactor.js';

const ACTOR_TYPES: ReadonlySet<unknown> = new Set(['user', 'service', 'system', 'api_key', 'anonymous']);
const UNKNOWN: Actor = Object.freeze({ id: 'unknown', type: 'system' });

/** @throws AuditError `AUDIT_ACTOR_MISSING`, `AUDIT_EVENT_INVALID` */
export function prepareActor(actor: unknown, onMissing: 'system' | 'throw', redactor: Redactor): Actor {
  if (actor === undefined || actor === null) {
    if (onMissing === 'throw') throw new AuditError('AUDIT_ACTOR_MISSING', 'core', 'the event has no actor');
    return UNKNOWN;
  }
  return oneActor(actor, redactor, 1);
}

function oneActor(actor: unknown, redactor: Redactor, number: number): Actor {
  if (typeof actor !== 'object' || actor === null || number > MAX_ACTORS) {
    throw invalidEvent('actor', `an object, and at most ${MAX_ACTORS - 1} \`onBehalfOf\``);
  }
  const { type, id, email, role, onBehalfOf } = actor as Readonly<Record<string, unknown>>;
  if (!ACTOR_TYPES.has(type)) throw invalidEvent('actor.type', `one of ${[...ACTOR_TYPES].join(', ')}`);
  const idText = identifierText(redactor, 'actor', 'id', id, 'actor.id');
  if (idText === undefined || idText === '') throw invalidEvent('actor.id', 'a string that is not empty');
  // In the order of canonical JSON, which then has nothing to sort.
  const prepared: { -readonly [K in keyof Actor]: Actor[K] | undefined } = {
    email: plainText(redactor, 'actor', 'email', email, 'actor.email'),
    id: idText,
    onBehalfOf:
      onBehalfOf === undefined || onBehalfOf === null
        ? undefined
        : oneActor(onBehalfOf, redactor, number + 1),
    role: plainText(redactor, 'actor', 'role', role, 'actor.role'),
    type: type as Actor['type'],
  };
  return prepared as Actor;
}

/** @throws AuditError `AUDIT_EVENT_INVALID` */
export function prepareResource(resource: unknown, redactor: Redactor): Resource | undefined {
  if (resource === undefined || resource === null) return undefined;
  if (typeof resource !== 'object') throw invalidEvent('resource', 'an object of `type` and `id`');
  const { type, id } = resource as Readonly<Record<string, unknown>>;
  const typeText = identifierText(redactor, 'resource', 'type', type, 'resource.type');
  if (typeText === undefined || typeText === '')
    throw invalidEvent('resource.type', 'a string that is not empty');
  const idText = identifierText(redactor, 'resource', 'id', id, 'resource.id');
  if (idText === undefined) throw invalidEvent('resource.id', 'a string');
  return { id: idText, type: typeText };
}
