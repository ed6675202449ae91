import type { CaptureDialect } from '../dialect.js';
import { errorNumbers, errorText } from '../error-text.js';
import { endsTransaction } from './ends-transaction.js';
import { MysqlSchema } from './mysql-schema.js';
import { MysqlSession } from './mysql-session.js';
import { readMysqlStatement } from './mysql-statement.js';
import { tokenizeMysql } from './mysql-tokens.js';

export interface MysqlDialectOptions {
  /** The connections count rows that an update has found and not changed (CLIENT_FOUND_ROWS). @default true */
  readonly countsFound?: boolean;
}

const LOCK_WAIT_TIMEOUT = 1205;
const TABLE_MISSING = 1146;

/**
 * Captures on MySQL and MariaDB by letting each write note the rows that it touches, or return them, in the same statement.
 */
export function createMysqlDialect({ countsFound = true }: MysqlDialectOptions = {}): CaptureDialect {
  const schema = new MysqlSchema();
  // No try of ours helps: the caller gets what his own statement would have met.
  const isOver = (error: unknown): boolean =>
    endsTransaction(error) || errorNumbers(error).includes(LOCK_WAIT_TIMEOUT);
  return {
    name: 'mysql',
    readStatement: (sql) => {
      const statement = readMysqlStatement(sql, schema.mode);
      if (statement.movesNames === true) schema.noteSetting(sql);
      if (statement.kind !== 'read' && statement.kind !== 'other') return statement;
      return schema.writingCalls(sql).length === 0 ? statement : { ...statement, kind: 'write' };
    },
    tokenize: (sql) => tokenizeMysql(sql, schema.mode),
    prepare: (connection) => schema.prepare(connection),
    abortsOnError: false,
    goesOn: true,
    begin: 'BEGIN',
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    createSession: (connection, options) => new MysqlSession(connection, options, schema, countsFound),
    isBusy: isOver,
    isStale: isOver,
    isPartial: () => false,
    clearForCommit: async () => false,
    isMissingTable: (error) =>
      (errorNumbers(error).includes(TABLE_MISSING) ||
        /TableDoesNotExist|doesn't exist/.test(errorText(error))) &&
      /audit_/.test(errorText(error)),
  };
}
