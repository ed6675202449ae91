import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createPostgresStore } from '@indelible/postgres';
import pg from 'pg';
import { afterAll } from 'vitest';
import { dropDatabase, type TestDatabase, type TestPostgres } from '../../../postgres/test/test-postgres.js';

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');

/** By server: a database with the domain's tables and those of the audit, which others are copied from. */
const templates = new Map<string, Promise<TestDatabase>>();

afterAll(async () => {
  for (const template of templates.values()) await (await template).drop();
  templates.clear();
});

/** A database of its own with the domain's tables and those of the audit. */
export async function createDomainDatabase(server: TestPostgres): Promise<TestDatabase> {
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
  await runOn(database.url, SCHEMA);
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
