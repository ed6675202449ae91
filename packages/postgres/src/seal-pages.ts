import {
  AuditError,
  type NewEntry,
  type PendingEvent,
  type RefusedEvent,
  type SealedBatch,
  type SealRequest,
  type StoredHead,
} from '@indelible/core';
import { WorkError } from './database.js';
import { type Place, pendingQuery, readPending, takePending } from './read-pending.js';
import type { Session } from './session.js';
import { quoteText, type Tables } from './tables.js';
import { plainArray } from './text-array.js';

/** Events that are read and written with one statement. */
const PAGE = 500;

/** The head of a log, under its lock. */
export interface LockedHead {
  readonly row: StoredHead;
  readonly ctid: string;
}

interface Found {
  /** Null for a log that has none yet. */
  readonly head: LockedHead | null;
  readonly places: readonly Place[];
}

export interface Sealed {
  readonly ids: readonly string[];
  readonly refused: readonly RefusedEvent[];
}

/** Page by page: the server writes the entries of one and reads the one after the next, while the links of the next are computed. */
export async function sealPages(
  session: Session,
  tables: Tables,
  request: SealRequest,
  { head, places }: Found,
): Promise<Sealed> {
  const { log } = request;
  const ids: string[] = [];
  const refused: RefusedEvent[] = [];
  let last = head?.row ?? null;
  let isNew = false;
  const take = (waiting: readonly PendingEvent[]): SealedBatch => {
    const batch = compute(request, last, waiting);
    isNew ||= batch.head !== null;
    last = batch.head ?? last;
    for (const { eventId } of batch.entries) ids.push(eventId);
    refused.push(...(batch.refused ?? []));
    return batch;
  };
  const pages = pagesOf(places);
  let batch = take(await readPending(session, tables, log, pages[0] ?? []));
  let following = await readPending(session, tables, log, pages[1] ?? []);
  for (const [at, own] of pages.entries()) {
    const isLast = at === pages.length - 1;
    const page = { entries: batch.entries, newHead: isLast && isNew ? last : null, head, places: own };
    const writing = write(session, tables, log, page, pages[at + 2] ?? []);
    try {
      if (!isLast) batch = take(following);
    } finally {
      following = await writing;
    }
  }
  return { ids, refused };
}

function pagesOf(places: readonly Place[]): readonly (readonly Place[])[] {
  return Array.from({ length: Math.ceil(places.length / PAGE) }, (_, at) =>
    places.slice(at * PAGE, (at + 1) * PAGE),
  );
}

function compute(
  request: SealRequest,
  head: StoredHead | null,
  waiting: readonly PendingEvent[],
): SealedBatch {
  try {
    return request.compute(head, waiting);
  } catch (error) {
    throw new WorkError(error);
  }
}

interface Page extends Found {
  readonly entries: readonly NewEntry[];
  /** Null where it is written with a later page, or not at all. */
  readonly newHead: StoredHead | null;
}

/** Entries, head and what is no longer pending, in one statement, which also reads the events of `further` places. */
async function write(
  session: Session,
  tables: Tables,
  log: string,
  page: Page,
  further: readonly Place[],
): Promise<readonly PendingEvent[]> {
  const { entries, newHead: head } = page;
  if (entries.length === 0 && head === null) return readPending(session, tables, log, further);
  const places = new Map(page.places.map(({ id, ctid }) => [id, ctid]));
  const params: (string | number | Uint8Array | null)[] = [
    log,
    Buffer.concat(entries.map((entry) => bytesOf(entry.leaf, 32))),
    Buffer.concat(entries.map((entry) => bytesOf(entry.hash, 32))),
    oneForAll(entries, (entry, at) => BigInt(entry.index - at)),
    plainArray(entries, (entry) => entry.eventId),
    oneForAll(entries, (entry) => entry.sealedAt),
    `{${entries
      .flatMap(({ eventId }) => places.get(eventId) ?? [])
      .map((place) => `"${place}"`)
      .join(',')}}`,
  ];
  let writeHead = '';
  if (head !== null) {
    if (head.log !== log) {
      throw new AuditError('AUDIT_HEAD_INVALID', 'postgres', `a seal of ${log} gave the head of ${head.log}`);
    }
    params.push(head.size, head.hash, head.range, head.mac);
    writeHead =
      page.head === null
        ? `, written AS (INSERT INTO ${tables.head} (log, size, hash, range, mac)
            VALUES ($1, $8::bigint, $9::bytea, $10::bytea, $11::bytea))`
        : `, written AS (UPDATE ${tables.head} SET size = $8::bigint, hash = $9::bytea, range = $10::bytea, mac = $11::bytea
            WHERE ctid = ${quoteText(page.head.ctid)}::tid AND log = $1)`;
  }
  const writing = `WITH gone AS (DELETE FROM ${tables.pending} WHERE ctid = ANY ($7::tid[]))${writeHead}`;
  const entry = `INSERT INTO ${tables.entry} (log, idx, event_id, leaf, hash, sealed_at)
      SELECT $1, coalesce(g.idx, ($4::bigint[])[1]) + g.n - 1, g.event_id, substring($2::bytea FROM (g.n * 32 - 31)::int FOR 32),
        substring($3::bytea FROM (g.n * 32 - 31)::int FOR 32), coalesce(g.sealed_at, ($6::bigint[])[1])
      FROM unnest($4::bigint[], $5::uuid[], $6::bigint[]) WITH ORDINALITY AS g(idx, event_id, sealed_at, n)`;
  if (further.length === 0) {
    await session.query(`${writing} ${entry}`, params);
    return [];
  }
  const reading = pendingQuery(tables, log, further, params.length);
  const { rows } = await session.query(`${writing}, entered AS (${entry}) ${reading.sql}`, [
    ...params,
    ...reading.params,
  ]);
  return takePending(session, tables, log, further, rows[0]);
}

function bytesOf(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  throw new TypeError(
    `[indelible/postgres] a hash of an entry has ${bytes.length} bytes instead of ${length}`,
  );
}

/** An array of one value where all of them are equal, as indexes counted from the first one and times of sealing are. */
function oneForAll(entries: readonly NewEntry[], read: (entry: NewEntry, at: number) => bigint): string {
  const values = entries.map(read);
  const [first] = values;
  return plainArray(values.every((value) => value === first) ? values.slice(0, 1) : values, String);
}
