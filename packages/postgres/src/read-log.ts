import type {
  FittingPages,
  LogSummary,
  SqlStatement,
  StoredEntry,
  StoredEvent,
  StoredHead,
} from '@indelible/core';
import {
  BODY_BYTES,
  EVENT_SELECT,
  isCut,
  type Row,
  readBigint,
  readBytes,
  readEvent,
  readHead,
  readNumber,
  readText,
  selectUpTo,
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
      UNION ALL SELECT log, 0, 0, 0, 1 FROM ${tables.head}
      UNION ALL SELECT log, 0, 0, 0, 0 FROM ${tables.checkpoint} GROUP BY log) AS counts
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
  { from, last, pages }: { from: bigint; last: bigint; pages: FittingPages },
): Promise<Page<StoredEntry, bigint>> {
  const read = async (columns: string, first: bigint, end: bigint, most: string): Promise<readonly Row[]> => {
    const sql = `SELECT ${columns}
      FROM (SELECT * FROM ${tables.entry} WHERE log = $1 AND idx >= $2 AND idx <= $3 ORDER BY idx LIMIT ${most}) AS n
        LEFT JOIN ${eventOf(tables, 'n.event_id')} ON true
      ORDER BY n.idx, n.event_id`;
    return (await session.query(sql, [log, first, end])).rows;
  };
  const entry = 'n.log, n.idx, n.event_id, n.leaf, n.hash, n.sealed_at';
  const limited = String(pages.rows);
  return pages.read<Page<StoredEntry, bigint>, bigint>({
    whole: async (longest) => {
      const columns = `${entry}, ${selectUpTo(longest)}`;
      const rows = await read(columns, from, last, limited);
      const end = rows.at(-1);
      if (end === undefined || rows.length < pages.rows)
        return {
          page: { items: rows.map((row) => readEntry(row, tables)), next: undefined },
          isCut: rows.some(isCutEntry),
        };
      const index = readBigint(end[1]);
      const others = await read(columns, index, index, 'ALL');
      const all = [...rows.filter((row) => readBigint(row[1]) !== index), ...others];
      const next = index === last ? undefined : index + 1n;
      return { page: { items: all.map((row) => readEntry(row, tables)), next }, isCut: all.some(isCutEntry) };
    },
    measure: async () => {
      const rows = await read(`n.idx, ${BODY_BYTES}`, from, last, limited);
      return rows.map(([index, bytes]) => ({ cursor: readBigint(index), bytes: lengthOf(bytes) }));
    },
    upTo: async (index) => {
      const rows = await read(`${entry}, ${EVENT_SELECT}`, from, index, 'ALL');
      return { items: rows.map((row) => readEntry(row, tables)), next: index + 1n };
    },
  });
}

function isCutEntry(row: Row): boolean {
  return isCut(row, 6);
}

/** Of a body that is gone nothing is read. */
function lengthOf(bytes: unknown): number {
  return bytes === null ? 0 : readNumber(bytes);
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
  pages: FittingPages,
): Promise<Page<StoredEvent, IdCursor>> {
  const window = await nextWindow(session, tables.pending, log, after, pages.rows);
  return readWindow(session, tables, pages, window, (columns, window) => ({
    sql: `SELECT ${columns} FROM
      (SELECT id FROM ${tables.pending} AS p WHERE log = $1 AND ${window.condition('p.id')}) AS p
      JOIN ${eventOf(tables, 'p.id')} ON true ORDER BY p.id`,
    params: [log, ...window.params],
  }));
}

/** Events among the next ones of the log, so many as a page has rows, that are neither pending nor an entry of it. */
export async function readOrphanPage(
  session: Session,
  tables: Tables,
  log: string,
  after: IdCursor,
  pages: FittingPages,
): Promise<Page<StoredEvent, IdCursor>> {
  const window = await nextWindow(session, tables.event, log, after, pages.rows);
  return readWindow(session, tables, pages, window, (columns, window) => ({
    sql: `SELECT ${columns} FROM ${tables.event} AS e WHERE e.log = $1 AND ${window.condition('e.id')}
      AND NOT EXISTS (SELECT FROM ${tables.pending} AS p WHERE p.log = e.log AND p.id = e.id)
      AND NOT EXISTS (SELECT FROM ${tables.entry} AS n WHERE n.event_id = e.id AND n.log = e.log)
      ORDER BY e.id`,
    params: [log, ...window.params],
  }));
}

/** The events that `query` finds in the window: of its beginning, where they do not fit. */
function readWindow(
  session: Session,
  tables: Tables,
  pages: FittingPages,
  window: Window,
  query: (columns: string, window: Window) => SqlStatement,
): Promise<Page<StoredEvent, IdCursor>> {
  const read = async (columns: string, part: Window): Promise<readonly Row[]> => {
    const { sql, params } = query(columns, part);
    return (await session.query(sql, params)).rows;
  };
  const toPage = (rows: readonly Row[], next: IdCursor): Page<StoredEvent, IdCursor> => ({
    items: rows.map((row) => tables.texts.readEvent(readEvent(row))),
    next,
  });
  return pages.read<Page<StoredEvent, IdCursor>, string>({
    whole: async (longest) => {
      const rows = await read(selectUpTo(longest), window);
      return { page: toPage(rows, window.end), isCut: rows.some((row) => isCut(row)) };
    },
    measure: async () => {
      const rows = await read(`e.id, ${BODY_BYTES}`, window);
      return rows.map(([id, bytes]) => ({
        cursor: id === null ? undefined : readText(id),
        bytes: lengthOf(bytes),
      }));
    },
    upTo: async (id) => toPage(await read(EVENT_SELECT, window.upTo(id)), id),
  });
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
  /** The part of it that ends with this id. */
  readonly upTo: (id: string) => Window;
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
  return makeWindow(after, rows[0] === undefined ? undefined : readText(rows[0][0]));
}

function makeWindow(after: IdCursor, end: IdCursor): Window {
  const behind = after === undefined ? [] : [after];
  const params = end === undefined ? behind : [...behind, end];
  return {
    condition: (id) => {
      const isBefore = end === undefined ? 'true' : `${id} <= $${params.length + 1}`;
      return after === undefined ? `(${id} IS NULL OR ${isBefore})` : `${id} > $2 AND ${isBefore}`;
    },
    params,
    end,
    upTo: (id) => makeWindow(after, id),
  };
}
