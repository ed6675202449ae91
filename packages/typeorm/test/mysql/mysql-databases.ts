import { createMysqlStore } from '@indelible/mysql';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { afterAll } from 'vitest';
import type { TestDatabase, TestMysql } from '../../../mysql/test/test-mysql.js';
import { createDomain } from '../domain-entities.js';

export const DOMAIN_TYPES = {
  text: 'longtext',
  keyText: 'varchar',
  float: 'double',
  decimal: { type: 'decimal', precision: 65, scale: 30 },
  bytes: 'longblob',
  json: 'json',
  role: 'enum',
  instant: { type: 'datetime', precision: 3 },
} as const;

/** Databases that nobody uses at the moment: making their tables takes longer than a test. */
const free: TestDatabase[] = [];

afterAll(async () => {
  for (const database of free.splice(0)) await database.drop();
});

/** A database with the domain's tables, empty, and those of the audit. Dropping it leaves it to the next one. */
export async function createDomainDatabase(server: TestMysql): Promise<TestDatabase & { keep(): void }> {
  const database = free.pop() ?? (await create(server));
  let isKept = true;
  return {
    url: database.url,
    keep: () => {
      isKept = false;
    },
    drop: async () => {
      if (!isKept) return database.drop();
      await clear(database.url);
      free.push(database);
    },
  };
}

async function create(server: TestMysql): Promise<TestDatabase> {
  const database = await server.createDatabase();
  const entities = Object.values(createDomain(DOMAIN_TYPES));
  const dataSource = new DataSource({ type: 'mariadb', url: database.url, entities, synchronize: true });
  await dataSource.initialize();
  // TypeORM sets the time of an update itself. With ON UPDATE a JSON whose keys change places would be another row.
  await dataSource.query(
    'ALTER TABLE `User` MODIFY `updatedAt` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)',
  );
  await dataSource.destroy();
  const store = createMysqlStore({ url: database.url, roles: false });
  await store.migrate();
  await store.close();
  return database;
}

async function clear(url: string): Promise<void> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  try {
    const [tables] = await connection.query<RowDataPacket[][]>({
      sql: `SELECT TABLE_NAME FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME NOT IN ('audit_guard', 'audit_migration')`,
      rowsAsArray: true,
    });
    const truncated = tables.map(([name]) => `TRUNCATE \`${String(name)}\`;`).join(' ');
    await connection.query(`SET foreign_key_checks = 0; ${truncated} SET foreign_key_checks = 1`);
  } finally {
    await connection.end();
  }
}
