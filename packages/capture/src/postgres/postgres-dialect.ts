import type { CaptureDialect } from '../dialect.js';
import { errorText } from '../error-text.js';
import { PostgresSchema } from './postgres-schema.js';
import { PostgresSession } from './postgres-session.js';
import { isSeveral, readPostgresStatement } from './postgres-statement.js';
import { tokenizePostgres } from './postgres-tokens.js';

/**
 * Captures on PostgreSQL by letting each write return the rows that it touched, before and after, in the same statement.
 */
export function createPostgresDialect(): CaptureDialect {
  const schema = new PostgresSchema();
  return {
    name: 'postgres',
    readStatement: (sql) => {
      const statement = readPostgresStatement(sql);
      if (statement.kind === 'read' || statement.kind === 'other') schema.noteSetting(sql);
      if (statement.kind === 'schema') schema.noteFunctions(sql);
      else if (statement.kind !== 'read' && statement.kind !== 'other') return statement;
      // A view that calls a function does not call it yet when it is made.
      if (statement.kind === 'schema' && !isSeveral(tokenizePostgres(sql))) return statement;
      return schema.writingCalls(sql, true).length === 0 ? statement : { ...statement, kind: 'write' };
    },
    tokenize: tokenizePostgres,
    prepare: (connection) => schema.prepare(connection),
    tells: () => schema.hasRecorders,
    abortsOnError: true,
    begin: 'BEGIN',
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    createSession: (connection, options, begun) => new PostgresSession(connection, options, schema, begun),
    // No try of ours helps: the caller gets what his own statement would have met.
    isBusy: endsTransaction,
    isStale: endsTransaction,
    isPartial: () => false,
    clearForCommit: async () => false,
    isMissingTable: (error) =>
      /(?:relation|schema) "(?:audit\.)?audit(?:_\w+)?" does not exist/i.test(errorText(error)),
  };
}

// An aborted transaction, a deadlock or a conflict, a lock or a statement that took too long, a connection that is gone.
const ENDS_TRANSACTION =
  /\b(?:25P02|4000[1-3]|40P01|55P03|57014|57P0[1-5]|08[0P]0[0-9])\b|Connection(?:Closed| terminated)|SocketTimeout|is not queryable/;

function endsTransaction(error: unknown): boolean {
  return ENDS_TRANSACTION.test(errorText(error));
}
