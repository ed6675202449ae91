import { countFitting, type PageRoom, type StoredEvent } from '@indelible/core';
import { BODY_BYTES } from './body-bytes.js';
import type { Connection } from './connection.js';
import type { SqliteValue } from './driver.js';
import { EVENT_SELECT, readCursor, readEvent, readNumber, readText } from './event-row.js';
import type { Page } from './read-pages.js';

/** Where a list in the order of ids goes on: behind an id, of whatever type tampering made it, or at the very beginning. */
export type IdCursor = SqliteValue | undefined;

const NO_LIMIT = -1;

/** Pending events with an id after the cursor, all rows of an id on one page. */
export function readPendingPage(
  connection: Connection,
  log: string,
  after: IdCursor,
  room: PageRoom,
): Page<StoredEvent, IdCursor> {
  const read = (columns: string, condition: string, ids: readonly SqliteValue[], most: number) =>
    connection.all(
      `SELECT p.id, ${columns} FROM audit_pending AS p JOIN audit_event AS e ON e.id = p.id
        WHERE p.log = ? AND ${condition} ORDER BY p.id LIMIT ?`,
      [log, ...ids, BigInt(most)],
    );
  const [condition, ids] = after === undefined ? ['true', []] : ['p.id > ?', [after]];
  const lengths = read(BODY_BYTES, condition, ids, room.rows).map((row) => readNumber(row[1]));
  const fitting = countFitting(lengths, room);
  const limit = fitting === lengths.length ? room.rows : fitting;
  const rows = read(EVENT_SELECT, condition, ids, limit);
  const end = readCursor(rows.at(-1)?.[0]) ?? undefined;
  if (end === undefined || rows.length < limit)
    return { items: rows.map((row) => readEvent(row, 1)), next: undefined };
  const id = readText(end);
  const whole = [
    ...rows.filter((row) => readText(row[0]) !== id),
    ...read(EVENT_SELECT, 'p.id = ?', [end], NO_LIMIT),
  ];
  return { items: whole.map((row) => readEvent(row, 1)), next: end };
}

/** Events among the next `window` ones of the log that are neither pending nor an entry of it. */
export function readOrphanPage(
  connection: Connection,
  log: string,
  after: IdCursor,
  window: number,
  room: PageRoom,
): Page<StoredEvent, IdCursor> {
  const { parts, end } = nextWindow(connection, EVENT_WINDOW, log, after, window);
  const read = (columns: string, { condition, params }: WindowPart) =>
    connection.all(
      `SELECT ${columns} FROM audit_event AS e WHERE e.log = ? AND ${condition} AND ${IS_ORPHAN} ORDER BY e.id`,
      [log, ...params],
    );
  const found = parts.flatMap((part) => read(`e.id, ${BODY_BYTES}`, part));
  const fitting = countFitting(
    found.map((row) => readNumber(row[1])),
    room,
  );
  // What does not fit comes with the next page: behind the first id at which this one can end.
  const cut = found.slice(fitting - 1, -1).map((row) => readCursor(row[0]) ?? undefined);
  const last = cut.find((id) => id !== undefined);
  const upTo = ({ condition, params }: WindowPart): WindowPart =>
    last === undefined
      ? { condition, params }
      : { condition: `${condition} AND (e.id IS NULL OR e.id <= ?)`, params: [...params, last] };
  const rows = found.length === 0 ? [] : parts.flatMap((part) => read(EVENT_SELECT, upTo(part)));
  return { items: rows.map((row) => readEvent(row)), next: last ?? end };
}

/** Ids among the next `window` pending ones that have no event in this log, or have an entry. */
export function readStrayPage(
  connection: Connection,
  log: string,
  after: IdCursor,
  window: number,
): Page<string, IdCursor> {
  const { parts, end } = nextWindow(connection, PENDING_WINDOW, log, after, window);
  const rows = parts.flatMap(({ condition, params }) =>
    connection.all(
      `SELECT p.id FROM audit_pending AS p WHERE p.log = ? AND ${condition} AND ${IS_STRAY} ORDER BY p.id`,
      [log, ...params],
    ),
  );
  return { items: rows.map((row) => readText(row[0])), next: end };
}

interface WindowPart {
  readonly condition: string;
  readonly params: readonly SqliteValue[];
}

interface Window {
  /** Where in it there may be what is looked for, as the indexes alone tell. */
  readonly parts: readonly WindowPart[];
  /** The last id in it: it bounds what one tick looks at, also where nothing is found. Undefined: there are no more. */
  readonly end: IdCursor;
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

/**
 * The first one takes along what has no id at all, which only tampering can do: as a part of its own, because with `OR` SQLite
 * reads the whole log.
 */
function nextWindow(
  connection: Connection,
  { table, id, match }: WindowSource,
  log: string,
  after: IdCursor,
  window: number,
): Window {
  const behind = after === undefined ? [] : [after];
  const bound = after === undefined ? `${id} IS NOT NULL` : `${id} > ?`;
  const [row] = connection.all(
    `SELECT max(id), max(matches) FROM (SELECT ${id} AS id, ${match} AS matches FROM ${table}
      WHERE log = ? AND ${bound} ORDER BY ${id} LIMIT ?)`,
    [log, ...behind, BigInt(window)],
  );
  const end = readCursor(row?.[0]) ?? undefined;
  const parts: WindowPart[] = after === undefined ? [{ condition: `${id} IS NULL`, params: [] }] : [];
  if (end !== undefined && row?.[1] === 1n)
    parts.push({ condition: `${bound} AND ${id} <= ?`, params: [...behind, end] });
  return { parts, end };
}
