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

/** Loose: a step is one seek, where DISTINCT may read every pending row. */
export async function readPendingLogs(session: Session, { pending }: Tables): Promise<readonly string[]> {
  const logs: string[] = [];
  const sql = (condition: string) =>
    `SELECT p.log FROM ${pending} AS p FORCE INDEX (PRIMARY) ${condition} ORDER BY p.log LIMIT 1`;
  for (let row = (await session.query(sql(''))).rows[0]; row !== undefined; ) {
    const log = readText(row[0]);
    logs.push(log);
    row = (await session.query(sql('WHERE p.log > ?'), [log])).rows[0];
  }
  return logs;
}

export async function readSummaries(session: Session, tables: Tables): Promise<readonly LogSummary[]> {
  const { rows } = await session.query(`SELECT log, SUM(events), SUM(pending), SUM(entries), SUM(heads) FROM (
      SELECT log, COUNT(*) AS events, 0 AS pending, 0 AS entries, 0 AS heads FROM ${tables.event} GROUP BY log
      UNION ALL SELECT log, 0, COUNT(*), 0, 0 FROM ${tables.pending} GROUP BY log
      UNION ALL SELECT log, 0, 0, COUNT(*), 0 FROM ${tables.entry} GROUP BY log
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
  const sql = `SELECT log, size, hash, compact_range, mac FROM ${tables.head} WHERE log = ?`;
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
      FROM (SELECT * FROM ${tables.entry} WHERE log = ? AND idx >= ? AND idx <= ? ORDER BY idx ${most}) AS n
        LEFT JOIN ${tables.event} AS e ON e.id = n.event_id
      ORDER BY n.idx, n.event_id`;
    return (await session.query(sql, [log, String(first), String(end)])).rows;
  };
  const rows = await read(from, last, `LIMIT ${limit}`);
  const end = rows.at(-1);
  if (end === undefined) return { items: [], next: undefined };
  if (rows.length < limit) return { items: rows.map(readEntry), next: undefined };
  const index = readBigint(end[1]);
  const whole = [...rows.filter((row) => readBigint(row[1]) !== index), ...(await read(index, index, ''))];
  return { items: whole.map(readEntry), next: index === last ? undefined : index + 1n };
}

function readEntry(row: Row): StoredEntry {
  return {
    log: readText(row[0]),
    index: readNumber(row[1]),
    eventId: readText(row[2]),
    leaf: readBytes(row[3]),
    hash: readBytes(row[4]),
    sealedAt: readBigint(row[5]),
    event: row[6] === null ? null : readEvent(row, 6),
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
    `SELECT ${EVENT_SELECT} FROM ${tables.pending} AS p STRAIGHT_JOIN ${tables.event} AS e ON e.id = p.id
      WHERE p.log = ? AND ${window.condition('p.id')} ORDER BY p.id`,
    [log, ...window.params],
  );
  return { items: rows.map((row) => readEvent(row)), next: window.end };
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
    `SELECT ${EVENT_SELECT} FROM ${tables.event} AS e
        LEFT JOIN ${tables.pending} AS p ON p.log = e.log AND p.id = e.id
        LEFT JOIN ${tables.entry} AS n ON n.event_id = e.id AND n.log = e.log
      WHERE e.log = ? AND ${window.condition('e.id')} AND p.id IS NULL AND n.event_id IS NULL
      ORDER BY e.id`,
    [log, ...window.params],
  );
  return { items: rows.map((row) => readEvent(row)), next: window.end };
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
    `SELECT p.id FROM ${tables.pending} AS p
        LEFT JOIN ${tables.event} AS e ON e.id = p.id AND e.log = p.log
        LEFT JOIN ${tables.entry} AS n ON n.event_id = p.id
      WHERE p.log = ? AND ${window.condition('p.id')} AND (e.id IS NULL OR n.event_id IS NOT NULL)
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
    `SELECT id FROM ${table} WHERE log = ? AND ${after === undefined ? 'id IS NOT NULL' : 'id > ?'}
      ORDER BY id LIMIT 1 OFFSET ${size - 1}`,
    [log, ...behind],
  );
  const end = rows[0] === undefined ? undefined : readText(rows[0][0]);
  const params = end === undefined ? behind : [...behind, end];
  return {
    condition: (id) => {
      const upTo = end === undefined ? 'true' : `${id} <= ?`;
      return after === undefined ? `(${id} IS NULL OR ${upTo})` : `${id} > ? AND ${upTo}`;
    },
    params,
    end,
  };
}
