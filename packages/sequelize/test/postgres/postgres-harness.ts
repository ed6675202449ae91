import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions, Snapshot, SuiteSql } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, type JsonValue, readBody } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { Sequelize } from 'sequelize';
import { afterAll } from 'vitest';
import { countingClient, type Traffic } from '../../../postgres/test/counting-client.js';
import { dropDatabase, type TestDatabase, type TestPostgres } from '../../../postgres/test/test-postgres.js';
import { type DomainReader, readSnapshot } from '../../../prisma/test/domain-rows.js';
import { auditSequelize } from '../../src/index.js';
import { SEQUELIZE_LINKS } from '../domain-links.js';
import { type Domain, defineDomain } from '../models.js';
import { type Audit, createFlows } from '../sequelize-operations.js';

export const HMAC_KEY = 'a test secret of more than thirty-two bytes';

export const POSTGRES_SQL: SuiteSql = {
  instant: (text) => `timestamptz '${text}'`,
  // VACUUM FULL takes along what any transaction of the server that is open could still see.
  compactUsers: `ALTER TABLE "User" ALTER COLUMN "email" TYPE varchar(255) USING "email" || ''`,
};

export interface PostgresHarness extends OrmHarness {
  readonly sequelize: Sequelize;
  readonly models: Domain;
  readonly audit: Audit;
  readonly url: string;
  /** A connection that knows nothing of auditing. */
  readonly raw: pg.Client;
  /** Of the instance's connections. */
  readonly traffic: Traffic;
}

export interface PostgresWay {
  readonly server: TestPostgres;
  /** Connections of the pool. */
  readonly pool: number;
}

/** Makes a fresh database with the domain's tables, and an audited instance on it. */
export async function createPostgresHarness(
  { server, pool }: PostgresWay,
  options: OrmHarnessOptions = {},
): Promise<PostgresHarness> {
  const { url, drop } = await createDomainDatabase(server);
  const raw = new pg.Client({ connectionString: url });
  await raw.connect();
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  const spool = mkdtempSync(join(tmpdir(), 'indelible-sequelize-'));
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
  const sequelize = connect(url, pool, traffic);
  if (audited) auditSequelize(sequelize, { audit, ...capture });
  const models = defineDomain(sequelize);
  return {
    sequelize,
    models,
    audit,
    url,
    raw,
    traffic,
    ...createFlows(sequelize, models, audit, { sql: (sql) => sql, affected: rowCount }),
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
      const count = traffic.statements;
      traffic.statements = 0;
      return count;
    },
    close: async () => {
      await sequelize.close();
      await audit.close();
      await store.close();
      await raw.end();
      await drop();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

/** An instance that counts the statements of its driver. */
export function connect(
  url: string,
  pool: number,
  traffic: Traffic = { statements: 0, roundTrips: 0 },
): Sequelize {
  return new Sequelize(url, {
    dialect: 'postgres',
    dialectModule: { ...pg, types: pg.types, Client: countingClient(traffic) },
    logging: false,
    pool: { max: pool, acquire: 20_000 },
  });
}

function rowCount(metadata: unknown): number {
  const count = typeof metadata === 'object' && metadata !== null && Reflect.get(metadata, 'rowCount');
  return typeof count === 'number' ? count : -1;
}

/** Read with raw SQL, and only from the bytes that stand there. */
export async function readEvents(raw: pg.Client): Promise<AuditEvent[]> {
  const { rows } = await raw.query<{ body: Uint8Array }>(
    "SELECT body FROM audit.audit_event WHERE action NOT LIKE 'audit.%' ORDER BY id",
  );
  return rows.map(({ body }) => readBody(body));
}

/** From the text that PostgreSQL itself gives each value. */
const convert: DomainReader['convert'] = {
  text: String,
  whole: Number,
  boolean: (value) => value === 'true',
  decimal: (value) => String(Number(value)),
  json: (value) => JSON.parse(String(value)) as JsonValue,
  bytes: (value) => Buffer.from(String(value).replace('\\x', ''), 'hex').toString('base64'),
  instant: (value) => new Date(`${String(value).replace(' ', 'T')}Z`).toISOString(),
};

/** All tables, read with raw SQL on a connection of its own. */
export function readPostgresSnapshot(client: pg.Client, links = SEQUELIZE_LINKS): Promise<Snapshot> {
  const reader: DomainReader = {
    convert,
    rows: async (table, columns) => {
      const selected = columns.map(({ name, kind }) =>
        kind === 'instant' ? `("${name}" AT TIME ZONE 'UTC')::text` : `"${name}"::text`,
      );
      const text = `SELECT ${selected.join(', ')} FROM "${table}"`;
      return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
    },
  };
  return readSnapshot(reader, links);
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
  const sequelize = connect(database.url, 1);
  defineDomain(sequelize);
  await sequelize.sync();
  await sequelize.close();
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
