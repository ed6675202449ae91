import type { CaptureDialect } from '../dialect.js';
import { errorNumbers, errorText } from '../error-text.js';
import { readStatement } from '../statement.js';
import { finishStatements } from './finish-statements.js';
import { SqliteCatalogueCache } from './sqlite-catalogue-cache.js';
import { SqliteSession } from './sqlite-session.js';

// https://www.sqlite.org/rescode.html
const SQLITE_CONSTRAINT = 19;
const SQLITE_BUSY_SNAPSHOT = 517;

/**
 * Captures on SQLite with temporary triggers on the caller's own connection: they see every row that a statement
 * touches, cascades and the application's triggers included, whatever the SQL looks like.
 *
 * Source: https://www.sqlite.org/lang_createtrigger.html (TEMP triggers on non-TEMP tables),
 * https://www.sqlite.org/foreignkeys.html (foreign-key actions fire triggers).
 */
export function createSqliteDialect(): CaptureDialect {
  const catalogues = new SqliteCatalogueCache();
  return {
    name: 'sqlite',
    readStatement,
    prepare: () => undefined,
    abortsOnError: false,
    begin: 'BEGIN IMMEDIATE',
    commit: 'COMMIT',
    rollback: 'ROLLBACK',
    createSession: (connection, options, begun) => new SqliteSession(connection, options, catalogues, begun),
    isBusy: (error) => /database is locked|SQLITE_BUSY\b|database table is locked/i.test(errorText(error)),
    isPartial: (error) =>
      /\bSQLITE_CONSTRAINT/.test(errorText(error)) ||
      errorNumbers(error).some((number) => (number & 0xff) === SQLITE_CONSTRAINT),
    clearForCommit: async (error, tries) => {
      if (!/SQL statements in progress/i.test(errorText(error))) return false;
      await finishStatements(tries);
      return true;
    },
    isStale: (error) =>
      /\bSQLITE_BUSY_SNAPSHOT\b/.test(errorText(error)) || errorNumbers(error).includes(SQLITE_BUSY_SNAPSHOT),
    isMissingTable: (error) => /no such table: (?:main\.)?audit_/i.test(errorText(error)),
  };
}
