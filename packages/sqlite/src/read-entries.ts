import { countFitting, PAGE_ROOM, type PageRoom, type StoredEntry } from '@indelible/core';
import { BODY_BYTES } from './body-bytes.js';
import type { Connection } from './connection.js';
import {
  EVENT_SELECT,
  exactText,
  readBigint,
  readBytes,
  readEvent,
  readExactText,
  readNumber,
} from './event-row.js';
import { tryReadPackedEntries } from './packed-entries.js';
import type { Page } from './read-pages.js';

const NO_LIMIT = -1;

const FROM_ENTRIES = `FROM audit_entry AS n LEFT JOIN audit_event AS e ON e.id = n.event_id
  WHERE n.log = ? AND n.idx >= ? AND n.idx <= ? AND typeof(n.idx) = 'integer'
  ORDER BY n.idx, n.event_id LIMIT ?`;

/**
 * The entries of a log up to the index `last`, page by page. One whose index is no integer has no place in a log. Several
 * rows of one index can only be there if somebody took the keys of a table away; then all of them must be seen, so none is on
 * another page.
 */
export class EntryPages {
  readonly #log: string;
  readonly #last: bigint;
  readonly #room: PageRoom;
  /** A body was too long for a page of all the rows: then lengths are asked for before bodies are. */
  #hasLong = false;

  /** @param room its rows at least 2 */
  constructor(log: string, last: bigint, room: PageRoom = PAGE_ROOM) {
    this.#log = log;
    this.#last = last;
    this.#room = room;
  }

  /** The page that starts at the index `from`. */
  read(connection: Connection, from: bigint): Page<StoredEntry, bigint> {
    const { rows, bytes } = this.#room;
    const longest = Math.floor(bytes / rows);
    if (!this.#hasLong) {
      const page = tryReadPackedEntries(connection, this.#log, from, this.#last, rows, longest);
      if (page !== null) return page;
    }
    const lengths = connection
      .all(`SELECT ${BODY_BYTES} ${FROM_ENTRIES}`, [this.#log, from, this.#last, BigInt(rows)])
      .map((row) => readNumber(row[0]));
    const fitting = countFitting(lengths, this.#room);
    const limit = fitting === lengths.length ? rows : Math.max(2, fitting);
    const wasRead = !this.#hasLong;
    this.#hasLong = lengths.some((length) => length > longest);
    const packed =
      wasRead && !this.#hasLong
        ? null
        : tryReadPackedEntries(connection, this.#log, from, this.#last, limit, bytes);
    return packed ?? readEntryColumns(connection, this.#log, from, this.#last, limit);
  }
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
        ${FROM_ENTRIES}`,
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
