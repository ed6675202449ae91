import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { describePostgres, type TestPostgres } from './test-postgres.js';

const PATIENCE_MS = 20_000;
const PLACES = ['/usr/sbin/pgbouncer', '/usr/local/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'];

/** A PgBouncer in transaction mode before a server: each transaction may run on another connection to it. */
export interface TestBouncer {
  /** The way to a database of the server that leads through it. */
  through(url: string): string;
  stop(): Promise<void>;
}

export function tryFindBouncer(): string | undefined {
  return PLACES.find((place) => existsSync(place));
}

/**
 * Registers the tests once a version, as `<name> on PostgreSQL 15 through PgBouncer`. Where there is none, that is said on
 * stderr and by a test; scripts/required-suites.json makes it an error where everything has to run.
 */
export function describeBouncer(name: string, register: (server: TestPostgres) => void): void {
  describePostgres(name, (server) => {
    describe('through PgBouncer', () => {
      if (tryFindBouncer() !== undefined) {
        register(server);
        return;
      }
      console.warn(`[indelible/postgres] '${name}' did NOT run through PgBouncer: there is none here.`);
      test('nothing of this ran: there is no PgBouncer, and asking for it says so', async () => {
        await expect(startBouncer(server)).rejects.toThrow('pgbouncer');
      });
    });
  });
}

/** @throws Error where there is none, or with what it said where it does not start */
export async function startBouncer(server: TestPostgres): Promise<TestBouncer> {
  const command = tryFindBouncer();
  if (command === undefined) throw new Error('no PgBouncer for tests: install the package pgbouncer');
  const directory = mkdtempSync(join(tmpdir(), 'indelible-bouncer-'));
  chmodSync(directory, 0o755);
  const port = await freePort();
  const config = join(directory, 'pgbouncer.ini');
  writeFileSync(config, configure(new URL(server.url), port), { mode: 0o644 });
  const child = spawn(command, [config], { stdio: ['ignore', 'ignore', 'pipe'], ...userOfServer() });
  let said = '';
  child.stderr?.on('data', (part) => {
    said += String(part);
  });
  const way = (url: string): string => {
    const own = new URL(url);
    own.host = `127.0.0.1:${port}`;
    own.password = '';
    return own.href;
  };
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await untilReady(way(server.url));
  } catch (error) {
    await stop();
    throw new Error(`PgBouncer does not start: ${said}`, { cause: error });
  }
  return { through: way, stop };
}

function configure(server: URL, port: number): string {
  const password = server.password === '' ? '' : ` password=${decodeURIComponent(server.password)}`;
  return `[databases]
* = host=${server.hostname} port=${server.port || 5432} user=${decodeURIComponent(server.username)}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_idle_timeout = 5
`;
}

/** It refuses to run as root, and then the user of the server is at hand. */
function userOfServer(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }).trim());
  return { uid: id('-u'), gid: id('-g') };
}

async function untilReady(url: string): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
