import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions, SuiteSql } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, readBody } from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import { createPool, type Pool } from 'mysql2';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { TestMysql } from '../../../mysql/test/test-mysql.js';
import { readMysqlSnapshot } from '../../../prisma/test/mysql/mysql-rows.js';
import { type AuditDataSourceOptions, auditDataSource } from '../../src/index.js';
import { createDomain, type Domain } from '../domain-entities.js';
import { TYPEORM_LINKS } from '../domain-links.js';
import { type Audit, createFlows } from '../typeorm-operations.js';
import { createDomainDatabase, DOMAIN_TYPES } from './mysql-databases.js';

export const HMAC_KEY = 'a test secret of more than thirty-two bytes';

export const MYSQL_SQL: SuiteSql = {
  instant: (text) => `'${new Date(text).toISOString().replace('T', ' ').replace('Z', '')}'`,
  compactUsers: 'ALTER TABLE `User` ENGINE = InnoDB, FORCE',
};

const LOOKS_AT_SCHEMA = /information_schema|@@SESSION|TRANSACTION ISOLATION/;

export interface MysqlHarness extends OrmHarness {
  readonly dataSource: DataSource;
  readonly domain: Domain;
  readonly audit: Audit;
  readonly url: string;
  /** A connection that knows nothing of auditing. */
  readonly raw: Connection;
}

export interface MysqlWay {
  readonly server: TestMysql;
  /** Connections of the data source's pool. */
  readonly pool: number;
  /** More for the data source. */
  readonly options?: Partial<DataSourceOptions>;
  /** How the data source is audited. @default `auditDataSource` before it is initialized */
  readonly switchOn?: (dataSource: DataSource, options: AuditDataSourceOptions) => void;
}

/** Makes an empty database with the domain's tables, and an audited data source on it. */
export async function createMysqlHarness(
  { server, pool, options: more = {}, switchOn = auditDataSource }: MysqlWay,
  options: OrmHarnessOptions = {},
): Promise<MysqlHarness> {
  const { url, drop, keep } = await createDomainDatabase(server);
  const raw = await mysql.createConnection({ uri: url, multipleStatements: true });
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  const spool = mkdtempSync(join(tmpdir(), 'indelible-typeorm-'));
  const store = createMysqlStore({ url, roles: false, connections: 2 });
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
  const domain = createDomain(DOMAIN_TYPES);
  const dataSource = new DataSource({
    type: 'mariadb',
    url,
    poolSize: pool,
    timezone: 'Z',
    entities: Object.values(domain),
    driver: { createPool: (settings: object) => countingPool(settings, counter) },
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
    ...createFlows(dataSource, domain, audit, inMysql),
    events: () => readEvents(raw),
    snapshot: () => readMysqlSnapshot(raw, TYPEORM_LINKS),
    bytes: () => readTables(raw),
    swallowEvents: async () => {
      keep();
      await raw.query(
        "CREATE TRIGGER hush BEFORE INSERT ON audit_event FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'hush'",
      );
    },
    dropAuditTables: async () => {
      keep();
      await raw.query('DROP TABLE audit_guard, audit_event');
    },
    countStatements: () => {
      const count = counter.statements;
      counter.statements = 0;
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

/** A pool that counts what its connections are given to send; the schema is looked at once a second, and not once a statement. */
function countingPool(settings: object, counter: { statements: number }): Pool {
  const pool = createPool(settings);
  pool.on('connection', (connection) => {
    const { query } = connection;
    Reflect.set(connection, 'query', (...args: unknown[]): unknown => {
      const [given] = args;
      const sql: unknown = typeof given === 'string' ? given : Reflect.get(Object(given), 'sql');
      if (!LOOKS_AT_SCHEMA.test(String(sql))) counter.statements += 1;
      return Reflect.apply(query, connection, args);
    });
  });
  return pool;
}

/** Names in backticks, and what ON CONFLICT DO NOTHING is called. */
function inMysql(sql: string): string {
  const named = sql.replace(
    /('(?:[^']|'')*')|"([^"]*)"/g,
    (_, text?: string, name?: string) => text ?? `\`${name}\``,
  );
  return named.endsWith(' ON CONFLICT DO NOTHING')
    ? named.replace('INSERT INTO', 'INSERT IGNORE INTO').replace(' ON CONFLICT DO NOTHING', '')
    : named;
}

/** Read with raw SQL, and only from the bytes that stand there. */
export async function readEvents(raw: Connection): Promise<AuditEvent[]> {
  const [rows] = await raw.query<(RowDataPacket & { body: Uint8Array })[]>(
    "SELECT body FROM audit_event WHERE action NOT LIKE 'audit.%' ORDER BY id",
  );
  return rows.map(({ body }) => readBody(body));
}

/** What all tables hold. */
async function readTables(raw: Connection): Promise<Uint8Array> {
  const [tables] = await raw.query<RowDataPacket[][]>({
    sql: "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
    rowsAsArray: true,
  });
  const parts: Buffer[] = [];
  for (const [name] of tables) {
    const [rows] = await raw.query<RowDataPacket[][]>({
      sql: `SELECT * FROM \`${String(name)}\``,
      rowsAsArray: true,
    });
    for (const value of rows.flat())
      parts.push(value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)));
  }
  return Buffer.concat(parts);
}
