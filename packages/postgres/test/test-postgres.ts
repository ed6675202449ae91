import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { startEmbeddedServer } from './embedded-server.js';

/** The versions that everything is tested on: the oldest one, and the one with RETURNING old and new. */
export const POSTGRES_VERSIONS = [15, 18] as const;
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

export interface TestDatabase {
  /** Of a superuser, who owns it. */
  readonly url: string;
  /** Ends whatever is still connected to it. Idempotent. */
  drop(): Promise<void>;
}

export interface TestPostgres {
  readonly version: PostgresVersion;
  /** The server's own database, of a superuser: for roles and settings of the whole server. */
  readonly url: string;
  /** A new and empty database of its own. @param encoding @default 'UTF8' */
  createDatabase(encoding?: string): Promise<TestDatabase>;
}

const EMBEDDED_VERSION = 18;
const found = new Map<PostgresVersion, Promise<TestPostgres | undefined>>();

/**
 * A server of this version on which the caller is superuser: one of INDELIBLE_TEST_POSTGRES_URL (several URLs are separated
 * by spaces), the local one on port 5432, or, of version 18, the one that comes from npm.
 *
 * @throws Error where there is none
 */
export async function getTestPostgres(version: PostgresVersion): Promise<TestPostgres> {
  const server = await tryGetTestPostgres(version);
  if (server === undefined) {
    throw new Error(`no PostgreSQL ${version} for tests: set INDELIBLE_TEST_POSTGRES_URL to one`);
  }
  return server;
}

export function tryGetTestPostgres(version: PostgresVersion): Promise<TestPostgres | undefined> {
  let server = found.get(version);
  if (server === undefined) {
    server = findServer(version);
    found.set(version, server);
  }
  return server;
}

/**
 * Registers the tests once a version, as `<name> on PostgreSQL 15` and `… 18`. A version that can not be had says so, on
 * stderr and as a test; scripts/required-suites.json makes it an error where everything has to run.
 */
export function describePostgres(name: string, register: (server: TestPostgres) => void): void {
  for (const version of POSTGRES_VERSIONS) {
    describe(`${name} on PostgreSQL ${version}`, async () => {
      const server = await tryGetTestPostgres(version);
      if (server !== undefined) {
        register(server);
        return;
      }
      console.warn(
        `[indelible/postgres] '${name}' did NOT run on PostgreSQL ${version}: there is none here.`,
      );
      test(`nothing of this ran: there is no PostgreSQL ${version}, and asking for it says so`, async () => {
        await expect(getTestPostgres(version)).rejects.toThrow('INDELIBLE_TEST_POSTGRES_URL');
      });
    });
  }
}

async function findServer(version: PostgresVersion): Promise<TestPostgres | undefined> {
  for (const url of candidates()) {
    if ((await tryReadVersion(url)) === version) return createTestPostgres(version, url);
  }
  return version === EMBEDDED_VERSION ? createTestPostgres(version, await startEmbeddedServer()) : undefined;
}

function candidates(): readonly string[] {
  const given = (process.env.INDELIBLE_TEST_POSTGRES_URL ?? '').split(/\s+/).filter((url) => url !== '');
  const names = new Set(['postgres', userInfo().username]);
  return [
    ...given,
    ...[...names].map((name) => `postgres://${encodeURIComponent(name)}@127.0.0.1:5432/postgres`),
  ];
}

/** The major version of the server behind this URL, or undefined where nobody answers who could make databases and roles. */
async function tryReadVersion(url: string): Promise<number | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number; super: boolean }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS version,
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS super`,
    );
    return rows[0]?.super === true ? rows[0].version : undefined;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => {});
  }
}

function createTestPostgres(version: PostgresVersion, url: string): TestPostgres {
  return {
    version,
    url,
    async createDatabase(encoding = 'UTF8') {
      const name = `indelible_test_${randomBytes(8).toString('hex')}`;
      await runOn(
        url,
        `CREATE DATABASE ${name} ENCODING '${encoding}' ${encoding === 'UTF8' ? '' : "LC_COLLATE 'C' LC_CTYPE 'C'"} TEMPLATE template0`,
      );
      const own = new URL(url);
      own.pathname = `/${name}`;
      return { url: own.href, drop: () => dropDatabase(url, name) };
    },
  };
}

/** Lets connections that are being closed go first: a pool's end does not wait for them, and they would be told of the drop. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  await runOn(
    url,
    `DO $$ BEGIN
      FOR attempt IN 1 .. 50 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '${name}' AND backend_type = 'client backend');
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
      END LOOP;
    END $$`,
    `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
  );
}

async function runOn(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}
