import type { AuditStore, StoredEntry } from '@indelible/core';
import { AuditError, FittingPages, PAGE_ROOM, PendingPositions } from '@indelible/core';
import type { PoolOptions } from 'mysql2/promise';
import { appendEvents } from './append.js';
import { createCheckpoints } from './checkpoints.js';
import { Database, reading, UNLIMITED } from './database.js';
import { createEventStatements } from './event-insert.js';
import { readText } from './event-row.js';
import { inspectPending } from './inspect.js';
import { checkFilter, listEvents, tryFindEvent } from './list-events.js';
import { migrate, printMigrations } from './migrate.js';
import type { MysqlPool } from './mysql-pool.js';
import { createOutbox } from './outbox.js';
import { readUrl } from './own-pool.js';
import {
  type IdCursor,
  readEntryPage,
  readOrphanPage,
  readPendingLogs,
  readPendingPage,
  readStrayPage,
  readSummaries,
  tryReadHead,
} from './read-log.js';
import { readByPages } from './read-pages.js';
import { parseRoles, type RoleNames } from './roles.js';
import { requireTables, SchemaCheck } from './schema-version.js';
import { sealBatch } from './seal.js';
import type { Session } from './session.js';
import { nameTables } from './tables.js';
import { createTransactionalAppend } from './transactional-append.js';

export interface MysqlStoreOptions {
  /** `mysql://user:password@host:3306/database` or `mariadb://…`. This, `config` or `pool`. */
  readonly url?: string;
  /** What `createPool` of mysql2 takes, for a pool of the store's own: what no URL can say. `connectionLimit` is `connections`. */
  readonly config?: PoolOptions;
  /** A pool of mysql2 or mariadb. It is used and never ended; a connection of it is held for one call at a time. */
  readonly pool?: MysqlPool;
  /** The database of the audit tables. @default that of the connection */
  readonly database?: string;
  /** The roles of the privileges that `migrationSql` prints; false: none. @default indelible_writer, _sealer, _reader */
  readonly roles?: RoleNames | boolean;
  /** Connections of the store's own pool. @default 4 */
  readonly connections?: number;
  /** How long a call waits for a connection, in milliseconds. @default 5_000 */
  readonly connectTimeoutMs?: number;
  /**
   * How long one call may use a connection, in milliseconds: one that takes longer fails with `AUDIT_STORE_TIMEOUT`, and its
   * connection is closed. Without an end a network that swallows packets would keep all connections. Migrations, and
   * reading how large each log is, have no limit.
   *
   * @default 15_000
   */
  readonly callTimeoutMs?: number;
  /** Reads only: what would write fails with `AUDIT_STORE_UNAVAILABLE`. @default false */
  readonly readOnly?: boolean;
  /** Told of what works and should be looked after: a server that loses commits when it crashes. @default one line on stderr */
  readonly onWarning?: (message: string) => void;
}

/** Events that one statement looks at in search of a rare one. */
const WINDOW_ROWS = 5_000;
/** What an index can be, as tampering knows. */
const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/**
 * The MySQL and MariaDB store: an audit log in the application's own database, in tables whose names begin with `audit_`. Any
 * number of processes may use one database. Nothing is opened before the first call.
 *
 * @throws TypeError for wrong options; AuditError `AUDIT_CONFIG_INVALID` for a URL that is none
 *
 * @example
 * const store = createMysqlStore({ url: 'mysql://app@localhost/app' });
 * await store.migrate();
 */
export function createMysqlStore(options: MysqlStoreOptions): AuditStore {
  const { readOnly, warn } = parseOptions(options);
  const fromUrl = options.url === undefined ? undefined : readUrl(options.url);
  const tables = nameTables(options.database ?? fromUrl?.database);
  const roles = parseRoles(options.roles);
  const database = new Database({
    config: fromUrl?.config ?? options.config,
    pool: options.pool,
    connections: options.connections ?? 4,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    callTimeoutMs: options.callTimeoutMs ?? 15_000,
    database: tables.database,
  });
  const statements = createEventStatements(tables);
  const schema = new SchemaCheck(tables);
  const positions = new PendingPositions();
  const read = <T>(work: (session: Session) => Promise<T>, limitMs?: number): Promise<T> =>
    database.useAgain(
      (session) =>
        reading(session, async () => {
          await schema.require(session);
          return work(session);
        }),
      limitMs,
    );
  const writable = (): void => {
    if (readOnly) {
      throw new AuditError('AUDIT_STORE_UNAVAILABLE', 'mysql', 'the store was opened to read only', {
        next: 'Open it without `readOnly`.',
      });
    }
  };

  const named = {
    database: database.label,
    identify: () => read(async (session) => readText((await session.run(tables.nameSql)).rows[0]?.[0])),
    nameSql: tables.nameSql,
  };

  return {
    name: 'mysql',
    supports: { durable: true, processes: true, insertOnly: true, truncateGuard: false },
    transactional: createTransactionalAppend({
      statements,
      named,
      onGiven: (events) => positions.given(events),
    }),
    outbox: createOutbox({ database, tables, schema, named }),
    checkpoints: createCheckpoints({ database, tables, schema, writable }),
    migrationSql: printMigrations(tables, roles),
    migrate: async () => {
      writable();
      schema.forget();
      return migrate(database, tables);
    },
    check: async () => {
      schema.forget();
      await read(async (session) => {
        await requireTables(session, tables);
        await warnOfLoss(session, warn);
      });
    },
    append: async (events) => {
      writable();
      positions.given(events);
      return appendEvents(database, statements, schema, events);
    },
    inspect: () => read((session) => inspectPending(session, tables)),
    pendingLogs: () => read((session) => readPendingLogs(session, tables)),
    seal: async (request) => {
      writable();
      return sealBatch({ database, tables, schema, positions }, request);
    },
    logs: () => read((session) => readSummaries(session, tables), UNLIMITED),
    head: (log) => read((session) => tryReadHead(session, tables, log)),
    entries: (log, range) => {
      const last = range?.to === undefined ? GREATEST : BigInt(range.to) - 1n;
      const pages = new FittingPages();
      return readByPages<StoredEntry, bigint>(
        range?.from === undefined ? LEAST : BigInt(range.from),
        (from) => read((session) => readEntryPage(session, tables, log, { from, last, pages })),
      );
    },
    pending: (log) => {
      const pages = new FittingPages();
      return readByPages(undefined, (after: IdCursor) =>
        read((session) => readPendingPage(session, tables, log, after, pages)),
      );
    },
    orphans: (log) => {
      const pages = new FittingPages({ rows: WINDOW_ROWS, bytes: PAGE_ROOM.bytes });
      return readByPages(undefined, (after: IdCursor) =>
        read((session) => readOrphanPage(session, tables, log, after, pages)),
      );
    },
    strayPending: (log) =>
      readByPages(undefined, (after: IdCursor) =>
        read((session) => readStrayPage(session, tables, log, after, WINDOW_ROWS)),
      ),
    find: (id) => read((session) => tryFindEvent(session, tables, id)),
    list: async (filter = {}) => {
      checkFilter(filter);
      return read((session) => listEvents(session, tables, filter));
    },
    close: () => database.close(),
  };
}

/** No session can set this for itself, as it could on PostgreSQL. */
async function warnOfLoss(session: Session, warn: (message: string) => void): Promise<void> {
  const { rows } = await session.run('SELECT @@innodb_flush_log_at_trx_commit');
  if (Number(rows[0]?.[0]) === 1) return;
  warn(
    `innodb_flush_log_at_trx_commit is ${rows[0]?.[0]}: commits of the last second, events among them, are lost when the server crashes`,
  );
}

function parseOptions(options: MysqlStoreOptions): { readOnly: boolean; warn: (message: string) => void } {
  const { url, config, pool, connections = 4, connectTimeoutMs = 5_000, readOnly = false } = options;
  const { callTimeoutMs = 15_000, onWarning } = options;
  if ([url, config, pool].filter((way) => way !== undefined).length !== 1)
    throw wrong('url, config, pool', 'one of them');
  if (url !== undefined && typeof url !== 'string') throw wrong('url', 'a text');
  if (config !== undefined && (typeof config !== 'object' || config === null))
    throw wrong('config', 'settings of mysql2');
  if (pool !== undefined && typeof pool?.getConnection !== 'function')
    throw wrong('pool', 'a pool of mysql2/promise or mariadb');
  if (!Number.isSafeInteger(connections) || connections < 1)
    throw wrong('connections', 'a whole number from 1 up');
  if (!Number.isFinite(connectTimeoutMs) || connectTimeoutMs < 0)
    throw wrong('connectTimeoutMs', 'milliseconds');
  if (!Number.isFinite(callTimeoutMs) || callTimeoutMs <= 0) throw wrong('callTimeoutMs', 'milliseconds');
  if (typeof readOnly !== 'boolean') throw wrong('readOnly', 'true or false');
  if (onWarning !== undefined && typeof onWarning !== 'function') throw wrong('onWarning', 'a function');
  const told = new Set<string>();
  return {
    readOnly,
    warn: (message) => {
      if (told.has(message)) return;
      told.add(message);
      if (onWarning === undefined) console.warn(`[indelible/mysql] ${message}.`);
      else onWarning(message);
    },
  };
}

function wrong(option: string, expected: string): TypeError {
  return new TypeError(`[indelible/mysql] ${option}: expected ${expected}`);
}
