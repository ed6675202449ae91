import type { PreparedEvent, SqlStatement, TransactionalAppend } from '@indelible/core';
import { type EventStatements, eventParams, givenParam, inParts, withoutRepeats } from './event-insert.js';

export interface TransactionalOptions {
  readonly statements: EventStatements;
  /** How the database is named; its label is without its secrets. */
  readonly named: Pick<TransactionalAppend, 'database' | 'identify' | 'nameSql'>;
  /** Told of the events of each call: they may be committed soon. */
  readonly onGiven: (events: readonly PreparedEvent[]) => void;
}

/** A statement takes 65,535 parameters, and these have 32,000. */
export const MAX_ROWS = 2_000;
/** As small as the packets of a server from before MySQL 8 and MariaDB 10.2 may be, because nobody has asked this one. */
export const MAX_BYTES = 1024 * 1024;

/**
 * How events are written on an ORM's connection. Nothing of ours has a generated number, so `LAST_INSERT_ID()` stays what it
 * was. `ROW_COUNT()` can not be kept: it tells the rows of the last statement of ours, until COMMIT sets it to 0 as it always
 * does. Who writes at the end of the transaction, as capturing does, changes nothing that the caller can see.
 */
export function createTransactionalAppend(options: TransactionalOptions): TransactionalAppend {
  const { statements, named, onGiven } = options;
  return {
    dialect: 'mysql',
    ...named,
    statements(events, { isFresh = false } = {}) {
      onGiven(events);
      return [...inParts(withoutRepeats(events), MAX_ROWS, MAX_BYTES)].map((part): SqlStatement => {
        const sql = isFresh ? statements.insert(part.length) : statements.insertMissing(part.length);
        return { sql, params: eventParams(part) };
      });
    },
    countStored: (events) => ({ sql: statements.countStored, params: [givenParam(events)] }),
  };
}
