import { type AppendOutcome, AuditError, type PreparedEvent } from '@indelible/core';
import { type Database, inTransaction } from './database.js';
import {
  type EventStatements,
  eventParams,
  givenParam,
  idConflict,
  inParts,
  requireFitting,
  withoutRepeats,
} from './event-insert.js';
import { DUPLICATE, errorNumber, isPassing } from './mysql-error.js';
import type { SchemaCheck } from './schema-version.js';
import type { Session } from './session.js';

/** So many seconds may somebody hold a lock that the rows need. */
const TRIES = 10;
/** One prepared statement for each power of two up to it. */
const MAX_ROWS = 256;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Appends the events, all or none. Where the connection broke it is tried once more: what became of the first try does not
 * matter, because the ids are the key.
 *
 * @throws AuditError `AUDIT_ID_CONFLICT`
 */
export async function appendEvents(
  database: Database,
  statements: EventStatements,
  schema: SchemaCheck,
  events: readonly PreparedEvent[],
): Promise<AppendOutcome> {
  if (events.length === 0) return { appended: 0, duplicates: 0 };
  // Also finds what is wrong with one of them before anything is sent.
  const unique = withoutRepeats(events);
  return database.useAgain(async (session, again) => {
    await schema.require(session);
    requireFitting(unique, session.maxPacket);
    if (!again) {
      try {
        await insertAll(session, statements, unique);
        return { appended: unique.length, duplicates: events.length - unique.length };
      } catch (error) {
        // Some id is stored already: a retry, or a conflict. That is rare, so nobody pays for looking first.
        if (errorNumber(error) !== DUPLICATE && !isPassing(error)) throw error;
      }
    }
    const appended = await appendMissing(session, statements, unique);
    return { appended, duplicates: events.length - appended };
  });
}

/** One statement commits by itself, which saves two round trips; not on somebody else's connection, where that may be off. */
async function insertAll(
  session: Session,
  statements: EventStatements,
  events: readonly PreparedEvent[],
): Promise<void> {
  const parts = [...inPowersOfTwo(events, session.maxPacket)];
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && session.isOwn) {
    await session.query(statements.insert(only.length), eventParams(only));
    return;
  }
  await inTransaction(session, async () => {
    for (const part of parts) await session.query(statements.insert(part.length), eventParams(part));
  });
}

/** Parts of 1, 2, 4, … rows: for any number of events the server prepares a few statements, and those once a connection. */
function* inPowersOfTwo(
  events: readonly PreparedEvent[],
  maxPacket: number,
): Generator<readonly PreparedEvent[]> {
  for (const part of inParts(events, MAX_ROWS, Math.min(MAX_BYTES, maxPacket))) {
    for (let at = 0; at < part.length; ) {
      const size = 2 ** Math.floor(Math.log2(part.length - at));
      yield part.slice(at, at + size);
      at += size;
    }
  }
}

/** A trigger of somebody else can make a row fail without an error where what is stored is passed over. */
function dropped(): AuditError {
  return new AuditError(
    'AUDIT_STORE_UNAVAILABLE',
    'mysql',
    'the database dropped events without an error: look at the triggers of audit_event',
  );
}

async function appendMissing(
  session: Session,
  statements: EventStatements,
  events: readonly PreparedEvent[],
): Promise<number> {
  // In the order of the ids: two that append the same events then wait for each other and never in a circle.
  const sorted = [...events].sort((one, other) => (one.id < other.id ? -1 : 1));
  for (let tries = 1; ; tries += 1) {
    try {
      return await inTransaction(session, () => insertMissing(session, statements, sorted));
    } catch (error) {
      if (tries === TRIES || !isPassing(error)) throw error;
    }
  }
}

async function insertMissing(
  session: Session,
  statements: EventStatements,
  events: readonly PreparedEvent[],
): Promise<number> {
  let appended = 0;
  for (const part of inPowersOfTwo(events, session.maxPacket)) {
    const { count } = await session.query(statements.insertMissing(part.length), eventParams(part));
    appended += count;
    const [wrong] = (await session.query(statements.conflict, [givenParam(part)])).rows;
    if (wrong !== undefined) throw Number(wrong[1]) === 1 ? idConflict(String(wrong[0])) : dropped();
  }
  return appended;
}
