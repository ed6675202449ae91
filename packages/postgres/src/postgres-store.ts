import type { AuditStore, StoredEntry } from '@indelible/core';
import { AuditError, FittingPages, PAGE_ROOM, PendingPositions } from '@indelible/core';
import { appendEvents } from './append.js';
import { createCheckpoints } from './checkpoints.js';
import { BEGIN_READING, Database, inTransaction, UNLIMITED } from './database.js';
import { createEventStatements } from './event-insert.js';
import { readText } from './event-row.js';
import { inspectPending } from './inspect.js';
import { checkFilter, listEvents, tryFindEvent } from './list-events.js';
import { migrate, printMigrations } from './migrate.js';
import { createOutbox } from './outbox.js';
import { Partitions } from './partitions.js';
import type { PgPool } from './pg-pool.js';
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
import { databaseNameSql, nameTables } from './tables.js';
import { createTransactionalAppend } from './transactional-append.js';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database?sslmode=…`, as node-postgres reads it. This, `config` or `pool`. */
  readonly url?: string;
  /** What `new pg.Pool(config)` takes, for a pool of the store's own: what no URL can say. Its `max` is `connections`. */
  readonly config?: object;
  /** A pool of node-postgres. It is used and never ended; a connection of it is held for one call at a time. */
  readonly pool?: PgPool;
  /** The schema of the audit tables. @default 'audit' */
  readonly schema?: string;
  /** The group roles that `migrate` makes and grants to; false: none. @default indelible_writer, _sealer, _reader */
  readonly roles?: RoleNames | boolean;
  /** Connections of the store's own pool. @default 4 */
  readonly connections?: number;
  /** How long a call waits for a connection of that pool, in milliseconds. @default 5_000 */
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
  /** Told of what works and should be looked after: missing roles, partitions that are not ahead. @default one line on stderr */
  readonly onWarning?: (message: string) => void;
}

/** Events that one transaction seals where many wait: so many wait for the disk once. */
const SEAL_ROWS = 4_000;
/** Events that one statement looks at in search of a rare one. */
const WINDOW_ROWS = 5_000;
/** What an index can be, as tampering knows. */
const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/**
 * The PostgreSQL store: an audit log in a schema of its own. Any number of processes may use one database. Nothing is opened
 * before the first call.
 *
 * @throws TypeError for wrong options; AuditError `AUDIT_CONFIG_INVALID` for a URL that node-postgres can not read
 *
 * @example
 * const store = createPostgresStore({ url: 'postgres://app@localhost/app' });
 * await store.migrate();
 */
export function createPostgresStore(options: PostgresStoreOptions): AuditStore {
  const { readOnly, warn } = parseOptions(options);
  const tables = nameTables(options.schema ?? 'audit');
  const roles = parseRoles(options.roles);
  const database = new Database({
    config: options.url === undefined ? options.config : { connectionString: options.url },
    pool: options.pool,
    connections: options.connections ?? 4,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    callTimeoutMs: options.callTimeoutMs ?? 15_000,
    schema: tables.schema,
  });
  const statements = createEventStatements(tables);
  const schema = new SchemaCheck(tables);
  const positions = new PendingPositions();
  const partitions = new Partitions(database, tables, warn);
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    database.useAgain(async (session) => {
      await schema.require(session);
      return work(session);
    });
  const readByKey = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    read((session) => inTransaction(session, () => work(session), BEGIN_READING));
  const writable = (): void => {
    if (readOnly) {
      throw new AuditError('AUDIT_STORE_UNAVAILABLE', 'postgres', 'the store was opened to read only', {
        next: 'Open it without `readOnly`.',
      });
    }
  };

  const nameSql = databaseNameSql(tables.schema);
  const named = {
    database: database.label,
    identify: () => read(async (session) => readText((await session.query(nameSql)).rows[0]?.[0])),
    nameSql,
    schema: tables.schema,
  };

  return {
    name: 'postgres',
    supports: { durable: true, processes: true, insertOnly: true, truncateGuard: true },
    transactional: createTransactionalAppend({
      ...named,
      statements,
      texts: tables.texts,
      onGiven: (events) => positions.given(events),
    }),
    outbox: createOutbox({ database, tables, schema, named }),
    checkpoints: createCheckpoints({ database, tables, schema, writable }),
    migrationSql: printMigrations(tables, roles),
    migrate: async () => {
      writable();
      schema.forget();
      const outcome = await migrate(database, { tables, roles, warn });
      await partitions.makeAhead();
      return outcome;
    },
    check: async () => {
      schema.forget();
      await read(async (session) => {
        await requireTables(session, tables);
        await partitions.countAhead(session);
      });
    },
    append: async (events) => {
      writable();
      positions.given(events);
      return appendEvents(database, statements, { schema, texts: tables.texts }, events);
    },
    inspect: () =>
      readByKey(async (session) => ({
        ...(await inspectPending(session, tables)),
        partitionsAhead: await partitions.countAhead(session),
      })),
    pendingLogs: () => readByKey((session) => readPendingLogs(session, tables)),
    sealLimit: SEAL_ROWS,
    seal: async (request) => {
      writable();
      const outcome = await sealBatch({ database, tables, schema, positions }, request);
      await partitions.keepAhead();
      return outcome;
    },
    logs: () =>
      database.use(async (session) => {
        await schema.require(session);
        return readSummaries(session, tables);
      }, UNLIMITED),
    head: (log) => read((session) => tryReadHead(session, tables, log)),
    entries: (log, range) => {
      const last = range?.to === undefined ? GREATEST : BigInt(range.to) - 1n;
      const pages = new FittingPages();
      return readByPages<StoredEntry, bigint>(
        range?.from === undefined ? LEAST : BigInt(range.from),
        (from) => readByKey((session) => readEntryPage(session, tables, log, { from, last, pages })),
      );
    },
    pending: (log) => {
      const pages = new FittingPages();
      return readByPages(undefined, (after: IdCursor) =>
        readByKey((session) => readPendingPage(session, tables, log, after, pages)),
      );
    },
    orphans: (log) => {
      const pages = new FittingPages({ rows: WINDOW_ROWS, bytes: PAGE_ROOM.bytes });
      return readByPages(undefined, (after: IdCursor) =>
        readByKey((session) => readOrphanPage(session, tables, log, after, pages)),
      );
    },
    strayPending: (log) =>
      readByPages(undefined, (after: IdCursor) =>
        readByKey((session) => readStrayPage(session, tables, log, after, WINDOW_ROWS)),
      ),
    find: (id) => read((session) => tryFindEvent(session, tables, id)),
    list: async (filter = {}) => {
      checkFilter(filter);
      return readByKey((session) => listEvents(session, tables, filter));
    },
    close: () => database.close(),
  };
}

function parseOptions(options: PostgresStoreOptions): { readOnly: boolean; warn: (message: string) => void } {
  const { url, config, pool, connections = 4, connectTimeoutMs = 5_000, readOnly = false } = options;
  const { callTimeoutMs = 15_000, onWarning } = options;
  if ([url, config, pool].filter((way) => way !== undefined).length !== 1)
    throw wrong('url, config, pool', 'one of them');
  if (url !== undefined && typeof url !== 'string') throw wrong('url', 'a text');
  if (config !== undefined && (typeof config !== 'object' || config === null))
    throw wrong('config', 'settings of node-postgres');
  if (pool !== undefined && typeof pool?.connect !== 'function')
    throw wrong('pool', 'a pool of node-postgres');
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
      if (onWarning === undefined) console.warn(`[indelible/postgres] ${message}.`);
      else onWarning(message);
    },
  };
}

function wrong(option: string, expected: string): TypeError {
  return new TypeError(`[indelible/postgres] ${option}: expected ${expected}`);
}
