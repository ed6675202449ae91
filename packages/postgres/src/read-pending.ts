import type { PendingEvent, PendingPositions } from '@indelible/core';
import { type Row, readNumber, readText } from './event-row.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';
import { plainArray } from './text-array.js';

/** A row of `audit_pending` and where it stands: by that it is deleted without a search. */
export interface Place {
  readonly id: string;
  readonly ctid: string;
}

export interface Selection {
  readonly log: string;
  readonly limit: number;
  /** A further condition on the row `p`. */
  readonly further: string;
}

interface Source {
  readonly tables: Tables;
  readonly positions: PendingPositions;
}

/** At most `limit` pending rows of the log, the smallest ids first among those that the position asks for. */
export async function readPlaces(
  session: Session,
  { tables, positions }: Source,
  { log, limit, further }: Selection,
): Promise<readonly Place[]> {
  const read = async (condition: string, params: readonly (string | number)[]): Promise<readonly Place[]> => {
    const { rows } = await session.query(
      `SELECT p.id, p.ctid FROM ${tables.pending} AS p WHERE p.log = $1 ${condition} ${further} ORDER BY p.id LIMIT $2`,
      params,
    );
    return rows.map(([id, ctid]) => ({ id: readText(id), ctid: readText(ctid) }));
  };
  const { after, own } = positions.nextLook(log);
  if (after === undefined) {
    const start = performance.now();
    const all = await read('', [log, limit]);
    positions.lookedFully(log, all.length, performance.now() - start);
    return all;
  }
  const newer = await read('AND p.id > $3', [log, limit, after]);
  if (newer.length === limit || own.length === 0) return newer;
  const ids = plainArray(own, (id) => id);
  return [...(await read('AND p.id = ANY ($3::uuid[])', [log, limit - newer.length, ids])), ...newer];
}

/** Bodies that one answer holds: a text of the server, two characters a byte, has to fit into one of JavaScript. */
const MAX_BYTES = 32 * 1024 * 1024;

/** The events of these rows, in the order of their ids; a row without its event gives none. */
export async function readPending(
  session: Session,
  tables: Tables,
  log: string,
  places: readonly Place[],
): Promise<readonly PendingEvent[]> {
  if (places.length === 0) return [];
  const { sql, params } = pendingQuery(tables, log, places);
  return takePending(session, tables, log, places, (await session.query(sql, params)).rows[0]);
}

/** What the row of `pendingQuery` tells, and what did not fit into it. */
export async function takePending(
  session: Session,
  tables: Tables,
  log: string,
  places: readonly Place[],
  row: Row | undefined,
): Promise<readonly PendingEvent[]> {
  const [bodies, leaves, sizes, isPlain, isCut] = row ?? [];
  if (typeof bodies !== 'string') return [];
  const body = new Pieces(Buffer.from(bodies, 'base64'));
  const leaf = new Pieces(Buffer.from(readText(leaves), 'base64'));
  const bodySizes = readText(sizes).split(',');
  const isAsEver = isPlain === 't' && bodySizes.length === places.length;
  const told = isAsEver ? undefined : await readDetails(session, tables, placeParams(log, places));
  const events = bodySizes.map((size, at): PendingEvent => {
    const { id, log: own, leafSize } = told?.[at] ?? { id: places[at]?.id ?? '', log, leafSize: LEAF_BYTES };
    return { id, log: own, body: body.take(Number(size)), leaf: leaf.take(leafSize) };
  });
  if (isCut !== 't') return events;
  const last = events.at(-1)?.id ?? '';
  const left = places.filter(({ id }) => id > last);
  return [...events, ...(await readPending(session, tables, log, left))];
}

interface Detail {
  readonly id: string;
  readonly log: string;
  readonly leafSize: number;
}

/** What is not as it always is: a row without its event, an event of another log, a leaf that is no SHA-256. */
async function readDetails(
  session: Session,
  { event }: Tables,
  params: PlaceParams,
): Promise<readonly Detail[]> {
  const { rows } = await session.query(
    `SELECT e.id, e.log, octet_length(e.leaf) FROM ${event} AS e
      WHERE $2::text IS NOT NULL AND ${IN_PART} ORDER BY e.id`,
    params,
  );
  return rows.map((row) => ({ id: readText(row[0]), log: readText(row[1]), leafSize: readNumber(row[2]) }));
}

/** The range says the same as the list, in a form that leaves out the partitions of other months while the plan is made. */
const IN_PART = 'e.id = ANY ($1::uuid[]) AND e.id >= $3 AND e.id <= $4';
const LEAF_BYTES = 32;

type PlaceParams = readonly [ids: string, log: string, first: string | null, last: string | null];

function placeParams(log: string, places: readonly Place[]): PlaceParams {
  return [plainArray(places, ({ id }) => id), log, places[0]?.id ?? null, places.at(-1)?.id ?? null];
}

export interface PendingQuery {
  readonly sql: string;
  readonly params: PlaceParams;
}

/**
 * Events as a few long values instead of many short ones, which halves the time that both sides spend on them.
 *
 * @param before the number of parameters of the statement that this becomes a part of
 */
export function pendingQuery(
  { event }: Tables,
  log: string,
  places: readonly Place[],
  before = 0,
): PendingQuery {
  const sql = `SELECT encode(string_agg(s.body, ''::bytea) FILTER (WHERE s.fits), 'base64'),
      encode(string_agg(s.leaf, ''::bytea) FILTER (WHERE s.fits), 'base64'),
      string_agg(s.size::text, ',') FILTER (WHERE s.fits),
      bool_and(s.log = $2 AND octet_length(s.leaf) = ${LEAF_BYTES}), bool_or(NOT s.fits)
    FROM (SELECT e.log, e.body, e.leaf, octet_length(e.body) AS size, sum(octet_length(e.body))
        OVER (ORDER BY e.id ROWS UNBOUNDED PRECEDING) - octet_length(e.body) < ${MAX_BYTES} AS fits
      FROM ${event} AS e WHERE ${IN_PART} ORDER BY e.id) AS s`;
  return {
    sql: sql.replaceAll(/\$(\d)/g, (_, number) => `$${Number(number) + before}`),
    params: placeParams(log, places),
  };
}

/** Takes one piece after the other from bytes that were put together. */
class Pieces {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  take(size: number): Uint8Array {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
}
