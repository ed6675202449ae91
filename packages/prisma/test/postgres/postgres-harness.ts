import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions, SuiteSql } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, readBody } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { TestPostgres } from '../../../postgres/test/test-postgres.js';
import { createAuditExtension } from '../../src/index.js';
import { HMAC_KEY } from '../prisma-harness.js';
import { type Audit, type Client, createFlows } from '../prisma-operations.js';
import { PrismaClient } from './generated/client.js';
import { createDomainDatabase } from './postgres-databases.js';
import { readPostgresSnapshot } from './postgres-rows.js';

export const POSTGRES_SQL: SuiteSql = {
  instant: (text) => `timestamptz '${text}' AT TIME ZONE 'UTC'`,
  // VACUUM FULL takes along what any transaction of the server that is open could still see.
  compactUsers: `ALTER TABLE "User" ALTER COLUMN "email" TYPE text USING "email" || ''`,
};

export interface PostgresHarness extends OrmHarness {
  readonly prisma: Client;
  readonly audit: Audit;
  /** Of the database itself, and of the way that the client and the store go to it. */
  readonly url: string;
  readonly way: string;
  /** A connection that knows nothing of auditing. */
  readonly raw: pg.Client;
}

export interface PostgresWay {
  readonly server: TestPostgres;
  /** Connections of the client's pool. */
  readonly pool: number;
  /** Where the client and the store find this database, if not at the server itself. */
  readonly through?: (url: string) => string;
  /** What else stands in the database before the client connects, where it is audited. */
  readonly prepare?: (raw: pg.Client, options: OrmHarnessOptions) => Promise<void>;
}

/** Makes a fresh database with the domain's tables, and an audited client on it. */
export async function createPostgresHarness(
  { server, pool, through = (url) => url, prepare }: PostgresWay,
  options: OrmHarnessOptions = {},
): Promise<PostgresHarness> {
  const { url, drop } = await createDomainDatabase(server);
  const way = through(url);
  const raw = new pg.Client({ connectionString: url });
  await raw.connect();
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  if (audited) await prepare?.(raw, options);
  const spool = mkdtempSync(join(tmpdir(), 'indelible-prisma-'));
  const store = createPostgresStore({ url: way, roles: false, connections: 2 });
  const audit = createAudit({
    store,
    hmacKey: HMAC_KEY,
    lifecycleEvents: false,
    sealAfterMs: 5,
    policy: { access: accessPolicy },
    onMissingActor,
    spool: { directory: spool },
  });
  const counter = { statements: 0 };
  const adapter = new PrismaPg({ connectionString: way, max: pool, Client: countingClient(counter) });
  const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
  if (audited) client.$extends(createAuditExtension({ audit, ...capture }));
  // The clients of the two schemas differ in what only PostgreSQL can do.
  const prisma = client as unknown as Client;
  return {
    prisma,
    audit,
    url,
    way,
    raw,
    ...createFlows(prisma, audit),
    events: () => readEvents(raw),
    snapshot: () => readPostgresSnapshot(raw),
    bytes: () => readFiles(raw),
    swallowEvents: async () => {
      await raw.query(`
        CREATE FUNCTION hush() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER hush BEFORE INSERT ON audit.audit_event FOR EACH ROW EXECUTE FUNCTION hush();
      `);
    },
    dropAuditTables: async () => {
      await raw.query('DROP SCHEMA audit CASCADE');
    },
    countStatements: () => {
      const count = counter.statements;
      counter.statements = 0;
      return count;
    },
    close: async () => {
      await prisma.$disconnect();
      await audit.close();
      await store.close();
      await raw.end();
      await drop();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

/** Read with raw SQL, and only from the bytes that stand there. */
export async function readEvents(raw: pg.Client): Promise<AuditEvent[]> {
  const { rows } = await raw.query<{ body: Uint8Array }>(
    "SELECT body FROM audit.audit_event WHERE action NOT LIKE 'audit.%' ORDER BY id",
  );
  return rows.map(({ body }) => readBody(body));
}

/** The files of all tables and indexes that are not the catalogue's, with what is still in memory. */
async function readFiles(raw: pg.Client): Promise<Uint8Array> {
  await raw.query('CHECKPOINT');
  const { rows } = await raw.query<{ bytes: Uint8Array }>(
    `SELECT pg_read_binary_file(pg_relation_filepath(c.oid)) AS bytes
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE pg_relation_filenode(c.oid) IS NOT NULL AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND c.oid >= 16384`,
  );
  return Buffer.concat(rows.map(({ bytes }) => bytes));
}

/** A client of node-postgres that counts the round trips of statements. */
function countingClient(counter: { statements: number }): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      const query = this.query.bind(this);
      Object.defineProperty(this, 'query', {
        value: (...args: unknown[]): unknown => {
          counter.statements += 1;
          return Reflect.apply(query, this, args);
        },
      });
    }
  };
}
