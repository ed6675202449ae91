import { type AppendOutcome, AuditError, type PreparedEvent } from '@indelible/core';
import type { ColumnTexts } from './column-texts.js';
import { BEGIN, type Database, inTransaction } from './database.js';
import { type EventStatements, eventParams, idConflict, inParts } from './event-insert.js';
import { isPassing, sqlState } from './postgres-error.js';
import type { SchemaCheck } from './schema-version.js';
import type { Session } from './session.js';

const UNIQUE_VIOLATION = '23505';
/** What `insertAll` makes of rows that are missing. */
const DIVISION_BY_ZERO = '22012';
const TRIES = 5;

/**
 * Appends the events, all or none, in one statement where none of them is stored yet. Where the connection broke it is tried
 * once more: what became of the first try does not matter, because the ids are the key.
 *
 * @throws AuditError `AUDIT_ID_CONFLICT`
 */
export async function appendEvents(
  database: Database,
  statements: EventStatements,
  { schema, texts }: { readonly schema: SchemaCheck; readonly texts: ColumnTexts },
  events: readonly PreparedEvent[],
): Promise<AppendOutcome> {
  if (events.length === 0) return { appended: 0, duplicates: 0 };
  return database.useAgain(async (session, again) => {
    await schema.require(session);
    const written = texts.writeEvents(events);
    const parts = [...inParts(written)];
    if (!again && parts.length === 1) {
      try {
        await session.query(statements.insertAll, [...eventParams(written), events.length]);
        return { appended: events.length, duplicates: 0 };
      } catch (error) {
        if (sqlState(error) === DIVISION_BY_ZERO) throw dropped();
        // Some id is stored already: a retry, or a conflict. That is rare, so nobody pays for looking first.
        if (sqlState(error) !== UNIQUE_VIOLATION && !isPassing(error)) throw error;
      }
    }
    return appendMissing(session, statements, written);
  });
}

/** A trigger of somebody else can pass over a row without an error, and the event would be gone in silence. */
function dropped(): AuditError {
  return new AuditError(
    'AUDIT_STORE_UNAVAILABLE',
    'postgres',
    'the database dropped events without an error: look at the triggers and rules of audit_event',
  );
}

async function appendMissing(
  session: Session,
  statements: EventStatements,
  events: readonly PreparedEvent[],
): Promise<AppendOutcome> {
  // In the order of the ids: two that append the same events then wait for each other and never in a circle.
  const sorted = [...events].sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
  for (let tries = 1; ; tries += 1) {
    try {
      return await inTransaction(session, () => insertMissing(session, statements, sorted), BEGIN);
    } catch (error) {
      if (tries === TRIES || !isPassing(error)) throw error;
    }
  }
}

async function insertMissing(
  session: Session,
  statements: EventStatements,
  events: readonly PreparedEvent[],
): Promise<AppendOutcome> {
  let appended = 0;
  for (const part of inParts(events)) {
    const params = eventParams(part);
    const { count } = await session.query(statements.insertMissing, params);
    appended += count;
    // A statement of its own sees what another transaction committed while the insertion waited for it.
    const [wrong] = (await session.query(statements.conflict, params)).rows;
    if (wrong !== undefined) throw wrong[1] === 't' ? idConflict(String(wrong[0])) : dropped();
  }
  return { appended, duplicates: events.length - appended };
}
