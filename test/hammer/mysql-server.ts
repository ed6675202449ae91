import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { createKillableServer, findUser, freePort, type KillableServer } from './killable-server.js';

const PROGRAM = '/usr/sbin/mariadbd';
const INSTALLER = '/usr/bin/mariadb-install-db';

export interface MysqlServer extends KillableServer {
  readonly port: number;
  /** Of root, straight to the server, with a database of its own. */
  readonly url: string;
}

/** Whether Debian's MariaDB is here. */
export const hasMysqlServer = (): boolean => existsSync(PROGRAM) && existsSync(INSTALLER);

/** @param directory an empty place for its files */
export async function createMysqlServer(directory: string): Promise<MysqlServer> {
  const user = findUser(['mysql', 'nobody']);
  const data = join(directory, 'data');
  // Of its own: a server that starts removes what other servers keep in a directory of temporary tables, and they crash.
  const temporary = join(directory, 'tmp');
  for (const folder of [data, temporary]) {
    mkdirSync(folder, { mode: 0o700 });
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? user.uid);
  }
  const small = ['--innodb-log-file-size=16M', '--innodb-buffer-pool-size=64M'];
  const common = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${temporary}`, ...small];
  execFileSync(INSTALLER, [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'ignore',
    cwd: '/',
    ...user,
  });
  const port = await freePort();
  const url = `mysql://root@127.0.0.1:${port}/hammer`;
  const server = createKillableServer({
    command: PROGRAM,
    args: [
      ...common,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(data, 'hammer.sock')}`,
      `--pid-file=${join(data, 'hammer.pid')}`,
      '--max-connections=300',
      // A killed server loses nothing that the kernel has; a power failure is not what is tried here.
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-lock-wait-timeout=5',
    ],
    user,
    stopSignal: 'SIGTERM',
    answers: () => answers(port),
  });
  return { port, url, ...server };
}

async function answers(port: number): Promise<boolean> {
  try {
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'root',
      connectTimeout: 1_000,
    });
    await connection.query('CREATE DATABASE IF NOT EXISTS hammer');
    await connection.end();
    return true;
  } catch {
    return false;
  }
}
