import type { LogSummary, StoredEntry, StoredEvent, StoredHead } from '@indelible/core';
import {
  EVENT_SELECT,
  type Row,
  readBigint,
  readBytes,
  readEvent,
  readHead,
  readNumber,
  readText,
} from './event-row.js';
import type { Page } from './read-pages.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

/**
 * The event of a row. OFFSET 0 keeps the planner from turning it into a join over all events, which it prefers where it believes
 * that there are few.
 */
function eventOf(tables: Tables, id: string): string {
  return `LATERAL (SELECT * FROM ${tables.event} AS x WHERE x.id = ${id} OFFSET 0) AS e`;
}

/** Loose: a step of the recursion is one seek, where DISTINCT would read every pending row. */
export async function readPendingLogs(session: Session, { pending }: Tables): Promise<readonly string[]> {
  const { rows } = await session.query(`WITH RECURSIVE found (log) AS (
      (SELECT p.log FROM ${pending} AS p ORDER BY p.log LIMIT 1)
      UNION ALL
      SELECT (SELECT p.log FROM ${pending} AS p WHERE p.log > found.log ORDER BY p.log LIMIT 1)
        FROM found WHERE found.log IS NOT NULL)
    SELECT log FROM found WHERE log IS NOT NULL`);
  return rows.map((row) => readText(row[0]));
}

export async function readSummaries(session: Session, tables: Tables): Promise<readonly LogSummary[]> {
  const { rows } = await session.query(`SELECT log, sum(events), sum(pending), sum(entries), sum(heads) FROM (
      SELECT log, count(*) AS events, 0 AS pending, 0 AS entries, 0 AS heads FROM ${tables.event} GROUP BY log
      UNION ALL SELECT log, 0, count(*), 0, 0 FROM ${tables.pending} GROUP BY log
      UNION ALL SELECT log, 0, 0, count(*), 0 FROM ${tables.entry} GROUP BY log
      UNION ALL SELECT log, 0, 0, 0, 1 FROM ${tables.head}) AS counts
    GROUP BY log ORDER BY log`);
  return rows.map(([log, events, pending, entries, heads]) => ({
    log: readText(log),
    events: readNumber(events),
    pending: readNumber(pending),
    entries: readNumber(entries),
    hasHead: readNumber(heads) > 0,
  }));
}

export async function tryReadHead(session: Session, tables: Tables, log: string): Promise<StoredHead | null> {
  const sql = `SELECT log, size, hash, range, mac FROM ${tables.head} WHERE log = $1`;
  const [row] = (await session.query(sql, [log])).rows;
  return row === undefined ? null : readHead(row);
}

/**
 * Entries with an index from `from` to `last`. Several rows of one index can only be there if somebody took the keys of a table
 * away; then all of them must be seen, so none is on another page.
 */
export async function readEntryPage(
  session: Session,
  tables: Tables,
  log: string,
  { from, last, limit }: { from: bigint; last: bigint; limit: number },
): Promise<Page<StoredEntry, bigint>> {
  const read = async (first: bigint, end: bigint, most: string) => {
    const sql = `SELECT n.log, n.idx, n.event_id, n.leaf, n.hash, n.sealed_at, ${EVENT_SELECT}
      FROM (SELECT * FROM ${tables.entry} WHERE log = $1 AND idx >= $2 AND idx <= $3 ORDER BY idx LIMIT ${most}) AS n
        LEFT JOIN ${eventOf(tables, 'n.event_id')} ON true
      ORDER BY n.idx, n.event_id`;
    return (await session.query(sql, [log, first, end])).rows;
  };
  const rows = await read(from, last, String(limit));
  const end = rows.at(-1);
  if (end === undefined) return { items: [], next: undefined };
  if (rows.length < limit) return { items: rows.map((row) => readEntry(row, tables)), next: undefined };
  const index = readBigint(end[1]);
  const whole = [...rows.filter((row) => row[1] !== end[1]), ...(await read(index, index, 'ALL'))];
  return { items: whole.map((row) => readEntry(row, tables)), next: index === last ? undefined : index + 1n };
}

function readEntry(row: Row, { texts }: Tables): StoredEntry {
  return {
    log: readText(row[0]),
    index: readNumber(row[1]),
    eventId: readText(row[2]),
    leaf: readBytes(row[3]),
    hash: readBytes(row[4]),
    sealedAt: readBigint(row[5]),
    event: row[6] === null ? null : texts.readEvent(readEvent(row, 6)),
  };
}

/** Where a list in the order of ids goes on: behind an id, or at the very beginning. */
export type IdCursor = string | undefined;

/** Pending events with an id after the cursor, all rows of an id on one page. */
export async function readPendingPage(
  session: Session,
  tables: Tables,
  log: string,
  after: IdCursor,
  limit: number,
): Promise<Page<StoredEvent, IdCursor>> {
  const window = await nextWindow(session, tables.pending, log, after, limit);
  const { rows } = await session.query(
    `SELECT ${EVENT_SELECT} FROM
      (SELECT id FROM ${tables.pending} AS p WHERE log = $1 AND ${window.condition('p.id')}) AS p
      JOIN ${eventOf(tables, 'p.id')} ON true ORDER BY p.id`,
    [log, ...window.params],
  );
  return { items: rows.map((row) => tables.texts.readEvent(readEvent(row))), next: window.end };
}

/** Events among the next `window` ones of the log that are neither pending nor an entry of it. */
export async function readOrphanPage(
  session: Session,
  tables: Tables,
  log: string,
  after: IdCursor,
  size: number,
): Promise<Page<StoredEvent, IdCursor>> {
  const window = await nextWindow(session, tables.event, log, after, size);
  const { rows } = await session.query(
    `SELECT ${EVENT_SELECT} FROM ${tables.event} AS e WHERE e.log = $1 AND ${window.condition('e.id')}
      AND NOT EXISTS (SELECT FROM ${tables.pending} AS p WHERE p.log = e.log AND p.id = e.id)
      AND NOT EXISTS (SELECT FROM ${tables.entry} AS n WHERE n.event_id = e.id AND n.log = e.log)
      ORDER BY e.id`,
    [log, ...window.params],
  );
  return { items: rows.map((row) => tables.texts.readEvent(readEvent(row))), next: window.end };
}

/** Ids among the next `window` pending ones that have no event in this log, or have an entry. */
export async function readStrayPage(
  session: Session,
  tables: Tables,
  log: string,
  after: IdCursor,
  size: number,
): Promise<Page<string, IdCursor>> {
  const window = await nextWindow(session, tables.pending, log, after, size);
  const { rows } = await session.query(
    `SELECT p.id FROM ${tables.pending} AS p WHERE p.log = $1 AND ${window.condition('p.id')}
      AND (NOT EXISTS (SELECT FROM ${tables.event} AS e WHERE e.id = p.id AND e.log = p.log)
        OR EXISTS (SELECT FROM ${tables.entry} AS n WHERE n.event_id = p.id))
      ORDER BY p.id`,
    [log, ...window.params],
  );
  return { items: rows.map((row) => readText(row[0])), next: window.end };
}

interface Window {
  readonly condition: (id: string) => string;
  readonly params: readonly string[];
  /** The last id in it: it bounds what one statement reads, also where little is found. Undefined: it reaches to the end. */
  readonly end: IdCursor;
}

/** The first one takes along what has no id at all, which only tampering can do. */
async function nextWindow(
  session: Session,
  table: string,
  log: string,
  after: IdCursor,
  size: number,
): Promise<Window> {
  const behind = after === undefined ? [] : [after];
  const { rows } = await session.query(
    `SELECT id FROM ${table} WHERE log = $1 AND ${after === undefined ? 'id IS NOT NULL' : 'id > $2'}
      ORDER BY id OFFSET ${size - 1} LIMIT 1`,
    [log, ...behind],
  );
  const end = rows[0] === undefined ? undefined : readText(rows[0][0]);
  const params = end === undefined ? behind : [...behind, end];
  return {
    condition: (id) => {
      const upTo = end === undefined ? 'true' : `${id} <= $${params.length + 1}`;
      return after === undefined ? `(${id} IS NULL OR ${upTo})` : `${id} > $2 AND ${upTo}`;
    },
    params,
    end,
  };
}
