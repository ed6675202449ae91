import { readFileSync } from 'node:fs';
import { createMysqlStore } from '@indelible/mysql';
import mysql from 'mysql2/promise';
import { afterAll } from 'vitest';
import type { TestDatabase, TestMysql } from '../../../mysql/test/test-mysql.js';

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');
const TABLES = [...SCHEMA.matchAll(/CREATE TABLE `(\w+)`/g)].map(([, name]) => name);
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
      await runOn(database.url, clearStatements());
      free.push(database);
    },
  };
}

async function create(server: TestMysql): Promise<TestDatabase> {
  const database = await server.createDatabase();
  await runOn(database.url, SCHEMA);
  const store = createMysqlStore({ url: database.url, roles: false });
  await store.migrate();
  await store.close();
  return database;
}

function clearStatements(): string {
  const truncated = [...TABLES, 'audit_event', 'audit_pending', 'audit_entry', 'audit_head', 'audit_outbox'];
  return `SET foreign_key_checks = 0; ${truncated.map((name) => `TRUNCATE \`${name}\`;`).join(' ')} SET foreign_key_checks = 1`;
}

export async function runOn(url: string, sql: string): Promise<void> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
