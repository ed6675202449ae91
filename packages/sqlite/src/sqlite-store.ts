import { type AuditStore, PAGE_ROOM, type StoredEntry } from '@indelible/core';
import { deadlineIn } from './busy-retry.js';
import { createCheckpoints } from './checkpoints.js';
import { type DriverChoice, parseDriverChoice } from './choose-driver.js';
import type { Connection, Synchronous } from './connection.js';
import { ConnectionHolder } from './connection-holder.js';
import { DatabaseFile } from './database-file.js';
import { createTransactionalAppend } from './event-insert.js';
import { inspectPending } from './inspect.js';
import { listEvents, tryFindEvent } from './list-events.js';
import { migrate, printMigrations } from './migrate.js';
import { createOutbox } from './outbox.js';
import { EntryPages } from './read-entries.js';
import { readPendingLogs, readSummaries, tryReadHead } from './read-log.js';
import { readByPages } from './read-pages.js';
import { type IdCursor, readOrphanPage, readPendingPage, readStrayPage } from './read-waiting.js';
import { requireTables } from './schema-version.js';
import { type WorkerChoice, Writer } from './writer.js';

export interface SqliteStoreOptions {
  /** The database file. A relative path starts at the working directory. The directory has to be there. */
  readonly file: string;
  /**
   * The SQLite library. `auto`: the one that an ORM of this process uses for the file, else `node:sqlite` where this Node
   * has it (22.16), else libsql.
   *
   * @default 'auto'
   */
  readonly driver?: DriverChoice;
  /** `FULL` survives a power failure, `NORMAL` may lose the last commits in one. @default 'FULL' */
  readonly synchronous?: Synchronous;
  /**
   * How long a call tries while another transaction holds the database, in milliseconds. It should end before the audit's
   * `storeTimeoutMs` does, which would leave a call behind that is still trying.
   *
   * @default 1_500
   */
  readonly busyTimeoutMs?: number;
  /**
   * Reads only: neither the file nor anything beside it is written where that can be avoided, and a file on a read-only
   * disk can be read. What writes fails with `AUDIT_STORE_UNAVAILABLE`.
   *
   * @default false
   */
  readonly readOnly?: boolean;
  /**
   * Whether a thread of its own appends and seals, so that the event loop is spared SQLite's work and the disk's waiting.
   * `auto`: as soon as there is load. Never for a file that an ORM of this process has, which would meet the thread's lock,
   * and never with a driver object, which can not go there.
   *
   * @default 'auto'
   */
  readonly worker?: WorkerChoice;
}

const MIGRATION_TIMEOUT_MS = 30_000;
/** Events that one tick looks at in search of a rare one. */
const WINDOW_ROWS = 2_000;
/** What an index can be, as tampering knows. */
const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/**
 * The embedded store: an audit log in a SQLite file, by itself or beside an application's tables. Several processes may
 * use one file. Nothing is opened before the first call.
 *
 * @throws TypeError for wrong options; AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_DRIVER_MISSING`,
 * `AUDIT_DRIVER_CONFLICT`, `AUDIT_STORE_UNAVAILABLE`
 *
 * @example
 * const store = createSqliteStore({ file: './audit.db' });
 * await store.migrate();
 */
export function createSqliteStore(options: SqliteStoreOptions): AuditStore {
  const { synchronous, busyTimeoutMs, readOnly, worker } = parseOptions(options);
  const file = new DatabaseFile(options.file);
  const holder = new ConnectionHolder(file, parseDriverChoice(options.driver), synchronous, readOnly);
  const writer = new Writer(holder, worker && !readOnly ? worker : false, busyTimeoutMs);
  const use = <T>(work: (connection: Connection) => T): Promise<T> =>
    holder.use(work, deadlineIn(busyTimeoutMs));

  return {
    name: 'sqlite',
    supports: { durable: true, processes: true, insertOnly: true, truncateGuard: true },
    transactional: createTransactionalAppend(file.path),
    outbox: createOutbox(file.path, use),
    checkpoints: createCheckpoints(use),
    migrationSql: printMigrations(),
    migrate: () => migrate(holder, Math.max(busyTimeoutMs, MIGRATION_TIMEOUT_MS)),
    check: () => use(requireTables),
    append: (events) => writer.append(events),
    inspect: () => use(inspectPending),
    pendingLogs: () => use(readPendingLogs),
    seal: (request) => writer.seal(request),
    logs: () => use(readSummaries),
    head: (log) => use((connection) => tryReadHead(connection, log)),
    entries: (log, range) => {
      const pages = new EntryPages(log, range?.to === undefined ? GREATEST : BigInt(range.to) - 1n);
      return readByPages<StoredEntry, bigint>(
        range?.from === undefined ? LEAST : BigInt(range.from),
        (from) => use((connection) => pages.read(connection, from)),
      );
    },
    pending: (log) =>
      readByPages(undefined, (after: IdCursor) =>
        use((connection) => readPendingPage(connection, log, after, PAGE_ROOM)),
      ),
    orphans: (log) =>
      readByPages(undefined, (after: IdCursor) =>
        use((connection) => readOrphanPage(connection, log, after, WINDOW_ROWS, PAGE_ROOM)),
      ),
    strayPending: (log) =>
      readByPages(undefined, (after: IdCursor) =>
        use((connection) => readStrayPage(connection, log, after, WINDOW_ROWS)),
      ),
    find: (id) => use((connection) => tryFindEvent(connection, id)),
    list: (filter = {}) => use((connection) => listEvents(connection, filter)),
    close: async () => {
      holder.end();
      await writer.close();
    },
  };
}

function parseOptions(
  options: SqliteStoreOptions,
): Required<Pick<SqliteStoreOptions, 'synchronous' | 'busyTimeoutMs' | 'readOnly' | 'worker'>> {
  const { file, synchronous = 'FULL', busyTimeoutMs = 1_500, readOnly = false, worker = 'auto' } = options;
  if (typeof file !== 'string') throw new TypeError('[indelible/sqlite] file: expected the path of a file');
  if (!['FULL', 'EXTRA', 'NORMAL'].includes(synchronous)) {
    throw new TypeError("[indelible/sqlite] synchronous: expected 'FULL', 'EXTRA' or 'NORMAL'");
  }
  if (!Number.isFinite(busyTimeoutMs) || busyTimeoutMs < 0) {
    throw new TypeError('[indelible/sqlite] busyTimeoutMs: expected milliseconds');
  }
  if (typeof readOnly !== 'boolean')
    throw new TypeError('[indelible/sqlite] readOnly: expected true or false');
  if (worker !== 'auto' && typeof worker !== 'boolean') {
    throw new TypeError("[indelible/sqlite] worker: expected true, false or 'auto'");
  }
  return { synchronous, busyTimeoutMs, readOnly, worker };
}
