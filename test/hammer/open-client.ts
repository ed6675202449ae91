import type { Audit } from '@indelible/core';
import { createAuditExtension } from '@indelible/prisma';
import type { AccountClient, DatabaseKind } from './account-client.js';

/** An audited client of the workload's database. */
export async function openClient(kind: DatabaseKind, url: string, audit: Audit): Promise<AccountClient> {
  const extension = createAuditExtension({ audit });
  if (kind === 'sqlite') {
    const { PrismaClient } = await import('./generated/sqlite/client.js');
    const { PrismaLibSql } = await import('@prisma/adapter-libsql');
    const client = new PrismaClient({ adapter: new PrismaLibSql({ url }), errorFormat: 'minimal' });
    // The extended client is this one, with another type.
    client.$extends(extension);
    return client;
  }
  if (kind === 'postgres') {
    const { PrismaClient } = await import('./generated/postgres/client.js');
    const { PrismaPg } = await import('@prisma/adapter-pg');
    const adapter = new PrismaPg({ connectionString: url, max: 4, connectionTimeoutMillis: 3_000 });
    const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
    client.$extends(extension);
    return client;
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
  });
  // The driver throws where nobody can catch it, and ends the process, when a server tells an idle connection why it closes it
  // and then does: what the pool itself listens for is over with the first of the two.
  pool.on('connection', (connection) => connection.on('error', () => {}));
  const adapter = new PrismaMariaDb(pool, { disposeExternalPool: true });
  const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
  client.$extends(extension);
  return client;
}
