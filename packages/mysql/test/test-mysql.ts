import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { describe, expect, test } from 'vitest';
import { withRaw } from './raw-connection.js';

/** The servers that the store is written for. MySQL 8 is tested where INDELIBLE_TEST_MYSQL_URL names one. */
export const SERVER_KINDS = ['MariaDB', 'MySQL'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

export interface TestDatabase {
  /** Of a user who may do everything. */
  readonly url: string;
  /** Idempotent. */
  drop(): Promise<void>;
}

export interface TestMysql {
  readonly kind: ServerKind;
  /** The server itself, of a user who may do everything. */
  readonly url: string;
  /** A new and empty database of its own. */
  createDatabase(): Promise<TestDatabase>;
}

const found = new Map<ServerKind, Promise<TestMysql | undefined>>();

/**
 * A server of this kind on which the caller may do everything: one of INDELIBLE_TEST_MYSQL_URL (several URLs are separated by
 * spaces), or the local one on port 3306.
 *
 * @throws Error where there is none
 */
export async function getTestMysql(kind: ServerKind): Promise<TestMysql> {
  const server = await tryGetTestMysql(kind);
  if (server === undefined) throw new Error(`no ${kind} for tests: set INDELIBLE_TEST_MYSQL_URL to one`);
  return server;
}

export function tryGetTestMysql(kind: ServerKind): Promise<TestMysql | undefined> {
  let server = found.get(kind);
  if (server === undefined) {
    server = findServer(kind);
    found.set(kind, server);
  }
  return server;
}

/**
 * Registers the tests once a kind of server, as `<name> on MariaDB` and `… on MySQL`. A kind that can not be had says so, on
 * stderr and as a test; scripts/required-suites.json makes it an error where everything has to run.
 */
export function describeMysql(name: string, register: (server: TestMysql) => void): void {
  for (const kind of SERVER_KINDS) {
    describe(`${name} on ${kind}`, async () => {
      const server = await tryGetTestMysql(kind);
      if (server !== undefined) {
        register(server);
        return;
      }
      console.warn(`[indelible/mysql] '${name}' did NOT run on ${kind}: there is none here.`);
      test(`nothing of this ran: there is no ${kind}, and asking for it says so`, async () => {
        await expect(getTestMysql(kind)).rejects.toThrow('INDELIBLE_TEST_MYSQL_URL');
      });
    });
  }
}

async function findServer(kind: ServerKind): Promise<TestMysql | undefined> {
  const given = (process.env.INDELIBLE_TEST_MYSQL_URL ?? '').split(/\s+/).filter((url) => url !== '');
  for (const url of [...given, 'mysql://root@127.0.0.1:3306/']) {
    if ((await tryReadKind(url)) === kind) return createTestMysql(kind, url);
  }
  return undefined;
}

/** What answers behind this URL, or undefined where nobody does who could make databases and users. */
async function tryReadKind(url: string): Promise<ServerKind | undefined> {
  try {
    const connection = await mysql.createConnection({ uri: url, connectTimeout: 3_000 });
    try {
      const [grants] = await connection.query('SHOW GRANTS');
      if (!JSON.stringify(grants).includes('ON *.* TO')) return undefined;
      const [rows] = await connection.query('SELECT VERSION() AS version');
      return JSON.stringify(rows).includes('MariaDB') ? 'MariaDB' : 'MySQL';
    } finally {
      await connection.end();
    }
  } catch {
    return undefined;
  }
}

function createTestMysql(kind: ServerKind, url: string): TestMysql {
  return {
    kind,
    url,
    async createDatabase() {
      const name = `indelible_test_${randomBytes(8).toString('hex')}`;
      await withRaw(url, (raw) => raw.all(`CREATE DATABASE ${name}`));
      const own = new URL(url);
      own.pathname = `/${name}`;
      return {
        url: own.href,
        drop: () => withRaw(url, async (raw) => void (await raw.all(`DROP DATABASE IF EXISTS ${name}`))),
      };
    },
  };
}
