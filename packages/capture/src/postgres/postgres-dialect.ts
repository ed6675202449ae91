import type { CaptureDialect } from '../dialect.js';
import { errorText } from '../error-text.js';
import { PostgresSchema } from './postgres-schema.js';
import { PostgresSession } from './postgres-session.js';
import { readPostgresStatement } from './postgres-statement.js';

/**
 * Captures on PostgreSQL by letting each write return the rows that it touched, before and after, in the same statement.
 */
export function createPostgresDialect(): CaptureDialect {
  const schema = new PostgresSchema();
  return {
    name: 'postgres',
    readStatement: (sql) => {
      const statement = readPostgresStatement(sql);
      if (statement.kind !== 'read' || schema.writingCalls(sql, true).length === 0) return statement;
      return { ...statement, kind: 'write' };
    },
    prepare: (connection) => schema.prepare(connection),
    abortsOnError: true,
    begin: 'BEGIN',
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    createSession: (connection, options) => new PostgresSession(connection, options, schema),
    isBusy: () => false,
    isPartial: () => false,
    isStale: () => false,
    clearForCommit: async () => false,
    isMissingTable: (error) =>
      /(?:relation|schema) "(?:audit\.)?audit(?:_\w+)?" does not exist/i.test(errorText(error)),
  };
}
