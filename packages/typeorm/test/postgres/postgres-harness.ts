import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions, SuiteSql } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, readBody } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll } from 'vitest';
import { countingClient, type Traffic } from '../../../postgres/test/counting-client.js';
import { dropDatabase, type TestDatabase, type TestPostgres } from '../../../postgres/test/test-postgres.js';
import { readPostgresSnapshot } from '../../../prisma/test/postgres/postgres-rows.js';
import { type AuditDataSourceOptions, auditDataSource } from '../../src/index.js';
import { createDomain, type Domain } from '../domain-entities.js';
import { TYPEORM_LINKS } from '../domain-links.js';
import { type Audit, createFlows } from '../typeorm-operations.js';

export const HMAC_KEY = 'a test secret of more than thirty-two bytes';

export const POSTGRES_SQL: SuiteSql = {
  instant: (text) => `timestamptz '${text}' AT TIME ZONE 'UTC'`,
  // VACUUM FULL takes along what any transaction of the server that is open could still see.
  compactUsers: `ALTER TABLE "User" ALTER COLUMN "email" TYPE text USING "email" || ''`,
};

const TYPES = {
  text: 'text',
  keyText: 'text',
  float: 'double precision',
  decimal: { type: 'numeric' },
  bytes: 'bytea',
  json: 'jsonb',
  role: 'enum',
  instant: { type: 'timestamp', precision: 3 },
} as const;

export interface PostgresHarness extends OrmHarness {
  readonly dataSource: DataSource;
  readonly domain: Domain;
  readonly audit: Audit;
  readonly url: string;
  /** A connection that knows nothing of auditing. */
  readonly raw: pg.Client;
  /** Of the data source's connections. */
  readonly traffic: Traffic;
}

export interface PostgresWay {
  readonly server: TestPostgres;
  /** Connections of the data source's pool. */
  readonly pool: number;
  /** True: the server as one that is written to, and as a copy of it that is read. @default false */
  readonly replicated?: boolean;
  /** More for the data source. */
  readonly options?: Partial<DataSourceOptions>;
  /** How the data source is audited. @default `auditDataSource` before it is initialized */
  readonly switchOn?: (dataSource: DataSource, options: AuditDataSourceOptions) => void;
}

/** Makes a fresh database with the domain's tables, and an audited data source on it. */
export async function createPostgresHarness(
  { server, pool, replicated = false, options: more = {}, switchOn = auditDataSource }: PostgresWay,
  options: OrmHarnessOptions = {},
): Promise<PostgresHarness> {
  const { url, drop } = await createDomainDatabase(server);
  const raw = new pg.Client({ connectionString: url });
  await raw.connect();
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  const spool = mkdtempSync(join(tmpdir(), 'indelible-typeorm-'));
  const store = createPostgresStore({ url, roles: false, connections: 2 });
  const audit = createAudit({
    store,
    hmacKey: HMAC_KEY,
    lifecycleEvents: false,
    sealAfterMs: 5,
    policy: { access: accessPolicy },
    onMissingActor,
    spool: { directory: spool },
  });
  const traffic: Traffic = { statements: 0, roundTrips: 0 };
  const domain = createDomain(TYPES);
  const dataSource = new DataSource({
    type: 'postgres',
    ...(replicated ? { replication: { master: { url }, slaves: [{ url }] } } : { url }),
    poolSize: pool,
    entities: Object.values(domain),
    extra: { Client: countingClient(traffic) },
    installExtensions: false,
    ...more,
  } as DataSourceOptions);
  if (audited) switchOn(dataSource, { audit, ...capture });
  await dataSource.initialize();
  return {
    dataSource,
    domain,
    audit,
    url,
    raw,
    traffic,
    ...createFlows(dataSource, domain, audit),
    events: () => readEvents(raw),
    snapshot: () => readPostgresSnapshot(raw, TYPEORM_LINKS),
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
      const count = traffic.statements;
      traffic.statements = 0;
      return count;
    },
    close: async () => {
      await dataSource.destroy();
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

/** By server: a database with the domain's tables and those of the audit, which others are copied from. */
const templates = new Map<string, Promise<TestDatabase>>();

afterAll(async () => {
  for (const template of templates.values()) await (await template).drop();
  templates.clear();
});

/** A database of its own with the domain's tables and those of the audit. */
async function createDomainDatabase(server: TestPostgres): Promise<TestDatabase> {
  let template = templates.get(server.url);
  if (template === undefined) {
    template = createTemplate(server);
    templates.set(server.url, template);
  }
  const copied = new URL((await template).url).pathname.slice(1);
  const name = `indelible_test_${randomBytes(8).toString('hex')}`;
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  await runOn(server.url, `CREATE DATABASE ${name} TEMPLATE ${copied}`);
  return { url: url.href, drop: () => dropDatabase(server.url, name) };
}

async function createTemplate(server: TestPostgres): Promise<TestDatabase> {
  const database = await server.createDatabase();
  const entities = Object.values(createDomain(TYPES));
  const dataSource = new DataSource({
    type: 'postgres',
    url: database.url,
    entities,
    installExtensions: false,
  });
  await dataSource.initialize();
  await dataSource.synchronize();
  await dataSource.destroy();
  const store = createPostgresStore({ url: database.url, roles: false });
  await store.migrate();
  await store.close();
  return database;
}

async function runOn(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
