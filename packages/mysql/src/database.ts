import { AuditError } from '@indelible/core';
import type { Pool, PoolOptions } from 'mysql2/promise';
import { readNumber } from './event-row.js';
import { mariadbSocket, outliveLosses } from './given-pool.js';
import { isConnectionBroken, mapMysqlError } from './mysql-error.js';
import type { MysqlConnection, MysqlPool } from './mysql-pool.js';
import { createOwnPool, SESSION_SETTINGS, streamOf } from './own-pool.js';
import { Session } from './session.js';

export interface DatabaseSource {
  /** Of the pool that is made. */
  readonly config?: PoolOptions | undefined;
  readonly pool?: MysqlPool | undefined;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** A call that takes longer gives its connection up. */
  readonly callTimeoutMs: number;
  /** For messages and the label. */
  readonly database: string | undefined;
}

/** The way to the database: a pool of its own, or somebody's that it never ends. */
export class Database {
  /** Names the database as the configuration does, without secrets: alike before it can be reached and after a restart. */
  readonly label: string;
  private readonly pool: MysqlPool;
  private readonly own: Pool | undefined;
  /** The store's own connections that are set up. */
  private readonly setUp = new WeakSet<object>();
  private maxPacket: number | undefined;
  private ending: Promise<void> | undefined;

  constructor(private readonly source: DatabaseSource) {
    this.own =
      source.pool === undefined
        ? createOwnPool(source.config ?? {}, source.connections, source.connectTimeoutMs)
        : undefined;
    const pool = source.pool ?? this.own;
    if (pool === undefined) throw new TypeError('[indelible/mysql] expected `url`, `config` or `pool`');
    this.pool = pool;
    outliveLosses(pool);
    this.label = labelOf(source.pool === undefined ? (source.config ?? {}) : undefined, source.database);
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
    const connection = await this.connect();
    // A connection that breaks says so to its listeners too, and without one the process would end.
    const listener = () => {};
    connection.on?.('error', listener);
    const session = new Session(connection, this.own !== undefined);
    const worked = this.prepare(connection, session).then(() => work(session));
    try {
      return await inTime(worked, limitMs, () => {
        // What is still under way fails with the connection, if it ever ends.
        worked.catch(() => {});
        session.broken = true;
        return `the database did not answer in ${limitMs} ms (\`callTimeoutMs\`)`;
      });
    } catch (error) {
      if (isConnectionBroken(error)) session.broken = true;
      throw error instanceof WorkError ? error.thrown : mapMysqlError(error, this.source.database);
    } finally {
      if (session.broken) {
        destroy(connection);
      } else {
        connection.removeListener?.('error', listener);
        await connection.release();
      }
    }
  }

  /** The same for what may be run twice: once more on another connection where the first one was broken. */
  async useAgain<T>(work: (session: Session, again: boolean) => Promise<T>, limitMs?: number): Promise<T> {
    try {
      return await this.use((session) => work(session, false), limitMs);
    } catch (error) {
      if (!(error instanceof AuditError) || !isConnectionBroken(error.cause)) throw error;
    }
    return this.use((session) => work(session, true), limitMs);
  }

  async close(): Promise<void> {
    this.ending ??= this.endPool();
    await this.ending;
  }

  private async endPool(): Promise<void> {
    if (this.own === undefined) return;
    try {
      await inTime(this.own.end(), this.source.connectTimeoutMs, () => 'the connections did not close');
    } catch {
      // A connection that could not be made, or not be closed, is of no more use either way, and keeps no process alive.
    }
  }

  private async connect(): Promise<MysqlConnection> {
    if (this.ending !== undefined) {
      throw new AuditError('AUDIT_CLOSED', 'mysql', 'the store is closed', {
        next: 'Open a new one with createMysqlStore().',
      });
    }
    const { connectTimeoutMs } = this.source;
    try {
      const wanted = this.pool.getConnection();
      // The driver's pool waits for a free connection without an end.
      return await inTime(wanted, connectTimeoutMs, () => {
        wanted.then((unwanted) => unwanted.release()).catch(() => {});
        return `the database gave no connection in ${connectTimeoutMs} ms`;
      });
    } catch (error) {
      throw mapMysqlError(error, this.source.database);
    }
  }

  private async prepare(connection: MysqlConnection, session: Session): Promise<void> {
    if (session.isOwn) await this.setUpOnce(connection, session);
    this.maxPacket ??= readNumber((await session.run('SELECT @@max_allowed_packet')).rows[0]?.[0]);
    session.maxPacket = this.maxPacket;
  }

  /** mysql2 wraps one connection in a new object each time that it gives it. */
  private async setUpOnce(connection: MysqlConnection, session: Session): Promise<void> {
    const inner: unknown = 'connection' in connection ? connection.connection : connection;
    const key = typeof inner === 'object' && inner !== null ? inner : connection;
    if (this.setUp.has(key)) return;
    for (const sql of SESSION_SETTINGS) await session.run(sql);
    this.setUp.add(key);
  }
}

/** For what grows with the log and for migrations. */
export const UNLIMITED = Number.POSITIVE_INFINITY;

/** @throws AuditError `AUDIT_STORE_TIMEOUT` with what `onLate` says */
async function inTime<T>(work: Promise<T>, limitMs: number, onLate: () => string): Promise<T> {
  if (limitMs === UNLIMITED) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AuditError('AUDIT_STORE_TIMEOUT', 'mysql', onLate())), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whatever the other side does: a driver that says goodbye first would wait for it. */
function destroy(connection: MysqlConnection): void {
  const socket = mariadbSocket(connection);
  if (socket !== undefined && !socket.destroyed) {
    // Its pool hears of nothing but an error.
    socket.destroy(new Error('[indelible/mysql] the connection is given up'));
    return;
  }
  const stream = 'connection' in connection ? streamOf(connection.connection) : undefined;
  connection.destroy();
  stream?.destroy();
}

/** Carries what somebody else's function threw past the translation of the database's errors. */
export class WorkError extends Error {
  constructor(readonly thrown: unknown) {
    super('thrown by the function that was called');
  }
}

/** In a transaction of its own, under READ COMMITTED. An error ends it, and the connection with it where even that fails. */
export async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await begin(session);
  try {
    const result = await work();
    await session.run('COMMIT');
    return result;
  } catch (error) {
    await rollBack(session);
    throw error;
  }
}

export async function begin(session: Session): Promise<void> {
  if (!session.isOwn) {
    // Where autocommit is off a read has begun one already, and its level could not be changed.
    await session.run('ROLLBACK');
    // Of the next transaction only: somebody else's connection is given back as it was.
    await session.run('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  }
  await session.run('START TRANSACTION READ WRITE');
}

/** Reads. Somebody else's connection may have autocommit off, and would be left inside a transaction. */
export async function reading<T>(session: Session, work: () => Promise<T>): Promise<T> {
  return session.isOwn ? work() : inTransaction(session, work);
}

/** Never throws: where even this fails, the connection is not used again, and the server rolls back by itself. */
export async function rollBack(session: Session): Promise<void> {
  try {
    await session.run('ROLLBACK');
  } catch {
    session.broken = true;
  }
}

function labelOf(config: PoolOptions | undefined, database: string | undefined): string {
  const url = config?.uri === undefined ? undefined : new URL(config.uri);
  const name = database ?? config?.database ?? url?.pathname.slice(1) ?? '';
  if (config === undefined) return `mysql:/${name}`;
  const host = config.host ?? url?.hostname ?? 'localhost';
  const port = config.port ?? (url?.port || 3306);
  return `mysql:${config.socketPath ?? `${host}:${port}`}/${name}`;
}
