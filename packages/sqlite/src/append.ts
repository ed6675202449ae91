import { type AppendOutcome, auditErrorCode, type PreparedEvent } from '@indelible/core';
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
  runInShapes(events, insertRows, pushEventParams, connection);
}

function appendNew(connection: Connection, events: readonly PreparedEvent[]): AppendOutcome {
  const sql = insertRows(1);
  let appended = 0;
  for (const event of events) {
    const [there] = connection.all('SELECT log, body FROM audit_event WHERE id = ?', [event.id]);
    if (there === undefined) {
      const params: SqliteValue[] = [];
      pushEventParams(params, event);
      connection.run(sql, params);
      appended += 1;
    } else if (!hasSameBytes(event, { log: readText(there[0]), body: readBytes(there[1]) })) {
      throw idConflict(event.id);
    }
  }
  return { appended, duplicates: events.length - appended };
}
