import { AuditError, type ErrorCode } from '@indelible/core';

type Told = readonly [code: ErrorCode, what: string, next?: string];

const UNAVAILABLE = 'AUDIT_STORE_UNAVAILABLE';
const TIMEOUT = 'AUDIT_STORE_TIMEOUT';
const INVALID = 'AUDIT_EVENT_INVALID';
const GRANT = 'GRANT it the privileges that it needs; `npx indelible migrate --print` lists them.';
const LOGGED =
  'Migrate as a user with SUPER, or set log_bin_trust_function_creators = 1 on the server: its binary log asks for it.';
const UNNAMED = 'Put it into the URL, mysql://host/database, or set the option `database`.';
const DEFINER =
  'The user who migrated is gone, and the triggers have his rights: make him again, or the triggers anew.';

/** What the store makes of an error number, https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference */
const BY_NUMBER: Readonly<Record<number, Told>> = {
  1021: [UNAVAILABLE, 'can not grow: the disk is full'],
  1037: [UNAVAILABLE, 'is out of memory'],
  1040: [UNAVAILABLE, 'has no connection left'],
  1041: [UNAVAILABLE, 'is out of memory'],
  1044: [UNAVAILABLE, 'does not let this user in'],
  1045: [UNAVAILABLE, 'does not let this user in'],
  1046: [UNAVAILABLE, 'is not named', UNNAMED],
  1049: [UNAVAILABLE, 'does not exist'],
  1053: [UNAVAILABLE, 'is shutting down'],
  1062: ['AUDIT_INSERT_ONLY', 'refused a row that is there already'],
  1105: [INVALID, 'refused a statement that is too large for it'],
  1114: [UNAVAILABLE, 'can not grow: the table is full'],
  1118: [INVALID, 'refused an event that is too large for it'],
  1142: [UNAVAILABLE, 'does not give this user the rights', GRANT],
  1143: [UNAVAILABLE, 'does not give this user the rights', GRANT],
  1153: [INVALID, 'refused an event that is too large for it', 'Raise max_allowed_packet of the server.'],
  1203: [UNAVAILABLE, 'has no connection left'],
  1205: [TIMEOUT, 'did not give a lock in time'],
  1213: [TIMEOUT, 'chose this transaction to end a deadlock'],
  1227: [UNAVAILABLE, 'does not give this user the rights', GRANT],
  1290: [UNAVAILABLE, 'is read-only'],
  1317: [TIMEOUT, 'cancelled a statement'],
  1366: [INVALID, 'refused a text that it can not hold'],
  1370: [UNAVAILABLE, 'does not give this user the rights', GRANT],
  1406: [INVALID, 'refused an event that is too large for it'],
  1418: [UNAVAILABLE, 'does not let this user make functions', LOGGED],
  1419: [UNAVAILABLE, 'does not let this user make triggers', LOGGED],
  1449: [UNAVAILABLE, 'can not run the triggers of the log', DEFINER],
  1451: ['AUDIT_INSERT_ONLY', 'refused to change what the log holds'],
  1644: ['AUDIT_INSERT_ONLY', 'refused to change what the log holds'],
  1701: ['AUDIT_INSERT_ONLY', 'refused to truncate what the log holds'],
  1698: [UNAVAILABLE, 'does not let this user in'],
  1792: [UNAVAILABLE, 'is read-only for this transaction'],
  1836: [UNAVAILABLE, 'is read-only'],
  1927: [UNAVAILABLE, 'is gone: the connection was killed'],
  1969: [TIMEOUT, 'cancelled a statement: max_statement_time'],
  3024: [TIMEOUT, 'cancelled a statement: max_execution_time'],
  3572: [TIMEOUT, 'did not give a lock at once'],
  4031: [UNAVAILABLE, 'is gone: the connection was idle for too long'],
  // mariadb counts its own errors from 45,000.
  45012: [TIMEOUT, 'does not answer'],
  45028: [TIMEOUT, 'gave no connection in time'],
  31001: ['AUDIT_INSERT_ONLY', 'refused to change what the log holds'],
};

const BY_CODE: Readonly<Record<string, Told>> = {
  ECONNREFUSED: [UNAVAILABLE, 'refuses connections'],
  ENOTFOUND: [UNAVAILABLE, 'is on a host that can not be found'],
  EAI_AGAIN: [UNAVAILABLE, 'is on a host that can not be found now'],
  ETIMEDOUT: [TIMEOUT, 'does not answer'],
};

/** Of a table, a column, a function, or of all of them. */
const MISSING: ReadonlySet<number> = new Set([1054, 1146, 1305]);

export const DUPLICATE = 1062;
/** A statement of ours met another transaction and can simply be run again. */
const PASSING: ReadonlySet<number> = new Set([1205, 1213, 1020]);
/** The connection ended: the server, an administrator or a limit did it. */
const BROKEN: ReadonlySet<number> = new Set([1053, 1927, 4031, 1152, 1158, 1159, 1160, 1161]);
const BROKEN_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
]);

/** Puts what the driver throws into our words. The cause is kept: the server's messages quote names and keys, never a password. */
export function mapMysqlError(error: unknown, database: string | undefined): AuditError {
  if (error instanceof AuditError) return error;
  const number = errorNumber(error);
  const message = messageOf(error);
  if (MISSING.has(number)) return tablesMissing(database, message, error);
  const [code, what, next] = BY_NUMBER[number] ?? BY_CODE[errorCode(error)] ?? byNothing(error);
  const detail = message === '' ? errorCode(error) : message;
  return new AuditError(code, 'mysql', `the database ${what} (${detail})`, {
    cause: error,
    ...(next === undefined ? {} : { next }),
  });
}

/** What the server said: mariadb's own message goes on with the statement and its values. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'sqlMessage' in error && typeof error.sqlMessage === 'string' ? error.sqlMessage : error.message;
}

function byNothing(error: unknown): Told {
  if (isConnectionBroken(error)) return [UNAVAILABLE, 'is gone: the connection broke'];
  return [UNAVAILABLE, 'refused a statement'];
}

export function tablesMissing(database: string | undefined, detail: string, cause?: unknown): AuditError {
  const where = database === undefined ? 'the database' : `the database ${database}`;
  return new AuditError('AUDIT_TABLES_MISSING', 'mysql', `${where} has no audit tables (${detail})`, {
    cause,
    next: 'Run `npx indelible migrate --url mysql://…`, or call `await audit.migrate()` when the application starts.',
  });
}

/** The number of a server's error, or 0. */
export function errorNumber(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return 0;
  // An error of the operating system has a negative one.
  return typeof error.errno === 'number' && error.errno > 0 ? error.errno : 0;
}

function errorCode(error: unknown): string {
  return textOf(error, 'code');
}

function textOf(error: unknown, name: 'code' | 'sqlState'): string {
  if (typeof error !== 'object' || error === null) return '';
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}

/** True where the connection is gone, and with it what anybody knew of the statement's outcome. */
export function isConnectionBroken(error: unknown): boolean {
  // "Communication link failure": of the server, or of mariadb about its own socket.
  if (textOf(error, 'sqlState') === '08S01') return true;
  if (BROKEN.has(errorNumber(error)) || BROKEN_CODES.has(errorCode(error))) return true;
  const message = error instanceof Error ? error.message : '';
  return /connection is in closed state|Connection lost/i.test(message);
}

export function isPassing(error: unknown): boolean {
  return PASSING.has(errorNumber(error));
}
