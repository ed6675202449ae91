import {
  AuditError,
  type NewEntry,
  type PendingEvent,
  type PendingPositions,
  type RefusedEvent,
  type SealedBatch,
  type SealOutcome,
  type SealRequest,
  type StoredHead,
} from '@indelible/core';
import { BEGIN, type Database, ONLY_BY_KEY, rollBack, WorkError } from './database.js';
import { readHead, readText } from './event-row.js';
import { sqlState } from './postgres-error.js';
import { type Place, readPending, readPlaces } from './read-pending.js';
import type { SchemaCheck } from './schema-version.js';
import type { Answer, Session } from './session.js';
import { quoteText, type Tables } from './tables.js';
import { plainArray } from './text-array.js';

const LOCK_NOT_AVAILABLE = '55P03';
const UNIQUE_VIOLATION = '23505';
/** Events that are read and written with one statement. */
const PAGE = 500;
/** Another seal got in the way; so did somebody who alters the tables. */
const BUSY: ReadonlySet<string> = new Set([LOCK_NOT_AVAILABLE, '40001', '40P01']);
/** Nobody holds a lock that this needs for longer than a moment but who alters the tables. */
const BEGIN_SEAL = `${BEGIN}; SET LOCAL lock_timeout = '100ms'; ${ONLY_BY_KEY}`;

export interface SealParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly schema: SchemaCheck;
  readonly positions: PendingPositions;
}

/**
 * Seals one batch in one transaction, under the lock of the head's row. It takes that lock in a statement of its own, so that the
 * statements behind it see what the seal before it has committed.
 *
 * @throws whatever `compute` throws; AuditError `AUDIT_INSERT_ONLY` for a batch that would fork the log
 */
export function sealBatch(parts: SealParts, request: SealRequest): Promise<SealOutcome> {
  const { database, tables, schema, positions } = parts;
  return database.use(async (session) => {
    await schema.require(session);
    // A look before the lock: most calls of an idle process end here.
    if (
      positions.isIdle(request.log) &&
      (await readPlaces(session, parts, { log: request.log, limit: 1, further: '' })).length === 0
    ) {
      return { sealed: 0, busy: false };
    }
    try {
      return await sealOnce(session, parts, request, '');
    } catch (error) {
      if (BUSY.has(sqlState(error))) return { sealed: 0, busy: true };
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    }
    // A pending row of a sealed event must not stop its log for ever: verification reports it, the sealer passes over it.
    const unsealed = `AND NOT EXISTS (SELECT FROM ${tables.entry} AS n WHERE n.event_id = p.id)`;
    try {
      return await sealOnce(session, parts, request, unsealed);
    } catch (error) {
      if (BUSY.has(sqlState(error))) return { sealed: 0, busy: true };
      throw error;
    }
  });
}

async function sealOnce(
  session: Session,
  parts: SealParts,
  request: SealRequest,
  further: string,
): Promise<SealOutcome> {
  const { tables, positions } = parts;
  const { log } = request;
  let sealed: Sealed;
  try {
    const head = await lockHead(session, tables, log);
    if (head === 'busy') {
      await session.script('ROLLBACK');
      return { sealed: 0, busy: true };
    }
    const places = await readPlaces(session, parts, { log, limit: request.limit, further });
    sealed = await sealPages(session, tables, request, { head, places });
    await session.script('COMMIT');
  } catch (error) {
    await rollBack(session);
    throw error;
  }
  positions.sealed(log, sealed.ids);
  const outcome = { sealed: sealed.ids.length, busy: false };
  return sealed.refused.length === 0 ? outcome : { ...outcome, refused: sealed.refused };
}

interface Found {
  readonly head: LockedHead | null;
  readonly places: readonly Place[];
}

interface Sealed {
  readonly ids: readonly string[];
  readonly refused: readonly RefusedEvent[];
}

/** Page by page: while the server writes the entries of one, the links of the next are computed. */
async function sealPages(
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
  let batch = take(await readPending(session, tables, log, places.slice(0, PAGE)));
  for (let from = 0; ; from += PAGE) {
    const own = places.slice(from, from + PAGE);
    const next = places.slice(from + PAGE, from + 2 * PAGE);
    const following = next.length === 0 ? undefined : await readPending(session, tables, log, next);
    const newHead = following === undefined && isNew ? last : null;
    const writing = write(session, tables, log, { entries: batch.entries, newHead, head, places: own });
    try {
      if (following !== undefined) batch = take(following);
    } finally {
      await writing;
    }
    if (following === undefined) return { ids, refused };
  }
}

interface LockedHead {
  readonly row: StoredHead;
  readonly ctid: string;
}

/** The head of the log with its lock, null for a log that has none yet. */
async function lockHead(session: Session, tables: Tables, log: string): Promise<LockedHead | null | 'busy'> {
  const sql = `SELECT log, size, hash, range, mac, ctid FROM ${tables.head} WHERE log = ${quoteText(log)} FOR UPDATE NOWAIT`;
  const there = readLocked((await session.script(`${BEGIN_SEAL}; ${sql}`)).at(-1));
  if (there !== null) return there;
  // There is no row to lock before the first seal.
  const key = [`indelible ${tables.schema} ${log}`];
  const { rows } = await session.query('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1))', key);
  if (rows[0]?.[0] !== 't') return 'busy';
  return readLocked((await session.script(sql)).at(-1));
}

function readLocked(answer: Answer | undefined): LockedHead | null {
  const row = answer?.rows[0];
  return row === undefined ? null : { row: readHead(row), ctid: readText(row[5]) };
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

/** Entries, head and what is no longer pending, in one statement. */
async function write(session: Session, tables: Tables, log: string, page: Page): Promise<void> {
  const { entries, newHead: head } = page;
  if (entries.length === 0 && head === null) return;
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
  await session.query(
    `WITH gone AS (DELETE FROM ${tables.pending} WHERE ctid = ANY ($7::tid[]))${writeHead}
      INSERT INTO ${tables.entry} (log, idx, event_id, leaf, hash, sealed_at)
      SELECT $1, coalesce(g.idx, ($4::bigint[])[1]) + g.n - 1, g.event_id, substring($2::bytea FROM (g.n * 32 - 31)::int FOR 32),
        substring($3::bytea FROM (g.n * 32 - 31)::int FOR 32), coalesce(g.sealed_at, ($6::bigint[])[1])
      FROM unnest($4::bigint[], $5::uuid[], $6::bigint[]) WITH ORDINALITY AS g(idx, event_id, sealed_at, n)`,
    params,
  );
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
