import type { LogSummary, StoredEntry, StoredEvent, StoredHead } from '@indelible/core';
import type { Connection } from './connection.js';
import type { SqliteValue } from './driver.js';
import {
  EVENT_SELECT,
  exactText,
  readBigint,
  readBytes,
  readCursor,
  readEvent,
  readExactText,
  readHead,
  readNumber,
  readText,
} from './event-row.js';
import { tryReadPackedEntries } from './packed-entries.js';
import type { Page } from './read-pages.js';

/** Loose: a step of the recursion is one seek, where DISTINCT would read every pending row. */
const PENDING_LOGS = `WITH RECURSIVE found (log) AS (
    SELECT min(log) FROM audit_pending
    UNION ALL
    SELECT (SELECT min(p.log) FROM audit_pending AS p WHERE p.log > found.log) FROM found WHERE found.log IS NOT NULL)
  SELECT log FROM found WHERE log IS NOT NULL`;

export function readPendingLogs(connection: Connection): readonly string[] {
  return connection.all(PENDING_LOGS).map((row) => readText(row[0]));
}

const SUMMARIES = `SELECT log, sum(events), sum(pending), sum(entries), sum(heads) FROM (
    SELECT log, count(*) AS events, 0 AS pending, 0 AS entries, 0 AS heads FROM audit_event GROUP BY log
    UNION ALL SELECT log, 0, count(*), 0, 0 FROM audit_pending GROUP BY log
    UNION ALL SELECT log, 0, 0, count(*), 0 FROM audit_entry GROUP BY log
    UNION ALL SELECT log, 0, 0, 0, 1 FROM audit_head)
  GROUP BY log ORDER BY log`;

export function readSummaries(connection: Connection): readonly LogSummary[] {
  return connection.all(SUMMARIES).map(([log, events, pending, entries, heads]) => ({
    log: readText(log),
    events: readNumber(events),
    pending: readNumber(pending),
    entries: readNumber(entries),
    hasHead: readNumber(heads) > 0,
  }));
}

export function tryReadHead(connection: Connection, log: string): StoredHead | null {
  const [row] = connection.all('SELECT log, size, hash, range, mac FROM audit_head WHERE log = ?', [log]);
  return row === undefined ? null : readHead(row);
}

const NO_LIMIT = -1;

/**
 * Entries with an index from `from` to `last`. One whose index is no integer has no place in a log. Several rows of one index
 * can only be there if somebody took the keys of a table away; then all of them must be seen, so none is on another page.
 */
export function readEntryPage(
  connection: Connection,
  log: string,
  from: bigint,
  last: bigint,
  limit: number,
): Page<StoredEntry, bigint> {
  return (
    tryReadPackedEntries(connection, log, from, last, limit) ??
    readEntryColumns(connection, log, from, last, limit)
  );
}

/** The same whatever the rows are like, a value a column. */
export function readEntryColumns(
  connection: Connection,
  log: string,
  from: bigint,
  last: bigint,
  limit: number,
): Page<StoredEntry, bigint> {
  const read = (first: bigint, end: bigint, most: number) =>
    connection.all(
      `SELECT ${exactText('n.log')}, n.idx, ${exactText('n.event_id')}, n.leaf, n.hash, n.sealed_at, ${EVENT_SELECT}
        FROM audit_entry AS n LEFT JOIN audit_event AS e ON e.id = n.event_id
        WHERE n.log = ? AND n.idx >= ? AND n.idx <= ? AND typeof(n.idx) = 'integer'
        ORDER BY n.idx, n.event_id LIMIT ?`,
      [log, first, end, BigInt(most)],
    );
  const rows = read(from, last, limit);
  const end = rows.at(-1);
  if (end === undefined) return { items: [], next: undefined };
  const index = readBigint(end[1]);
  const whole =
    rows.length < limit
      ? rows
      : [...rows.filter((row) => row[1] !== end[1]), ...read(index, index, NO_LIMIT)];
  return {
    items: whole.map(readEntry),
    next: rows.length < limit || index === last ? undefined : index + 1n,
  };
}

function readEntry(row: readonly unknown[]): StoredEntry {
  return {
    log: readExactText(row[0]),
    index: readNumber(row[1]),
    eventId: readExactText(row[2]),
    leaf: readBytes(row[3]),
    hash: readBytes(row[4]),
    sealedAt: readBigint(row[5]),
    event: row[6] === null ? null : readEvent(row, 6),
  };
}

/** Where a list in the order of ids goes on: behind an id, of whatever type tampering made it, or at the very beginning. */
export type IdCursor = SqliteValue | undefined;

/** Pending events with an id after the cursor, all rows of an id on one page. */
export function readPendingPage(
  connection: Connection,
  log: string,
  after: IdCursor,
  limit: number,
): Page<StoredEvent, IdCursor> {
  const read = (condition: string, ids: readonly SqliteValue[], most: number) =>
    connection.all(
      `SELECT p.id, ${EVENT_SELECT} FROM audit_pending AS p JOIN audit_event AS e ON e.id = p.id
        WHERE p.log = ? AND ${condition} ORDER BY p.id LIMIT ?`,
      [log, ...ids, BigInt(most)],
    );
  const rows = after === undefined ? read('true', [], limit) : read('p.id > ?', [after], limit);
  const end = readCursor(rows.at(-1)?.[0]) ?? undefined;
  if (end === undefined || rows.length < limit)
    return { items: rows.map((row) => readEvent(row, 1)), next: undefined };
  const id = readText(end);
  const whole = [...rows.filter((row) => readText(row[0]) !== id), ...read('p.id = ?', [end], NO_LIMIT)];
  return { items: whole.map((row) => readEvent(row, 1)), next: end };
}

/** Events among the next `window` ones of the log that are neither pending nor an entry of it. */
export function readOrphanPage(
  connection: Connection,
  log: string,
  after: IdCursor,
  window: number,
): Page<StoredEvent, IdCursor> {
  const part = nextWindow(connection, EVENT_WINDOW, log, after, window);
  if (!part.mayMatch) return { items: [], next: part.end };
  const rows = connection.all(
    `SELECT ${EVENT_SELECT} FROM audit_event AS e WHERE e.log = ? AND ${part.condition('e.id')} AND ${IS_ORPHAN} ORDER BY e.id`,
    [log, ...part.params],
  );
  return { items: rows.map((row) => readEvent(row)), next: part.end };
}

/** Ids among the next `window` pending ones that have no event in this log, or have an entry. */
export function readStrayPage(
  connection: Connection,
  log: string,
  after: IdCursor,
  window: number,
): Page<string, IdCursor> {
  const part = nextWindow(connection, PENDING_WINDOW, log, after, window);
  if (!part.mayMatch) return { items: [], next: part.end };
  const rows = connection.all(
    `SELECT p.id FROM audit_pending AS p WHERE p.log = ? AND ${part.condition('p.id')} AND ${IS_STRAY} ORDER BY p.id`,
    [log, ...part.params],
  );
  return { items: rows.map((row) => readText(row[0])), next: part.end };
}

interface Window {
  readonly condition: (id: string) => string;
  readonly params: readonly SqliteValue[];
  /** The last id in it: it bounds what one tick looks at, also where nothing is found. Undefined: there are no more. */
  readonly end: IdCursor;
  /** False where none of its rows is what is looked for, which the indexes alone tell. */
  readonly mayMatch: boolean;
}

interface WindowSource {
  /** With its alias. */
  readonly table: string;
  readonly id: string;
  readonly match: string;
}

/** The entry comes first: for most events it is all that has to be looked at. */
const IS_ORPHAN = `NOT EXISTS (SELECT 1 FROM audit_entry AS n
    WHERE n.event_id = e.id AND n.log = e.log AND typeof(n.idx) = 'integer')
  AND NOT EXISTS (SELECT 1 FROM audit_pending AS p WHERE p.log = e.log AND p.id = e.id)`;
const EVENT_WINDOW: WindowSource = { table: 'audit_event AS e', id: 'e.id', match: IS_ORPHAN };

const IS_STRAY = `(NOT EXISTS (SELECT 1 FROM audit_event AS e WHERE e.id = p.id AND e.log = p.log)
  OR EXISTS (SELECT 1 FROM audit_entry AS n WHERE n.event_id = p.id))`;
const PENDING_WINDOW: WindowSource = { table: 'audit_pending AS p', id: 'p.id', match: IS_STRAY };

/** The first one takes along what has no id at all, which only tampering can do. */
function nextWindow(
  connection: Connection,
  { table, id: ownId, match }: WindowSource,
  log: string,
  after: IdCursor,
  window: number,
): Window {
  const isFirst = after === undefined;
  const behind = isFirst ? [] : [after];
  const [row] = connection.all(
    `SELECT max(id), max(matches) FROM (SELECT ${ownId} AS id, ${match} AS matches FROM ${table}
      WHERE log = ? AND ${isFirst ? `${ownId} IS NOT NULL` : `${ownId} > ?`} ORDER BY ${ownId} LIMIT ?)`,
    [log, ...behind, BigInt(window)],
  );
  const end = readCursor(row?.[0]) ?? undefined;
  const upTo = end === undefined ? [] : [end];
  const inside = end === undefined ? 'false' : (id: string) => `${id} <= ?`;
  return {
    condition: (id) => {
      const bound = typeof inside === 'string' ? inside : inside(id);
      return isFirst ? `(${id} IS NULL OR ${bound})` : `${id} > ? AND ${bound}`;
    },
    params: [...behind, ...upTo],
    end,
    mayMatch: isFirst || row?.[1] === 1n,
  };
}
