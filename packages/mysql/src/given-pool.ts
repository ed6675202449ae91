import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { MysqlPool } from './mysql-pool.js';

const watched = new WeakSet<object>();
const ignore = (): void => {};

/**
 * Keeps the process alive when a connection of the pool is lost that nobody uses. mariadb 3.4.5 throws where nobody can catch it
 * once the server has told an idle connection why it closes it: what its pool listens for is over with the first of the two.
 * https://github.com/mariadb-corporation/mariadb-connector-nodejs/issues/323
 */
export function outliveLosses(pool: MysqlPool): void {
  if (watched.has(pool)) return;
  watched.add(pool);
  const listen = (connection: unknown): void => {
    if (!(connection instanceof EventEmitter) || connection.listeners('error').includes(ignore)) return;
    connection.on('error', ignore);
  };
  pool.on?.('connection', listen);
  pool.on?.('acquire', listen);
}

/**
 * The socket of a connection of mariadb. Its `destroy()` asks the server on another connection to kill the statement, and where
 * that fails nobody is there to hear of it: the process ends.
 */
export function mariadbSocket(connection: object): Socket | undefined {
  const inside: unknown = '__tests' in connection ? connection.__tests : undefined;
  if (typeof inside !== 'object' || inside === null || !('getSocket' in inside)) return undefined;
  const socket: unknown = typeof inside.getSocket === 'function' ? inside.getSocket() : undefined;
  return socket instanceof Socket ? socket : undefined;
}
