import { AuditError } from '@indelible/core';
import pg from 'pg';
import type { PgClient, PgPool } from './pg-pool.js';
import { isConnectionBroken, mapPostgresError } from './postgres-error.js';
import { Session } from './session.js';

export interface DatabaseSource {
  /** Of the pool that is made. */
  readonly config?: object | undefined;
  readonly pool?: PgPool | undefined;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** A call that takes longer gives its connection up. */
  readonly callTimeoutMs: number;
  /** For messages. */
  readonly schema: string;
}

/** The way to the database: a pool of its own, or somebody's that it never ends. */
export class Database {
  /** Names the database as the configuration does, without secrets: alike before it can be reached and after a restart. */
  readonly label: string;
  private readonly pool: PgPool;
  private readonly own: pg.Pool | undefined;
  private ending: Promise<void> | undefined;

  constructor(private readonly source: DatabaseSource) {
    this.own = source.pool === undefined ? createPool(source) : undefined;
    const pool = source.pool ?? this.own;
    if (pool === undefined) throw new TypeError('[indelible/postgres] expected `url`, `config` or `pool`');
    this.pool = pool;
    this.label = labelOf(source.pool === undefined ? source.config : source.pool.options);
  }

  /**
   * Runs `work` on a connection. What the database refuses becomes an `AuditError`; what else `work` throws is thrown as it is,
   * inside a `WorkError`. After `limitMs` the connection is closed: behind one that a network has forgotten the answer would
   * never come, and the connection never go back to the pool.
   */
  async use<T>(
    work: (session: Session) => Promise<T>,
    limitMs: number = this.source.callTimeoutMs,
  ): Promise<T> {
    const client = await this.connect();
    // A connection that breaks says so to its listeners too, and without one the process would end.
    const listener = () => {};
    client.on('error', listener);
    const session = new Session(client);
    let isLate = false;
    const timer =
      limitMs === UNLIMITED
        ? undefined
        : setTimeout(() => {
            isLate = true;
            client.release(true);
          }, limitMs);
    try {
      return await work(session);
    } catch (error) {
      if (isLate) throw tooLate(limitMs, error);
      if (isConnectionBroken(error)) session.broken = true;
      throw error instanceof WorkError ? error.thrown : mapPostgresError(error, this.source.schema);
    } finally {
      clearTimeout(timer);
      if (!isLate) {
        client.removeListener('error', listener);
        client.release(session.broken);
      }
    }
  }

  /** The same for what may be run twice: once more on another connection where the first one was broken. */
  async useAgain<T>(work: (session: Session, again: boolean) => Promise<T>): Promise<T> {
    try {
      return await this.use((session) => work(session, false));
    } catch (error) {
      if (!(error instanceof AuditError) || error.code === 'AUDIT_STORE_TIMEOUT') throw error;
      if (!isConnectionBroken(error.cause)) throw error;
    }
    return this.use((session) => work(session, true));
  }

  async close(): Promise<void> {
    this.ending ??= this.own?.end() ?? Promise.resolve();
    await this.ending;
  }

  private async connect(): Promise<PgClient> {
    if (this.ending !== undefined) {
      throw new AuditError('AUDIT_CLOSED', 'postgres', 'the store is closed', {
        next: 'Open a new one with createPostgresStore().',
      });
    }
    try {
      return await this.pool.connect();
    } catch (error) {
      throw mapPostgresError(error, this.source.schema);
    }
  }
}

/** For what grows with the log and for migrations. */
export const UNLIMITED = Number.POSITIVE_INFINITY;

function tooLate(limitMs: number, cause: unknown): AuditError {
  const message = `the database did not answer in ${limitMs} ms (\`callTimeoutMs\`)`;
  return new AuditError('AUDIT_STORE_TIMEOUT', 'postgres', message, { cause });
}

/** Carries what somebody else's function threw past the translation of the database's errors. */
export class WorkError extends Error {
  constructor(readonly thrown: unknown) {
    super('thrown by the function that was called');
  }
}

/** In a transaction of its own. An error ends it, and the connection with it where even that fails. */
export async function inTransaction<T>(session: Session, work: () => Promise<T>, begin = BEGIN): Promise<T> {
  await session.script(begin);
  try {
    const result = await work();
    await session.script('COMMIT');
    return result;
  } catch (error) {
    await rollBack(session);
    throw error;
  }
}

/** Whatever the role's or the database's defaults are: each statement has to see what was committed before it. */
export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';

/**
 * For statements that find their rows by a key. The planner's statistics of a queue are always wrong, and those of a new log are
 * none: it would rather read and sort all of it.
 */
export const ONLY_BY_KEY = ['seqscan', 'bitmapscan', 'sort', 'hashjoin', 'mergejoin']
  .map((way) => `SET LOCAL enable_${way} = off`)
  .join('; ');
export const BEGIN_READING = `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; ${ONLY_BY_KEY}`;

/** Never throws: where even this fails, the connection is not used again, and the server rolls back by itself. */
export async function rollBack(session: Session): Promise<void> {
  try {
    await session.script('ROLLBACK');
  } catch {
    session.broken = true;
  }
}

/** What node-postgres makes of this configuration and of its environment variables. */
function labelOf(config: unknown): string {
  const { host, port, database } = new pg.Client(typeof config === 'object' && config !== null ? config : {});
  return `postgres:${host}:${port}/${database ?? ''}`;
}

function createPool({ config: given = {}, connections, connectTimeoutMs }: DatabaseSource): pg.Pool {
  const config: pg.PoolConfig = {
    ...given,
    // A pool hides its password from whoever copies its options.
    ...('password' in given ? { password: given.password as NonNullable<pg.PoolConfig['password']> } : {}),
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    fallback_application_name: 'indelible',
    keepAlive: true,
    // An idle audit must not keep a script from ending.
    allowExitOnIdle: true,
  };
  try {
    // It reads the URL here and now, and nothing is opened.
    new pg.Client(config);
  } catch {
    // Without the cause: Node's own error of a wrong URL quotes the whole of it.
    throw new AuditError('AUDIT_CONFIG_INVALID', 'postgres', 'url: not the URL of a PostgreSQL database', {
      next: 'It has the form postgres://user:password@host:5432/database; what is special in a password is percent-encoded.',
    });
  }
  const pool = new pg.Pool(config);
  // An idle connection that the server ends is no failure of anybody's call.
  pool.on('error', () => {});
  return pool;
}
