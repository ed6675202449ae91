import { FIDELITIES } from './event.js';
import { parseEventTime } from './event-time.js';
import {
  ascii,
  NOWHERE,
  skipBytes,
  skipExactString,
  skipNumber,
  skipObject,
  skipString,
  skipStrings,
} from './json-scan.js';
import { ACTOR_TYPES, CATEGORY_SET, OPERATIONS, OUTCOME_SET } from './read-body.js';
import type { StoredEvent } from './store.js';

type Skip = (bytes: Uint8Array, at: number) => number;

const COMMA = 0x2c;
const CLOSE = 0x7d;

const ACTION = ascii('{"action":');
const ACTOR = ascii(',"actor":{');
const EMAIL = ascii('"email":');
const ID = ascii('"id":');
const ROLE = ascii(',"role":');
const TYPE = ascii(',"type":');
const CATEGORY = ascii('},"category":');
const CHANGE = ascii(',"change":{');
const AFTER = ascii('"after":');
const BEFORE = ascii('"before":');
const FIDELITY = FIDELITIES.map((fidelity) => ascii(`"fidelity":"${fidelity}"`));
const FIELDS = ascii(',"fields":');
const OPERATION = [...OPERATIONS].map((operation) => ascii(`,"operation":"${operation}"}`));
const CONTEXT = ascii(',"context":{');
const DETAILS = ascii(',"details":');
const EVENT_ID = ascii(',"id":');
const LOG = ascii(',"log":');
const OUTCOME = ascii(',"outcome":');
const REASON = ascii(',"reason":');
const RESOURCE = ascii(',"resource":{"id":');
const SALT = ascii(',"salt":');
const EMPTY_SALT = ascii(',"salt":""');
const TAGS = ascii(',"tags":');
const TIME = ascii(',"time":');
const END = ascii(',"v":1}');
const COMMA_BYTES = ascii(',');

/** The members of a context in canonical order; those that are columns have their name, the others how they are read. */
const CONTEXT_MEMBERS: readonly (readonly [Uint8Array, ContextColumn | Skip])[] = [
  [ascii('"correlationId":'), skipString],
  [ascii('"durationMs":'), skipNumber],
  [ascii('"ip":'), 'ip'],
  [ascii('"method":'), skipString],
  [ascii('"requestId":'), 'requestId'],
  [ascii('"route":'), skipString],
  [ascii('"sessionId":'), skipString],
  [ascii('"source":'), skipString],
  [ascii('"status":'), skipNumber],
  [ascii('"tenant":'), 'tenant'],
  [ascii('"traceId":'), skipString],
  [ascii('"transactionId":'), 'transactionId'],
  [ascii('"userAgent":'), skipString],
];
type ContextColumn = 'ip' | 'requestId' | 'tenant' | 'transactionId';

/**
 * True if the body is that of an event as core writes it, with this log and id, and every column is what the body says.
 * This is found by comparing bytes, in a third of the time that parsing takes. False says nothing: the body may be right and
 * have another form, so `readBody` has the last word.
 */
export function isExpectedBody(stored: StoredEvent, log: string, id: string): boolean {
  const { body, columns } = stored;
  if (stored.log !== log || stored.id !== id || id === '' || log === '' || columns.action === '')
    return false;
  if (!ACTOR_TYPES.has(columns.actorType) || !CATEGORY_SET.has(columns.category)) return false;
  if (!OUTCOME_SET.has(columns.outcome) || Number.isNaN(parseEventTime(columns.time))) return false;

  let at = skipExactString(body, skipBytes(body, 0, ACTION), columns.action);
  at = skipActor(body, at, columns.actorId, columns.actorType);
  at = skipExactString(body, skipBytes(body, at, CATEGORY), columns.category);
  at = skipChange(body, at);
  at = skipContext(body, at, stored);
  at = skipOptional(body, at, DETAILS, skipObject);
  at = skipExactString(body, skipBytes(body, at, EVENT_ID), id);
  at = skipExactString(body, skipBytes(body, at, LOG), log);
  at = skipExactString(body, skipBytes(body, at, OUTCOME), columns.outcome);
  at = skipOptional(body, at, REASON, skipString);
  at = skipResource(body, at, columns.resourceType, columns.resourceId);
  if (skipBytes(body, at, EMPTY_SALT) !== NOWHERE) return false;
  at = skipString(body, skipBytes(body, at, SALT));
  at = skipOptional(body, at, TAGS, skipStrings);
  at = skipExactString(body, skipBytes(body, at, TIME), columns.time);
  return skipBytes(body, at, END) === body.length;
}

/** Behind `{"action":…` up to the last member of the actor. An actor on somebody's behalf is left to the parser. */
function skipActor(body: Uint8Array, start: number, id: string, type: string): number {
  let at = skipBytes(body, start, ACTOR);
  const email = skipBytes(body, at, EMAIL);
  if (email !== NOWHERE) at = skipBytes(body, skipString(body, email), COMMA_BYTES);
  at = skipExactString(body, skipBytes(body, at, ID), id);
  at = skipOptional(body, at, ROLE, skipString);
  return skipExactString(body, skipBytes(body, at, TYPE), type);
}

function skipChange(body: Uint8Array, start: number): number {
  let at = skipBytes(body, start, CHANGE);
  if (at === NOWHERE) return start;
  for (const name of [AFTER, BEFORE]) {
    const value = skipBytes(body, at, name);
    if (value !== NOWHERE) at = skipBytes(body, skipObject(body, value), COMMA_BYTES);
  }
  at = skipOptional(body, skipOneOf(body, at, FIDELITY), FIELDS, skipStrings);
  return skipOneOf(body, at, OPERATION);
}

function skipContext(body: Uint8Array, start: number, { columns }: StoredEvent): number {
  let at = skipBytes(body, start, CONTEXT);
  if (at === NOWHERE) return NOWHERE;
  let first = true;
  for (const [name, kind] of CONTEXT_MEMBERS) {
    const expected = typeof kind === 'string' ? columns[kind] : null;
    const member = first ? at : body[at] === COMMA ? at + 1 : NOWHERE;
    const value = skipBytes(body, member, name);
    if (value === NOWHERE) {
      if (expected !== null) return NOWHERE;
      continue;
    }
    if (typeof kind !== 'string') at = kind(body, value);
    else if (expected === null) return NOWHERE;
    else at = skipExactString(body, value, expected);
    if (at === NOWHERE) return NOWHERE;
    first = false;
  }
  return body[at] === CLOSE ? at + 1 : NOWHERE;
}

function skipResource(body: Uint8Array, start: number, type: string | null, id: string | null): number {
  const at = skipBytes(body, start, RESOURCE);
  if (at === NOWHERE) return type === null && id === null ? start : NOWHERE;
  if (type === null || id === null) return NOWHERE;
  const end = skipExactString(body, skipBytes(body, skipExactString(body, at, id), TYPE), type);
  return end !== NOWHERE && body[end] === CLOSE ? end + 1 : NOWHERE;
}

function skipOptional(body: Uint8Array, start: number, name: Uint8Array, skip: Skip): number {
  const at = skipBytes(body, start, name);
  return at === NOWHERE ? start : skip(body, at);
}

function skipOneOf(body: Uint8Array, at: number, options: readonly Uint8Array[]): number {
  for (const option of options) {
    const end = skipBytes(body, at, option);
    if (end !== NOWHERE) return end;
  }
  return NOWHERE;
}
