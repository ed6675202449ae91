import type { PendingEvent, PendingPositions } from '@indelible/core';
import { readBytes, readNumber, readText } from './event-row.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

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

/** Ids in one parameter as rows: a plan that reads them one by one by their key, whatever the statistics of a queue say. */
export const GIVEN_IDS = `JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$')) AS g`;

/** The ids of at most `limit` pending rows of the log, the smallest first among those that the position asks for. */
export async function readPendingIds(
  session: Session,
  { tables, positions }: Source,
  { log, limit, further }: Selection,
): Promise<readonly string[]> {
  const from = `${tables.pending} AS p FORCE INDEX (PRIMARY)`;
  const read = async (condition: string, params: readonly string[], most: number) => {
    const { rows } = await session.query(
      `SELECT p.id FROM ${from} WHERE p.log = ? ${condition} ${further} ORDER BY p.id LIMIT ${most}`,
      params,
    );
    return rows.map(([id]) => readText(id));
  };
  const { after, own } = positions.nextLook(log);
  if (after === undefined) {
    const start = performance.now();
    const all = await read('', [log], limit);
    positions.lookedFully(log, all.length, performance.now() - start);
    return all;
  }
  const newer = await read('AND p.id > ?', [log, after], limit);
  if (newer.length === limit || own.length === 0) return newer;
  const { rows } = await session.query(
    `SELECT p.id FROM ${GIVEN_IDS} STRAIGHT_JOIN ${from} ON p.log = ? AND p.id = g.id WHERE true ${further}
      ORDER BY p.id LIMIT ${limit - newer.length}`,
    [JSON.stringify(own), log],
  );
  return [...rows.map(([id]) => readText(id)), ...newer];
}

/** Bodies that are read at once. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Ids of one statement. */
const MAX_ROWS = 10_000;

/** The events of these ids, in their order; an id without its event gives none. */
export async function readPending(
  session: Session,
  tables: Tables,
  ids: readonly string[],
): Promise<readonly PendingEvent[]> {
  const from = `${GIVEN_IDS} STRAIGHT_JOIN ${tables.event} AS e FORCE INDEX (PRIMARY) ON e.id = g.id`;
  const events: PendingEvent[] = [];
  for (const part of await inReadableParts(session, from, ids)) {
    const { rows } = await session.query(`SELECT e.id, e.log, e.body, e.leaf FROM ${from} ORDER BY e.id`, [
      JSON.stringify(part),
    ]);
    for (const [id, log, body, leaf] of rows) {
      events.push({ id: readText(id), log: readText(log), body: readBytes(body), leaf: readBytes(leaf) });
    }
  }
  return events;
}

/** Asked for first: bodies may have any length, and an answer has to fit into memory. */
async function inReadableParts(
  session: Session,
  from: string,
  ids: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const parts: string[][] = [];
  for (let at = 0; at < ids.length; at += MAX_ROWS) {
    const { rows } = await session.query(`SELECT e.id, OCTET_LENGTH(e.body) FROM ${from} ORDER BY e.id`, [
      JSON.stringify(ids.slice(at, at + MAX_ROWS)),
    ]);
    let part: string[] = [];
    let bytes = 0;
    for (const [id, size] of rows) {
      if (part.length > 0 && bytes + readNumber(size) > MAX_BYTES) {
        parts.push(part);
        part = [];
        bytes = 0;
      }
      part.push(readText(id));
      bytes += readNumber(size);
    }
    if (part.length > 0) parts.push(part);
  }
  return parts;
}
