import { AuditError, type ErrorCode } from '@indelible/core';

type Told = readonly [code: ErrorCode, what: string];

const UNAVAILABLE = 'AUDIT_STORE_UNAVAILABLE';

/** What the store makes of an SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_STATE: Readonly<Record<string, Told>> = {
  '22021': ['AUDIT_EVENT_INVALID', 'refused a text that it can not hold'],
  '22P02': ['AUDIT_EVENT_INVALID', 'refused an event: an id is no UUID'],
  '23001': ['AUDIT_INSERT_ONLY', 'refused to change what the log holds'],
  '23505': ['AUDIT_INSERT_ONLY', 'refused a row that is there already'],
  '25006': [UNAVAILABLE, 'is read-only: a standby, or a session that may not write'],
  '28000': [UNAVAILABLE, 'does not let this role in'],
  '28P01': [UNAVAILABLE, 'refuses the password'],
  '3D000': [UNAVAILABLE, 'does not exist'],
  '42501': [UNAVAILABLE, 'does not give this role the rights'],
  '53100': [UNAVAILABLE, 'can not grow: the disk is full'],
  '53200': [UNAVAILABLE, 'is out of memory'],
  '53300': [UNAVAILABLE, 'has no connection left'],
  '54000': ['AUDIT_EVENT_INVALID', 'refused an event that is too large for it'],
  '55P03': ['AUDIT_STORE_TIMEOUT', 'did not give a lock in time'],
  '57014': ['AUDIT_STORE_TIMEOUT', 'cancelled a statement: statement_timeout, or somebody did'],
  '57P01': [UNAVAILABLE, 'is shutting down'],
  '57P02': [UNAVAILABLE, 'has crashed and recovers'],
  '57P03': [UNAVAILABLE, 'is starting up'],
};

const BY_CODE: Readonly<Record<string, Told>> = {
  ECONNREFUSED: [UNAVAILABLE, 'refuses connections'],
  ENOTFOUND: [UNAVAILABLE, 'is on a host that can not be found'],
  EAI_AGAIN: [UNAVAILABLE, 'is on a host that can not be found now'],
  ETIMEDOUT: ['AUDIT_STORE_TIMEOUT', 'does not answer'],
};

const MISSING: ReadonlySet<string> = new Set(['42P01', '3F000', '42883', '42703']);

/** A statement of ours met another transaction and can simply be run again. */
const PASSING: ReadonlySet<string> = new Set(['40001', '40P01']);

/**
 * Puts what node-postgres throws into our words. The cause is kept: PostgreSQL's messages quote names and values of rows, never
 * a password.
 */
export function mapPostgresError(error: unknown, schema: string): AuditError {
  if (error instanceof AuditError) return error;
  const code = sqlState(error);
  const message = error instanceof Error ? error.message : String(error);
  if (MISSING.has(code)) return tablesMissing(schema, message, error);
  const [ours, what] = BY_STATE[code] ?? BY_CODE[code] ?? byMessage(code, message);
  const detail = message === '' ? code : message;
  return new AuditError(ours, 'postgres', `the database ${what} (${detail})`, {
    cause: error,
    ...(code === '42501'
      ? {
          next: 'GRANT it the roles that it needs (indelible_writer, …); the README of the package lists them.',
        }
      : {}),
  });
}

function byMessage(code: string, message: string): Told {
  if (isBroken(code, message)) return [UNAVAILABLE, 'is gone: the connection broke'];
  if (/timeout/i.test(message)) return ['AUDIT_STORE_TIMEOUT', 'gave no connection in time'];
  return [UNAVAILABLE, 'refused a statement'];
}

export function tablesMissing(schema: string, detail: string, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_TABLES_MISSING',
    'postgres',
    `the schema ${schema} has no audit tables (${detail})`,
    {
      cause,
      next: 'Run `npx indelible migrate --url postgres://…`, or call `await audit.migrate()` when the application starts.',
    },
  );
}

/** The SQLSTATE of a failed statement, the code of a failed connection, or ''. */
export function sqlState(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** True where the connection is gone, and with it what anybody knew of the statement's outcome. */
export function isConnectionBroken(error: unknown): boolean {
  return isBroken(sqlState(error), error instanceof Error ? error.message : '');
}

export function isPassing(error: unknown): boolean {
  return PASSING.has(sqlState(error));
}

function isBroken(code: string, message: string): boolean {
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === '57P01' || code === '57P02') return true;
  if (code.length === 5 && code.startsWith('08')) return true;
  return /^Connection terminated(?! due to connection timeout)|not queryable/.test(message);
}
