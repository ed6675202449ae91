import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const KEEPER = fileURLToPath(new URL('../../../packages/postgres/test/server-keeper.mjs', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../../postgres/prisma/schema.sql', import.meta.url));
const PATIENCE_MS = 60_000;

export interface BenchDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

export interface BenchServer {
  readonly url: string;
  /** For the report: version, where it is, and whether it waits for the disk. */
  readonly label: string;
  /** `server_version_num` */
  readonly version: number;
  /** A new database with the tables of the benchmark. */
  createDatabase(): Promise<BenchDatabase>;
  /** One without tables, for what makes its own. */
  createEmptyDatabase(): Promise<BenchDatabase>;
}

/**
 * The first server on which the caller is superuser: one of INDELIBLE_TEST_POSTGRES_URL, the local one on port 5432, the one
 * that comes from npm.
 */
export async function tryFindServer(): Promise<BenchServer | undefined> {
  const given = (process.env.INDELIBLE_TEST_POSTGRES_URL ?? '').split(/\s+/).filter((url) => url !== '');
  for (const url of given) {
    const server = await tryServer(url, 'that of INDELIBLE_TEST_POSTGRES_URL');
    if (server !== undefined) return server;
  }
  for (const name of new Set(['postgres', userInfo().username])) {
    const server = await tryServer(
      `postgres://${encodeURIComponent(name)}@127.0.0.1:5432/postgres`,
      'the local one',
    );
    if (server !== undefined) return server;
  }
  const embedded = await tryStartEmbedded();
  return embedded === undefined ? undefined : tryServer(embedded, 'the embedded one from npm');
}

async function tryServer(url: string, where: string): Promise<BenchServer | undefined> {
  try {
    const [row] = await runOn(
      url,
      `SELECT current_setting('server_version') AS name, current_setting('server_version_num')::int AS version,
        current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS super`,
    );
    if (row?.super !== true) return undefined;
    const label = `PostgreSQL ${String(row.name)}, ${where}, fsync ${String(row.fsync)}, synchronous_commit ${String(row.commit)}`;
    return {
      url,
      label,
      version: Number(row.version),
      createDatabase: () => createDatabase(url, readFileSync(SCHEMA, 'utf8')),
      createEmptyDatabase: () => createDatabase(url, ''),
    };
  } catch {
    return undefined;
  }
}

async function createDatabase(server: string, schema: string): Promise<BenchDatabase> {
  const name = `indelible_bench_${randomBytes(8).toString('hex')}`;
  await runOn(server, `CREATE DATABASE ${name} ENCODING 'UTF8' TEMPLATE template0`);
  const own = new URL(server);
  own.pathname = `/${name}`;
  await runOn(own.href, schema);
  return {
    url: own.href,
    drop: async () => void (await runOn(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

async function runOn(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** It ends with this process. */
async function tryStartEmbedded(): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-bench-postgres-'));
  spawn(process.execPath, [KEEPER, directory, String(process.pid)], {
    detached: true,
    stdio: 'ignore',
  }).unref();
  const file = join(directory, 'ready.json');
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    if (existsSync(file)) {
      const told: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const isReady = typeof told === 'object' && told !== null && 'url' in told;
      return isReady && typeof told.url === 'string' ? told.url : undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}
