import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { expect, onTestFinished, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { type AuditExtension, createAuditExtension } from '../../src/index.js';
import { outboxStory } from '../outbox-story.js';
import { HMAC_KEY } from '../prisma-harness.js';
import type { Client } from '../prisma-operations.js';
import { PrismaClient } from './generated/client.js';
import { createDomainDatabase } from './mysql-databases.js';
import { createAdapter } from './mysql-harness.js';

describeMysql('an outbox', (server) => {
  const openClient = (url: string, pool: number, extension: AuditExtension): Client => {
    const adapter = createAdapter(url, pool, { statements: 0 });
    const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
    client.$extends(extension);
    // The clients of the schemas differ in what only one of the databases can do.
    return client as unknown as Client;
  };

  outboxStory(async () => {
    const { url, drop } = await createDomainDatabase(server);
    const raw = await mysql.createConnection(url);
    return {
      createClient: (pool, extension) => openClient(url, pool, extension),
      databaseUrl: url,
      counts: async () => {
        const [rows] = await raw.query<RowDataPacket[][]>({
          sql: 'SELECT (SELECT COUNT(*) FROM audit_outbox), (SELECT COUNT(*) FROM audit_event), (SELECT COUNT(*) FROM `Tag`)',
          rowsAsArray: true,
        });
        const [outbox, events, tags] = (rows[0] ?? []).map(Number);
        return { outbox: outbox ?? -1, events: events ?? -1, tags: tags ?? -1 };
      },
      drop: async () => {
        await raw.end();
        await drop();
      },
    };
  });

  test('needs to be told of its database, and the error says how', async () => {
    const { url, drop } = await createDomainDatabase(server);
    const directory = mkdtempSync(join(tmpdir(), 'indelible-outbox-'));
    const errors: Error[] = [];
    const audit = createAudit({
      store: `file:${join(directory, 'audit.db')}`,
      hmacKey: HMAC_KEY,
      lifecycleEvents: false,
      relay: 'own',
      spool: { directory: join(directory, 'spool') },
      onError: (error) => errors.push(error),
    });
    const prisma = openClient(url, 1, createAuditExtension({ audit }));
    onTestFinished(async () => {
      await prisma.$disconnect();
      await audit.close();
      await drop();
      rmSync(directory, { recursive: true, force: true });
    });
    await expect(prisma.tag.create({ data: { code: 'a', label: 'x' } })).rejects.toThrow('databaseUrl');
    expect(await prisma.tag.count()).toBe(0);
  });
});
