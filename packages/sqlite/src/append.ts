import { type AppendOutcome, AuditError, auditErrorCode, type PreparedEvent } from '@indelible/core';
import type { Connection } from './connection.js';
import type { SqliteValue } from './driver.js';
import { hasSameBytes, idConflict, insertRows, pushEventParams } from './event-insert.js';
import { readBytes, readText } from './event-row.js';
import { runInShapes } from './run-in-shapes.js';
import { requireSchema } from './schema-version.js';

/**
 * Appends the events in one transaction: all or none. Runs in one tick; 250 events of 400 bytes take about 10 ms.
 *
 * @throws AuditError `AUDIT_ID_CONFLICT`
 */
export function appendEvents(connection: Connection, events: readonly PreparedEvent[]): AppendOutcome {
  try {
    connection.transaction(() => {
      requireSchema(connection);
      insertAll(connection, events);
    });
    return { appended: events.length, duplicates: 0 };
  } catch (error) {
    // Some id is stored already: a retry, or a conflict. That is rare, so nobody pays for looking first.
    if (auditErrorCode(error) !== 'AUDIT_INSERT_ONLY') throw error;
  }
  return connection.transaction(() => appendNew(connection, events));
}

function insertAll(connection: Connection, events: readonly PreparedEvent[]): void {
  requireRows(connection, runInShapes(events, insertRows, pushEventParams, connection), events.length);
}

/** A trigger of somebody else can pass over a row without an error, and the event would be gone in silence. */
function requireRows(connection: Connection, inserted: number, wanted: number): void {
  if (inserted === wanted) return;
  throw new AuditError(
    'AUDIT_STORE_UNAVAILABLE',
    'sqlite',
    `${connection.fileName} took ${inserted} of ${wanted} events and dropped the others: look at the triggers of audit_event`,
  );
}

function appendNew(connection: Connection, events: readonly PreparedEvent[]): AppendOutcome {
  const sql = insertRows(1);
  let appended = 0;
  for (const event of events) {
    const [there] = connection.all('SELECT log, body FROM audit_event WHERE id = ?', [event.id]);
    if (there === undefined) {
      const params: SqliteValue[] = [];
      pushEventParams(params, event);
      requireRows(connection, connection.run(sql, params), 1);
      appended += 1;
    } else if (!hasSameBytes(event, { log: readText(there[0]), body: readBytes(there[1]) })) {
      throw idConflict(event.id);
    }
  }
  return { appended, duplicates: events.length - appended };
}
