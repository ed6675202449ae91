import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalize } from './canonical-json.js';
import type { AuditEvent, EventInput, JsonObject, JsonValue, PreparedEvent } from './event.js';
import type { AuditKeys } from './keys.js';
import { readBody } from './read-body.js';

/** What the triggers of a database are told of one operation of the application. */
export interface ToldOperation {
  /**
   * JSON for the setting `indelible.context`: `{ actor, context, log, mac?, operation, tag? }`. Without NUL, which no setting
   * can hold.
   */
  readonly text: string;
  /** The log that its events belong to. */
  readonly log: string;
}

/**
 * What an event that a trigger wrote says about the operation it belongs to.
 *
 * | proof | |
 * |---|---|
 * | `none` | it names no operation: whoever wrote the row did not go through the application |
 * | `claimed` | it names one, and there is no key to check that with |
 * | `proven` | whoever has the key has made this operation, with this actor, context and log |
 * | `forged` | it names one that was not made with the key, or not with this actor, context and log |
 */
export type OperationProof = 'none' | 'claimed' | 'proven' | 'forged';

const PAUSED_TAG = 'audit-paused';
const MAC_BYTES = 32;

/** An event that has nothing but what surrounds it. */
export function describedBy(id: string): EventInput {
  return {
    action: 'operation.described',
    category: 'data',
    change: { operation: 'execute', fidelity: 'opaque' },
    context: { transactionId: id },
  };
}

/** @param event made from `describedBy(id)`, so that it is redacted and cut as any other */
export function tellOperation(
  event: PreparedEvent,
  id: string,
  keys: AuditKeys | undefined,
  isPaused: boolean,
): ToldOperation {
  const { actor, context, log, tags } = readBody(event.body);
  // How a request ends is not known before it does, and a trigger has no use for it.
  const { status: _, durationMs: __, ...texts } = context;
  // Canonical JSON, put together of parts in their order: each operation passes here, and it is hashed and told.
  const who = storable(canonicalize({ actor, context: texts, log } as unknown as JsonObject).slice(0, -1));
  const operation = `,"operation":${JSON.stringify(id)}`;
  const mac = keys === undefined ? '' : `,"mac":"${macOf(keys, `${who}${operation}}`).toString('base64')}"`;
  const tag = tags?.[0] ?? (isPaused ? PAUSED_TAG : undefined);
  const tagged = tag === undefined ? '' : `,"tag":${JSON.stringify(tag)}`;
  return { text: `${who}${mac}${operation}${tagged}}`, log };
}

/**
 * Checks what the event says about its operation. An operation is one transaction of the database: that the same one stands in
 * events of several is for the caller to find.
 */
export function proveOperation(event: AuditEvent, keys: AuditKeys | undefined): OperationProof {
  const claim = event.details?.operation;
  if (!isMembers(claim) || typeof claim.id !== 'string') return 'none';
  if (keys === undefined) return 'claimed';
  const { actor, context, log } = event;
  const parts = { actor, context, log, operation: claim.id } as unknown as JsonObject;
  const given = typeof claim.mac === 'string' ? Buffer.from(claim.mac, 'base64') : Buffer.alloc(0);
  const mac = macOf(keys, canonicalize(parts));
  if (given.length !== MAC_BYTES || !timingSafeEqual(given, mac)) return 'forged';
  return 'proven';
}

/** HMAC(operationKey, "indelible/operation/v1\n" ‖ JCS of `{ actor, context, log, operation }`) */
function macOf(keys: AuditKeys, parts: string): Buffer {
  return createHmac('sha256', keys.operation).update(`indelible/operation/v1\n${parts}`).digest();
}

/**
 * A MAC over what somebody with the key has found: HMAC(operationKey, "indelible/statement/v1\n" ‖ JCS), in base64. It keeps
 * whoever can write to the log from putting findings of his own in its place.
 */
export function vouchFor(keys: AuditKeys, statement: JsonObject): string {
  return createHmac('sha256', keys.operation)
    .update(`indelible/statement/v1\n${canonicalize(statement)}`)
    .digest('base64');
}

/** JSON whose texts hold no NUL, which PostgreSQL can not store. */
function storable(json: string): string {
  return json.includes('\\u0000') ? json.replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1\ufffd') : json;
}

function isMembers(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
