import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions, SuiteSql } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, readBody } from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import type { TestMysql } from '../../../mysql/test/test-mysql.js';
import { createAuditExtension } from '../../src/index.js';
import { HMAC_KEY } from '../prisma-harness.js';
import { type Audit, type Client, createFlows } from '../prisma-operations.js';
import { PrismaClient } from './generated/client.js';
import { createDomainDatabase } from './mysql-databases.js';
import { readMysqlSnapshot } from './mysql-rows.js';

export const MYSQL_SQL: SuiteSql = {
  instant: (text) => `'${new Date(text).toISOString().replace('T', ' ').replace('Z', '')}'`,
  compactUsers: 'ALTER TABLE `User` ENGINE = InnoDB, FORCE',
};

const LOOKS_AT_SCHEMA = /information_schema|@@SESSION|TRANSACTION ISOLATION/;

export interface MysqlHarness extends OrmHarness {
  readonly prisma: Client;
  readonly audit: Audit;
  readonly url: string;
  /** A connection that knows nothing of auditing. */
  readonly raw: Connection;
}

export interface MysqlWay {
  readonly server: TestMysql;
  /** Connections of the client's pool. */
  readonly pool: number;
}

/** Makes an empty database with the domain's tables, and an audited client on it. */
export async function createMysqlHarness(
  { server, pool }: MysqlWay,
  options: OrmHarnessOptions = {},
): Promise<MysqlHarness> {
  const { url, drop, keep } = await createDomainDatabase(server);
  const raw = await mysql.createConnection({ uri: url, multipleStatements: true });
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  const spool = mkdtempSync(join(tmpdir(), 'indelible-prisma-'));
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
  const client = new PrismaClient({ adapter: createAdapter(url, pool, counter), errorFormat: 'minimal' });
  if (audited) client.$extends(createAuditExtension({ audit, ...capture }));
  // The clients of the schemas differ in what only one of the databases can do.
  const prisma = client as unknown as Client;
  const flows = createFlows(prisma, audit, inMysql);
  return {
    prisma,
    audit,
    url,
    raw,
    ...flows,
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
      await prisma.$disconnect();
      await audit.close();
      await store.close();
      await raw.end();
      await drop();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

export function createAdapter(url: string, pool: number, counter: { statements: number }): PrismaMariaDb {
  const { hostname, port, username, password, pathname } = new URL(url);
  return new PrismaMariaDb({
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    connectionLimit: pool,
    logger: {
      // The schema is looked at once a second, and not once a statement.
      query: (sql) => {
        // One that is prepared is told three times.
        if (/^(?:QUERY|EXECUTE)/.test(sql) && !LOOKS_AT_SCHEMA.test(sql)) counter.statements += 1;
      },
    },
  });
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
