import type { PreparedEvent, SqlStatement, TransactionalAppend } from '@indelible/core';
import type { ColumnTexts } from './column-texts.js';
import { type EventStatements, eventParams, idConflict, inParts, oneEventParams } from './event-insert.js';

export interface TransactionalOptions {
  readonly statements: EventStatements;
  readonly texts: ColumnTexts;
  /** A label of the database without its secrets. */
  readonly database: string;
  readonly identify: () => Promise<string>;
  /** What `identify` asks. */
  readonly nameSql: string;
  readonly schema: string;
  /** Told of the events of each call: they may be committed soon. */
  readonly onGiven: (events: readonly PreparedEvent[]) => void;
}

/** How events are written on an ORM's connection. Nothing of ours has a sequence, so `lastval()` stays what it was. */
export function createTransactionalAppend(options: TransactionalOptions): TransactionalAppend {
  const { statements, texts, database, identify, nameSql, schema, onGiven } = options;
  return {
    dialect: 'postgres',
    database,
    identify,
    nameSql,
    schema,
    sureStatement(given) {
      const events = texts.writeEvents(given);
      const [only] = events;
      if (only !== undefined && events.length === 1) {
        onGiven(events);
        return { sql: statements.requireOne, params: oneEventParams(only) };
      }
      const [part = [], ...others] = inParts(withoutRepeats(events));
      if (others.length > 0) return undefined;
      onGiven(events);
      return { sql: statements.requireAll, params: [...eventParams(part), part.length] };
    },
    statements(given, { isFresh = false } = {}) {
      const events = texts.writeEvents(given);
      onGiven(events);
      const [only] = events;
      if (isFresh && only !== undefined && events.length === 1) {
        return [{ sql: statements.insertOne, params: oneEventParams(only) }];
      }
      const sql = isFresh ? statements.insert : statements.insertNew;
      return [...inParts(withoutRepeats(events))].map(
        (part): SqlStatement => ({ sql, params: eventParams(part) }),
      );
    },
  };
}

/** A statement does not see the rows that it inserts itself. @throws AuditError `AUDIT_ID_CONFLICT` */
export function withoutRepeats(events: readonly PreparedEvent[]): readonly PreparedEvent[] {
  const byId = new Map<string, PreparedEvent>();
  for (const event of events) {
    const known = byId.get(event.id);
    if (known === undefined) byId.set(event.id, event);
    else if (known.log !== event.log || Buffer.compare(known.body, event.body) !== 0)
      throw idConflict(event.id);
  }
  return [...byId.values()];
}
