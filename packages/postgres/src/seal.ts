import type { PendingPositions, SealOutcome, SealRequest } from '@indelible/core';
import { BEGIN, type Database, ONLY_BY_KEY, rollBack } from './database.js';
import { readHead, readText } from './event-row.js';
import { sqlState } from './postgres-error.js';
import { readPlaces } from './read-pending.js';
import type { SchemaCheck } from './schema-version.js';
import { type LockedHead, type Sealed, sealPages } from './seal-pages.js';
import type { Answer, Session } from './session.js';
import { quoteText, type Tables } from './tables.js';

const LOCK_NOT_AVAILABLE = '55P03';
const UNIQUE_VIOLATION = '23505';
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
