import {
  AuditError,
  type NewEntry,
  type PendingEvent,
  type PendingPositions,
  type SealedBatch,
  type SealOutcome,
  type SealRequest,
  type StoredHead,
} from '@indelible/core';
import { begin, type Database, reading, rollBack, WorkError } from './database.js';
import { readHead, readNumber } from './event-row.js';
import { DUPLICATE, errorNumber } from './mysql-error.js';
import { GIVEN_IDS, readPending, readPendingIds } from './read-pending.js';
import type { SchemaCheck } from './schema-version.js';
import type { Session } from './session.js';
import { quoteText, type Tables } from './tables.js';

/** Another seal got in the way; so did somebody who alters the tables. MariaDB says 1205 where MySQL says 3572. */
const BUSY: ReadonlySet<number> = new Set([1205, 1213, 3572, 1020, 1412]);

export interface SealParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly schema: SchemaCheck;
  readonly positions: PendingPositions;
}

/**
 * Seals one batch in one transaction, under the lock of the head's row. It takes that lock in a statement of its own under READ
 * COMMITTED, so that the statements behind it see what the seal before it has committed.
 *
 * @throws whatever `compute` throws; AuditError `AUDIT_INSERT_ONLY` for a batch that would fork the log
 */
export function sealBatch(parts: SealParts, request: SealRequest): Promise<SealOutcome> {
  const { database, tables, schema, positions } = parts;
  return database.use(async (session) => {
    await schema.require(session);
    const { log } = request;
    // A look before the lock: most calls of an idle process end here.
    if (positions.isIdle(log)) {
      const waiting = await reading(session, () =>
        readPendingIds(session, parts, { log, limit: 1, further: '' }),
      );
      if (waiting.length === 0) return { sealed: 0, busy: false };
    }
    try {
      return await sealOnce(session, parts, request, '');
    } catch (error) {
      if (BUSY.has(errorNumber(error))) return { sealed: 0, busy: true };
      if (errorNumber(error) !== DUPLICATE) throw error;
    }
    // A pending row of a sealed event must not stop its log for ever: verification reports it, the sealer passes over it.
    const unsealed = `AND NOT EXISTS (SELECT 1 FROM ${tables.entry} AS n WHERE n.event_id = p.id)`;
    try {
      return await sealOnce(session, parts, request, unsealed);
    } catch (error) {
      if (BUSY.has(errorNumber(error))) return { sealed: 0, busy: true };
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
  const { log, limit } = request;
  const lock = new FirstSealLock(session, parts.tables, log);
  let sealed: readonly NewEntry[] = [];
  let batch: SealedBatch;
  try {
    await begin(session);
    const head = await lockHead(session, parts.tables, log, lock);
    if (head === 'busy') {
      await session.run('ROLLBACK');
      return { sealed: 0, busy: true };
    }
    const ids = await readPendingIds(session, parts, { log, limit, further });
    const waiting = await readPending(session, parts.tables, ids);
    batch = compute(request, head, waiting);
    sealed = batch.entries;
    if (sealed.length > 0 || batch.head !== null)
      await write(session, parts.tables, log, batch, head === null);
    await session.run('COMMIT');
  } catch (error) {
    await rollBack(session);
    throw error;
  } finally {
    await lock.release();
  }
  const ids = sealed.map((entry) => entry.eventId);
  parts.positions.sealed(log, ids);
  const outcome = { sealed: sealed.length, busy: false };
  return batch.refused === undefined ? outcome : { ...outcome, refused: batch.refused };
}

/** There is no row to lock before the first seal: a lock of the server stands for it until the head is committed. */
class FirstSealLock {
  private readonly name: string;
  private isHeld = false;

  constructor(
    private readonly session: Session,
    { schemaSql }: Tables,
    log: string,
  ) {
    this.name = `CONCAT('indelible ', MD5(CONCAT(${schemaSql}, ' ', ${quoteText(log)})))`;
  }

  async tryTake(): Promise<boolean> {
    const { rows } = await this.session.run(`SELECT GET_LOCK(${this.name}, 0)`);
    this.isHeld = readNumber(rows[0]?.[0]) === 1;
    return this.isHeld;
  }

  /** Never throws: with the connection its locks go too. */
  async release(): Promise<void> {
    if (!this.isHeld || this.session.broken) return;
    try {
      await this.session.run(`DO RELEASE_LOCK(${this.name})`);
    } catch {
      this.session.broken = true;
    }
  }
}

/** The head of the log with its lock, null for a log that has none yet. */
async function lockHead(
  session: Session,
  tables: Tables,
  log: string,
  lock: FirstSealLock,
): Promise<StoredHead | null | 'busy'> {
  const read = async (): Promise<StoredHead | null> => {
    const sql = `SELECT log, size, hash, compact_range, mac FROM ${tables.head} WHERE log = ? FOR UPDATE NOWAIT`;
    const [row] = (await session.query(sql, [log])).rows;
    return row === undefined ? null : readHead(row);
  };
  const there = await read();
  if (there !== null) return there;
  return (await lock.tryTake()) ? read() : 'busy';
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

const GIVEN_ENTRIES = `JSON_TABLE(?, '$[*]' COLUMNS (
  idx BIGINT PATH '$[0]', event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PATH '$[1]',
  leaf CHAR(64) CHARACTER SET ascii PATH '$[2]', hash CHAR(64) CHARACTER SET ascii PATH '$[3]',
  sealed_at BIGINT PATH '$[4]')) AS g`;

/** Rows of one statement: less than a megabyte of JSON. */
const MAX_ROWS = 4_000;

/** Entries, what is no longer pending, and the head. */
async function write(
  session: Session,
  tables: Tables,
  log: string,
  { entries, head }: SealedBatch,
  isNew: boolean,
): Promise<void> {
  for (let at = 0; at < entries.length; at += MAX_ROWS) {
    const part = entries.slice(at, at + MAX_ROWS);
    await session.query(
      `INSERT INTO ${tables.entry} (log, idx, event_id, leaf, hash, sealed_at)
        SELECT ?, g.idx, g.event_id, UNHEX(g.leaf), UNHEX(g.hash), g.sealed_at FROM ${GIVEN_ENTRIES}`,
      [log, `[${part.map(entryJson).join(',')}]`],
    );
    await session.query(
      `DELETE p FROM ${GIVEN_IDS} STRAIGHT_JOIN ${tables.pending} AS p FORCE INDEX (PRIMARY) ON p.log = ? AND p.id = g.id`,
      [JSON.stringify(part.map((entry) => entry.eventId)), log],
    );
  }
  if (head === null) return;
  if (head.log !== log) {
    throw new AuditError('AUDIT_HEAD_INVALID', 'mysql', `a seal of ${log} gave the head of ${head.log}`);
  }
  const values = [
    head.size,
    Buffer.from(head.hash),
    Buffer.from(head.range),
    head.mac && Buffer.from(head.mac),
  ];
  const sql = isNew
    ? `INSERT INTO ${tables.head} (size, hash, compact_range, mac, log) VALUES (?, ?, ?, ?, ?)`
    : `UPDATE ${tables.head} SET size = ?, hash = ?, compact_range = ?, mac = ? WHERE log = ?`;
  await session.query(sql, [...values, log]);
}

/** By hand: JSON knows no bigint. */
function entryJson({ index, eventId, leaf, hash, sealedAt }: NewEntry): string {
  return `[${index},${JSON.stringify(eventId)},"${hexOf(leaf)}","${hexOf(hash)}",${sealedAt}]`;
}

function hexOf(bytes: Uint8Array): string {
  if (bytes.length !== 32) {
    throw new TypeError(`[indelible/mysql] a hash of an entry has ${bytes.length} bytes instead of 32`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
