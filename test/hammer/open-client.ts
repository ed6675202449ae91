import type { Audit } from '@indelible/core';
import { createAuditExtension } from '@indelible/prisma';
import type { AccountClient, DatabaseKind } from './account-client.js';

export interface OpenClient {
  readonly client: AccountClient;
  close(): Promise<void>;
}

/** An audited client of the workload's database. */
export async function openClient(kind: DatabaseKind, url: string, audit: Audit): Promise<OpenClient> {
  const extension = createAuditExtension({ audit });
  if (kind === 'sqlite') {
    const { PrismaClient } = await import('./generated/sqlite/client.js');
    const { PrismaLibSql } = await import('@prisma/adapter-libsql');
    const client = new PrismaClient({ adapter: new PrismaLibSql({ url }), errorFormat: 'minimal' });
    // The extended client is this one, with another type.
    client.$extends(extension);
    return { client, close: () => client.$disconnect() };
  }
  if (kind === 'postgres') {
    const { PrismaClient } = await import('./generated/postgres/client.js');
    const { PrismaPg } = await import('@prisma/adapter-pg');
    const adapter = new PrismaPg({ connectionString: url, max: 4, connectionTimeoutMillis: 3_000 });
    const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
    client.$extends(extension);
    return { client, close: () => client.$disconnect() };
  }
  const { PrismaClient } = await import('./generated/mysql/client.js');
  const { PrismaMariaDb } = await import('@prisma/adapter-mariadb');
  const { hostname, port, username, pathname } = new URL(url);
  const { createPool } = await import('mariadb');
  const pool = createPool({
    host: hostname,
    port: Number(port),
    user: username,
    database: pathname.slice(1),
    connectionLimit: 4,
    connectTimeout: 3_000,
    prepareCacheLength: 0,
    // The driver rejects where nobody can catch it, and ends the process, when a new connection is cut while it is told its character
    // set, which a collation saves, and throws when the server says why it closes an idle one, unless somebody listens.
    // packages/mysql/test/mariadb-driver.test.ts
    collation: 'UTF8MB4_UNICODE_CI',
  });
  pool.on('connection', (connection) => connection.on('error', () => {}));
  const adapter = new PrismaMariaDb(pool);
  const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
  client.$extends(extension);
  return {
    client,
    async close() {
      await client.$disconnect();
      // Of a client that was never connected nobody else would end it, and its connections keep the process alive.
      await pool.end();
    },
  };
}
