import { Socket } from 'node:net';
import { AuditError } from '@indelible/core';
import { createPool, type Pool, type PoolOptions } from 'mysql2/promise';

export const STRICT = "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";

/** What the store's own connections are, whatever the server's or the user's defaults are. */
export const SESSION_SETTINGS = [
  'SET NAMES utf8mb4',
  // Foreign keys and unique keys are guards; nothing here may be off because a configuration file says so. Waits are in seconds:
  // a seal must not wait for who alters a table, and an append is tried again.
  `SET SESSION ${STRICT}, time_zone = '+00:00', autocommit = 1,
    foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, sql_select_limit = DEFAULT,
    innodb_lock_wait_timeout = 1, lock_wait_timeout = 1`,
  // Each statement has to see what was committed before it.
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];

/** Settings of mysql2 from a URL: `mysql://` or `mariadb://`. */
export function readUrl(url: string): {
  readonly config: PoolOptions;
  readonly database: string | undefined;
} {
  const parsed = tryParse(url);
  if (parsed === undefined || !/^(?:mysql|mariadb):$/.test(parsed.protocol)) {
    // Without the cause: Node's own error of a wrong URL quotes the whole of it.
    throw new AuditError('AUDIT_CONFIG_INVALID', 'mysql', 'url: not the URL of a MySQL or MariaDB database', {
      next: 'It has the form mysql://user:password@host:3306/database; what is special in a password is percent-encoded.',
    });
  }
  const database = parsed.searchParams.get('audit_database') ?? undefined;
  parsed.searchParams.delete('audit_database');
  return { config: { uri: parsed.href.replace(/^mariadb:/, 'mysql:') }, database };
}

function tryParse(url: string): URL | undefined {
  try {
    const parsed = new URL(url);
    // What the driver reads from it must be readable.
    for (const part of [parsed.username, parsed.password, parsed.pathname]) decodeURIComponent(part);
    return parsed;
  } catch {
    return undefined;
  }
}

export function createOwnPool(given: PoolOptions, connections: number, connectTimeoutMs: number): Pool {
  const pool = createPool({
    ...given,
    connectionLimit: connections,
    connectTimeout: connectTimeoutMs,
    waitForConnections: true,
    charset: 'utf8mb4',
    multipleStatements: false,
    // The statements of the store are few, and each of a few sizes.
    maxPreparedStatements: 100,
    enableKeepAlive: true,
  });
  // An idle audit must not keep a script from ending.
  pool.pool.on('release', (connection) => streamOf(connection)?.unref());
  pool.pool.on('acquire', (connection) => streamOf(connection)?.ref());
  return pool;
}

/** The socket of a connection of mysql2. */
export function streamOf(connection: unknown): Socket | undefined {
  if (typeof connection !== 'object' || connection === null || !('stream' in connection)) return undefined;
  return connection.stream instanceof Socket ? connection.stream : undefined;
}
