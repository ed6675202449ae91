import { AuditError, type ErrorCode } from '@indelible/core';

/** Somebody else holds the lock: try again in another tick. Never leaves the package. */
export class BusyError extends Error {
  constructor(cause: unknown) {
    super('the database is locked', { cause });
    this.name = 'BusyError';
  }
}

/** Primary result codes, https://www.sqlite.org/rescode.html */
const NAMES: Readonly<Record<number, string>> = {
  3: 'PERM',
  5: 'BUSY',
  6: 'LOCKED',
  8: 'READONLY',
  10: 'IOERR',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  15: 'PROTOCOL',
  19: 'CONSTRAINT',
  22: 'NOLFS',
  23: 'AUTH',
  26: 'NOTADB',
};

const UNAVAILABLE: Readonly<Record<string, string>> = {
  PERM: 'may not be written by this process',
  READONLY: 'is read-only for this process',
  IOERR: 'can not be read or written: the disk reports an error',
  CORRUPT: 'is damaged',
  FULL: 'can not grow: the disk is full',
  CANTOPEN: 'can not be opened',
  NOLFS: 'is too large for this system',
  AUTH: 'may not be used by this process',
  NOTADB: 'is not a SQLite database',
};

/**
 * Puts what a driver throws into our words. Each library spells result codes its own way: `code: 'SQLITE_BUSY_SNAPSHOT'`
 * (better-sqlite3, libsql), `rawCode` (libsql), `errcode` (node:sqlite).
 *
 * @param fileName without its directory, which is nobody's business in a message
 */
export function mapSqliteError(error: unknown, fileName: string): BusyError | AuditError {
  if (error instanceof BusyError || error instanceof AuditError) return error;
  const name = resultName(error);
  // PROTOCOL: processes that open a WAL file at the same moment got into each other's way.
  if (name === 'BUSY' || name === 'LOCKED' || name === 'PROTOCOL') return new BusyError(error);
  const message = error instanceof Error ? error.message : String(error);
  if (name === 'CONSTRAINT') {
    return failure('AUDIT_INSERT_ONLY', `${fileName} refused a row: ${message}`, error);
  }
  if (/no such (table|column): /.test(message) && message.includes('audit_')) {
    return tablesMissing(fileName, message, error);
  }
  const what = UNAVAILABLE[name ?? ''] ?? `refused a statement: ${message}`;
  return failure('AUDIT_STORE_UNAVAILABLE', `the database file ${fileName} ${what}`, error);
}

export function tablesMissing(fileName: string, detail: string, cause?: unknown): AuditError {
  return new AuditError('AUDIT_TABLES_MISSING', 'sqlite', `${fileName} has no audit tables (${detail})`, {
    cause,
    next: `Run \`npx indelible migrate --url file:<path>/${fileName}\`, or call \`await audit.migrate()\` when the application starts.`,
  });
}

function failure(code: ErrorCode, message: string, cause: unknown): AuditError {
  return new AuditError(code, 'sqlite', message, { cause });
}

function resultName(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  for (const key of ['errcode', 'rawCode']) {
    const value: unknown = Reflect.get(error, key);
    if (typeof value === 'number') return NAMES[value & 0xff];
  }
  const code: unknown = Reflect.get(error, 'code');
  const named = typeof code === 'string' ? /^SQLITE_([A-Z]+)/.exec(code)?.[1] : undefined;
  if (named !== undefined) return named;
  // libsql, where the file can not be opened: `ConnectionFailed("Unable to open connection … : 14")`
  const opening =
    error instanceof Error ? /^ConnectionFailed\(.*: (\d+)"\)$/.exec(error.message)?.[1] : undefined;
  return opening === undefined ? undefined : NAMES[Number(opening) & 0xff];
}
