import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions, Snapshot, SuiteSql } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, type JsonValue, readBody } from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import mariadb from 'mariadb';
import mysql2 from 'mysql2';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { Sequelize } from 'sequelize';
import { afterAll } from 'vitest';
import type { TestDatabase, TestMysql } from '../../../mysql/test/test-mysql.js';
import { type DomainReader, readSnapshot } from '../../../prisma/test/domain-rows.js';
import { auditSequelize } from '../../src/index.js';
import { SEQUELIZE_LINKS } from '../domain-links.js';
import { type Domain, defineDomain } from '../models.js';
import { type Audit, createFlows } from '../sequelize-operations.js';

const HMAC_KEY = 'a test secret of more than thirty-two bytes';
const LOOKS_AT_SCHEMA = /information_schema|@@SESSION/;

export const MYSQL_SQL: SuiteSql = {
  instant: (text) => `'${new Date(text).toISOString().replace('T', ' ').replace('Z', '')}'`,
  compactUsers: 'ALTER TABLE `User` ENGINE = InnoDB, FORCE',
};

/** Sequelize's dialects for MySQL and MariaDB, each with a driver of its own. */
export const MYSQL_DIALECTS = ['mysql', 'mariadb'] as const;
export type MysqlDialectName = (typeof MYSQL_DIALECTS)[number];

export interface MysqlHarness extends OrmHarness {
  readonly sequelize: Sequelize;
  readonly models: Domain;
  readonly audit: Audit;
  readonly url: string;
  /** A connection that knows nothing of auditing. */
  readonly raw: Connection;
}

export interface MysqlWay {
  readonly server: TestMysql;
  readonly dialect: MysqlDialectName;
  /** Connections of the pool. */
  readonly pool: number;
}

/** Makes an empty database with the domain's tables, and an audited instance on it. */
export async function createMysqlHarness(
  { server, dialect, pool }: MysqlWay,
  options: OrmHarnessOptions = {},
): Promise<MysqlHarness> {
  const { url, drop, keep } = await createDomainDatabase(server);
  const raw = await mysql.createConnection({ uri: url, multipleStatements: true });
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  const spool = mkdtempSync(join(tmpdir(), 'indelible-sequelize-'));
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
  const sequelize = connect(url, dialect, pool, counter);
  if (audited) auditSequelize(sequelize, { audit, ...capture });
  const models = defineDomain(sequelize);
  return {
    sequelize,
    models,
    audit,
    url: url.replace(/^\w+/, dialect),
    raw,
    ...createFlows(sequelize, models, audit, { sql: inMysql, affected: affectedRows }),
    events: () => readEvents(raw),
    snapshot: () => readMysqlSnapshot(raw),
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
      await sequelize.close();
      await audit.close();
      await store.close();
      await raw.end();
      await drop();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

/** An instance that counts the statements of its driver, but for those that look at the schema once a second. */
function connect(
  url: string,
  dialect: MysqlDialectName,
  pool: number,
  counter = { statements: 0 },
): Sequelize {
  const count = (connection: object): object => {
    for (const method of ['query', 'execute']) {
      const own: unknown = Reflect.get(connection, method);
      if (typeof own !== 'function') continue;
      Object.defineProperty(connection, method, {
        configurable: true,
        writable: true,
        value: (...args: unknown[]): unknown => {
          const sql = typeof args[0] === 'string' ? args[0] : String(Object(args[0]).sql);
          if (!LOOKS_AT_SCHEMA.test(sql)) counter.statements += 1;
          return Reflect.apply(own, connection, args) as unknown;
        },
      });
    }
    return connection;
  };
  const dialectModule =
    dialect === 'mysql'
      ? { ...mysql2, createConnection: (config: object) => count(mysql2.createConnection(config)) }
      : {
          ...mariadb,
          createConnection: async (config: object) => count(await mariadb.createConnection(config)),
        };
  return new Sequelize(url.replace(/^\w+/, dialect), {
    dialect,
    dialectModule,
    logging: false,
    pool: { max: pool, acquire: 20_000 },
  });
}

function affectedRows(metadata: unknown): number {
  const count = typeof metadata === 'object' && metadata !== null && Reflect.get(metadata, 'affectedRows');
  return typeof count === 'number' ? count : -1;
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
async function readEvents(raw: Connection): Promise<AuditEvent[]> {
  const [rows] = await raw.query<(RowDataPacket & { body: Uint8Array })[]>(
    "SELECT body FROM audit_event WHERE action NOT LIKE 'audit.%' ORDER BY id",
  );
  return rows.map(({ body }) => readBody(body));
}

/** From the text that the server itself gives each value. */
const convert: DomainReader['convert'] = {
  text: String,
  whole: Number,
  boolean: (value) => value === '1',
  decimal: (value) => String(Number(value)),
  json: (value) => JSON.parse(String(value)) as JsonValue,
  bytes: (value) => Buffer.from(String(value), 'hex').toString('base64'),
  instant: (value) => new Date(`${String(value).replace(' ', 'T')}Z`).toISOString(),
};

/** All tables, read with raw SQL on a connection of its own. */
export function readMysqlSnapshot(connection: Connection, links = SEQUELIZE_LINKS): Promise<Snapshot> {
  const reader: DomainReader = {
    convert,
    rows: async (table, columns) => {
      const selected = columns.map(({ name, kind }) =>
        kind === 'bytes' ? `HEX(\`${name}\`)` : `CAST(\`${name}\` AS CHAR)`,
      );
      const sql = `SELECT ${selected.join(', ')} FROM \`${table}\``;
      const [rows] = await connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true });
      return rows;
    },
  };
  return readSnapshot(reader, links);
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

const AUDIT_TABLES = ['audit_event', 'audit_pending', 'audit_entry', 'audit_head'];
/** Databases that nobody uses at the moment: making their tables takes longer than a test. */
const free: (TestDatabase & { readonly tables: readonly string[] })[] = [];

afterAll(async () => {
  for (const database of free.splice(0)) await database.drop();
});

/** A database with the domain's tables, empty, and those of the audit. Dropping it leaves it to the next one. */
async function createDomainDatabase(server: TestMysql): Promise<TestDatabase & { keep(): void }> {
  const database = free.pop() ?? (await create(server));
  let isKept = true;
  return {
    url: database.url,
    keep: () => {
      isKept = false;
    },
    drop: async () => {
      if (!isKept) return database.drop();
      await clear(database);
      free.push(database);
    },
  };
}

async function create(server: TestMysql): Promise<TestDatabase & { readonly tables: readonly string[] }> {
  const database = await server.createDatabase();
  const sequelize = connect(database.url, 'mysql', 1);
  const models = defineDomain(sequelize);
  await sequelize.sync();
  await sequelize.close();
  const store = createMysqlStore({ url: database.url, roles: false });
  await store.migrate();
  await store.close();
  return { ...database, tables: Object.values(models).map(({ tableName }) => tableName) };
}

/** Empties its own tables, and drops those that a test has made. */
async function clear({ url, tables }: (typeof free)[number]): Promise<void> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  try {
    const [rows] = await connection.query<RowDataPacket[]>('SHOW TABLES');
    const names = rows.map((row) => String(Object.values(row)[0]));
    const statements = names.flatMap((name) => {
      if (tables.includes(name) || AUDIT_TABLES.includes(name)) return [`TRUNCATE \`${name}\`;`];
      return name.startsWith('audit_') ? [] : [`DROP TABLE \`${name}\`;`];
    });
    await connection.query(`SET foreign_key_checks = 0; ${statements.join(' ')} SET foreign_key_checks = 1`);
  } finally {
    await connection.end();
  }
}
