import { AuditError, type PreparedEvent, type SqlStatement } from '@indelible/core';
import { EVENT_COLUMNS } from './event-row.js';
import type { Tables } from './tables.js';

type Param = SqlStatement['params'][number];

const LEAF_BYTES = 32;
const ROW = `(${EVENT_COLUMNS.map(() => '?').join(', ')})`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What the column takes. Its collation ignores spaces at the end, so there are none. */
const LOG = /^[\x21-\x7e]{1,512}$/;
const ASCII = /^[\0-\x7f]*$/;

/** The ids and leaves of one parameter as rows: `[["id","leaf in hex"],…]`, all of it ASCII, whatever the connection's character set. */
export const GIVEN = `JSON_TABLE(?, '$[*]' COLUMNS (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$[0]', leaf CHAR(64) CHARACTER SET ascii PATH '$[1]')) AS g`;

export interface EventStatements {
  /** A plain insertion of so many rows: what is stored already makes it fail with error 1062. */
  insert(rows: number): string;
  /** Passes over every id that is stored already, whatever its bytes. */
  insertMissing(rows: number): string;
  /** How many of `givenParam` are stored with these leaves. */
  readonly countStored: string;
  /** One of the ids of `givenParam` that are not stored with its leaf, and whether it is stored with another. */
  readonly conflict: string;
}

export function createEventStatements({ event, isStored }: Tables): EventStatements {
  const into = `INTO ${event} (${EVENT_COLUMNS.join(', ')}) VALUES`;
  const stored = `${isStored}(g.id, UNHEX(g.leaf))`;
  const rows = (count: number) => Array.from({ length: count }, () => ROW).join(', ');
  return {
    insert: (count) => `INSERT ${into} ${rows(count)}`,
    insertMissing: (count) => `INSERT IGNORE ${into} ${rows(count)}`,
    countStored: `SELECT COUNT(*) FROM ${GIVEN} WHERE ${stored}`,
    conflict: `SELECT g.id, ${stored} IS NOT NULL FROM ${GIVEN} WHERE ${stored} IS NOT TRUE LIMIT 1`,
  };
}

/** The leaf is the hash of the body, which holds the log: equal leaves are equal events. */
export function givenParam(events: readonly Pick<PreparedEvent, 'id' | 'leaf'>[]): string {
  return JSON.stringify(events.map(({ id, leaf }) => [id, Buffer.from(leaf).toString('hex')]));
}

/**
 * The parameters of the rows. Nothing here is cut by a server that is not strict: what would not fit is refused.
 *
 * @throws AuditError `AUDIT_EVENT_INVALID` for an id, a log or a leaf that the columns can not hold
 */
export function eventParams(events: readonly PreparedEvent[]): Param[] {
  const params: Param[] = [];
  for (const event of events) {
    const { id, log, body, leaf, columns: c } = event;
    requireKeys(event);
    if (!LOG.test(log)) throw invalid(`its log has characters that a name can not have, or more than 512`);
    params.push(id, log, asBuffer(body), asBuffer(leaf));
    params.push(text(c.time), text(c.action), text(c.category), text(c.outcome));
    params.push(text(c.actorType), text(c.actorId), text(c.resourceType), text(c.resourceId));
    params.push(text(c.tenant), text(c.requestId), text(c.transactionId), text(c.ip));
  }
  return params;
}

/** The parameters of rows of the outbox: id, leaf, body. @throws AuditError `AUDIT_EVENT_INVALID` */
export function outboxParams(events: readonly PreparedEvent[]): Param[] {
  return events.flatMap((event) => {
    requireKeys(event);
    return [event.id, asBuffer(event.leaf), asBuffer(event.body)];
  });
}

function requireKeys({ id, leaf }: PreparedEvent): void {
  if (!UUID.test(id)) throw invalid(`its id is no UUID: ${JSON.stringify(id)}`);
  if (leaf.length !== LEAF_BYTES) throw invalid(`its leaf has not ${LEAF_BYTES} bytes`);
}

/**
 * What is not ASCII goes as its UTF-8 bytes. As text it would be of the connection's character set, and an ORM's may be one
 * that has no emoji: the server would then put a question mark in their place.
 */
function text(value: string | null): string | Uint8Array | null {
  return value === null || ASCII.test(value) ? value : Buffer.from(value, 'utf8');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function invalid(detail: string): AuditError {
  return new AuditError('AUDIT_EVENT_INVALID', 'mysql', `an event can not be stored: ${detail}`);
}

/** Parts of at most so many events and bytes, which one statement takes well. */
export function* inParts(
  events: readonly PreparedEvent[],
  maxRows: number,
  maxBytes: number,
): Generator<readonly PreparedEvent[]> {
  let part: PreparedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event);
    if (part.length > 0 && (part.length === maxRows || bytes + size > maxBytes)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** @throws AuditError `AUDIT_EVENT_INVALID` for an event that no statement of so many bytes can hold */
export function requireFitting(events: readonly PreparedEvent[], maxPacket: number): void {
  for (const event of events) {
    if (sizeOf(event) <= maxPacket) continue;
    throw new AuditError(
      'AUDIT_EVENT_INVALID',
      'mysql',
      `the event ${event.id} has ${event.body.length} bytes, and the server takes ${maxPacket} in one packet`,
      { next: 'Raise max_allowed_packet of the server, or lower `maxEventBytes`.' },
    );
  }
}

/** An estimate from above: derived columns are cut out of the body, and may be longer than in it only by being escaped there. */
function sizeOf({ body, columns }: PreparedEvent): number {
  let units = 0;
  for (const value of Object.values(columns)) units += value?.length ?? 0;
  return body.length + 3 * units + 200;
}

/** A statement does not see the rows that it inserts itself. @throws AuditError `AUDIT_ID_CONFLICT` */
export function withoutRepeats(events: readonly PreparedEvent[]): readonly PreparedEvent[] {
  const byId = new Map<string, PreparedEvent>();
  for (const event of events) {
    const known = byId.get(event.id);
    if (known === undefined) byId.set(event.id, event);
    else if (known.log !== event.log || Buffer.compare(known.body, event.body) !== 0)
      throw idConflict(event.id);
  }
  return [...byId.values()];
}

export function idConflict(id: string): AuditError {
  return new AuditError('AUDIT_ID_CONFLICT', 'mysql', `the event ${id} is stored with other contents`);
}
