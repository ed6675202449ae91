import { canonicalize, quote } from './canonical-json.js';
import type { Actor, AuditEvent, EventContext, JsonObject, JsonValue } from './event.js';
import { shortenIdentifier } from './event-text.js';
import { createMark, isMark, MARK_KEY, type MarkKind } from './mark.js';
import { setOwn } from './own-property.js';
import { cutText } from './well-formed.js';

interface Stage {
  /** Longer texts are cut, in UTF-16 units. */
  readonly text: number;
  /** Longer arrays and objects with more keys are cut. */
  readonly items: number;
}

const STAGES: readonly Stage[] = [
  { text: 8_192, items: 1_024 },
  { text: 2_048, items: 256 },
  { text: 512, items: 64 },
  { text: 128, items: 32 },
  { text: 32, items: 16 },
];
const MAX_FIELDS = 64;
const LAST_TEXT = 48;

/**
 * The bytes of an event, cut until they fit: first the longest texts, arrays and objects of its values, then its values
 * altogether, then its other texts. What was cut carries a mark with its size.
 */
export function encodeEvent(event: AuditEvent, maxBytes: number): { event: AuditEvent; body: Buffer } {
  let fitted = event;
  let body = encode(event);
  for (let stage = 0; body.length > maxBytes && stage < STAGES.length + 2; stage++) {
    const limits = STAGES[stage];
    if (limits !== undefined) fitted = mapValues(event, (value) => shrinkMembers(value, limits));
    else if (stage === STAGES.length) fitted = cutFields(mapValues(event, cutWhole));
    else fitted = cutTexts(fitted);
    body = encode(fitted);
  }
  return { event: fitted, body };
}

/** Canonical JSON (RFC 8785), written out member by member: this runs for every event, and has nothing to sort. */
function encode(event: AuditEvent): Buffer {
  const { actor, change, context, details, resource, tags } = event;
  let text = `{"action":${quote(event.action)},"actor":${encodeActor(actor)},"category":${quote(event.category)}`;
  if (change !== undefined) text += `,"change":${canonicalize(change as unknown as JsonObject)}`;
  text += `,"context":${encodeContext(context)}`;
  if (details !== undefined) text += `,"details":${canonicalize(details)}`;
  text += `,"id":${quote(event.id)},"log":${quote(event.log)},"outcome":${quote(event.outcome)}`;
  text += member(',"reason":', event.reason);
  if (resource !== undefined)
    text += `,"resource":{"id":${quote(resource.id)},"type":${quote(resource.type)}}`;
  text += `,"salt":${quote(event.salt)}`;
  if (tags !== undefined) text += `,"tags":${canonicalize(tags)}`;
  return Buffer.from(`${text},"time":${quote(event.time)},"v":${event.v}}`, 'utf8');
}

function encodeActor(actor: Actor): string {
  const { email, id, onBehalfOf, role, type } = actor;
  const start = email === undefined ? '{' : `{"email":${quote(email)},`;
  const behalf = onBehalfOf === undefined ? '' : `,"onBehalfOf":${encodeActor(onBehalfOf)}`;
  return `${start}"id":${quote(id)}${behalf}${member(',"role":', role)},"type":${quote(type)}}`;
}

function encodeContext(context: EventContext): string {
  const text =
    member(',"correlationId":', context.correlationId) +
    numberMember(',"durationMs":', context.durationMs) +
    member(',"ip":', context.ip) +
    member(',"method":', context.method) +
    member(',"requestId":', context.requestId) +
    member(',"route":', context.route) +
    member(',"sessionId":', context.sessionId) +
    member(',"source":', context.source) +
    numberMember(',"status":', context.status) +
    member(',"tenant":', context.tenant) +
    member(',"traceId":', context.traceId) +
    member(',"transactionId":', context.transactionId) +
    member(',"userAgent":', context.userAgent);
  return `{${text.slice(1)}}`;
}

function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : name + quote(value);
}

function numberMember(name: string, value: number | undefined): string {
  return value === undefined ? '' : name + String(value);
}

function mapValues(event: AuditEvent, map: (value: JsonObject) => JsonObject): AuditEvent {
  const { change, details } = event;
  return {
    ...event,
    ...(details !== undefined && { details: map(details) }),
    ...(change !== undefined && {
      change: {
        ...change,
        ...(change.before !== undefined && { before: map(change.before) }),
        ...(change.after !== undefined && { after: map(change.after) }),
      },
    }),
  };
}

function shrinkMembers(object: JsonObject, stage: Stage): JsonObject {
  return shrink(object, stage) as JsonObject;
}

function shrink(value: JsonValue, stage: Stage): JsonValue {
  if (typeof value === 'string') {
    if (value.length <= stage.text) return value;
    return createMark('cut', { value: cutText(value, stage.text), length: value.length });
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isItems(value)) {
    const items = value.slice(0, stage.items).map((item) => shrink(item, stage));
    return items.length < value.length ? createMark('cut', { value: items, length: value.length }) : items;
  }
  if (isMark(value)) return shrinkMark(value, stage);
  const keys = Object.keys(value);
  const members: Record<string, JsonValue> = {};
  for (const key of keys.slice(0, stage.items)) setOwn(members, key, shrink(value[key] as JsonValue, stage));
  return keys.length > stage.items ? createMark('cut', { value: members, length: keys.length }) : members;
}

function shrinkMark(mark: JsonObject, stage: Stage): JsonObject {
  const kind = mark[MARK_KEY] as MarkKind;
  const members: Record<string, JsonValue> = {};
  for (const key of Object.keys(mark)) {
    if (key === MARK_KEY) continue;
    const member = shrink(mark[key] as JsonValue, stage);
    // What is cut twice is still one cut value, of its first length.
    const isCutAgain = kind === 'cut' && key === 'value' && isCut(member);
    members[key] = isCutAgain ? (member.value as JsonValue) : member;
  }
  return createMark(kind, members);
}

function isCut(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && isMark(value) && value[MARK_KEY] === 'cut';
}

function cutWhole(object: JsonObject): JsonObject {
  return createMark('cut', { length: Object.keys(object).length });
}

function cutFields(event: AuditEvent): AuditEvent {
  const { change } = event;
  if (change?.fields === undefined || change.fields.length <= MAX_FIELDS) return event;
  return { ...event, change: { ...change, fields: [...change.fields.slice(0, MAX_FIELDS), '…'] } };
}

/** Only hostile texts come here: control characters take six bytes each. */
function cutTexts(event: AuditEvent): AuditEvent {
  const { tags: _, change, reason, ...rest } = event;
  const cut = <T extends object>(object: T): T =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, cutMember(key, value)])) as T;
  const cutMember = (key: string, value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) return cut(value);
    if (typeof value !== 'string' || Buffer.byteLength(JSON.stringify(value)) <= LAST_TEXT) return value;
    return key === 'id' || key.endsWith('Id') || key === 'tenant' || key === 'type'
      ? shortenIdentifier(value, 0)
      : cutText(value, LAST_TEXT / 6);
  };
  return {
    ...rest,
    actor: cut(rest.actor),
    context: cut(rest.context),
    ...(rest.resource !== undefined && { resource: cut(rest.resource) }),
    ...(reason !== undefined && { reason: cutText(reason, LAST_TEXT / 6) }),
    ...(change !== undefined && {
      change: { operation: change.operation, fidelity: change.fidelity, fields: ['…'] },
    }),
  };
}

function isItems(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
