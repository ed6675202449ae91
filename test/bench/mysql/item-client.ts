import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import { createAuditExtension } from '@indelible/prisma';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import type { BenchDatabase, BenchServer } from './find-server.js';
import { runOn } from './find-server.js';
import { PrismaClient } from './generated/client.js';

const POOL = 4;

export type Client = ReturnType<typeof createClient>;

export interface ItemClient {
  readonly client: Client;
  /** Resolves when all that was asked for so far is sealed. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** A client on a fresh database with so many items, each with a pool of its own. */
export async function openItems(server: BenchServer, rows: number, audited: boolean): Promise<ItemClient> {
  const database = await server.createDatabase();
  await runOn(
    database.url,
    `INSERT INTO \`Item\` (\`code\`, \`name\`, \`note\`, \`updatedAt\`)
      SELECT CONCAT('code-', seq.n), CONCAT('Item ', seq.n), CONCAT('A note on item ', seq.n), NOW(3) FROM (
        WITH RECURSIVE numbers AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${rows})
        SELECT n FROM numbers) AS seq; ANALYZE TABLE \`Item\``,
  );
  const client = createClient(database.url);
  return audited ? audit(client, database) : plain(client, database);
}

function plain(client: Client, database: BenchDatabase): ItemClient {
  return {
    client,
    settle: async () => {},
    close: async () => {
      await client.$disconnect();
      await database.drop();
    },
  };
}

/** With the settings that it has by itself. */
async function audit(client: Client, database: BenchDatabase): Promise<ItemClient> {
  const spool = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
  const store = createMysqlStore({ url: database.url });
  await store.migrate();
  const log = createAudit({
    store,
    hmacKey: 'a benchmark key of more than thirty-two bytes',
    lifecycleEvents: false,
    spool: { directory: spool },
  });
  client.$extends(createAuditExtension({ audit: log }));
  return {
    client,
    settle: () => log.flush(),
    close: async () => {
      await client.$disconnect();
      await log.close();
      await store.close();
      await database.drop();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

function createClient(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const adapter = new PrismaMariaDb({
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    connectionLimit: POOL,
  });
  return new PrismaClient({ adapter, errorFormat: 'minimal' });
}
