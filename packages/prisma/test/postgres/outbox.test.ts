import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { outboxStory } from '../outbox-story.js';
import type { Client } from '../prisma-operations.js';
import { PrismaClient } from './generated/client.js';
import { createDomainDatabase } from './postgres-databases.js';

describePostgres('an outbox', (server) => {
  outboxStory(async () => {
    const { url, drop } = await createDomainDatabase(server);
    const raw = new pg.Client({ connectionString: url });
    await raw.connect();
    return {
      createClient: (pool, extension) => {
        const adapter = new PrismaPg({ connectionString: url, max: pool });
        const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
        client.$extends(extension);
        // The clients of the schemas differ in what only one of the databases can do.
        return client as unknown as Client;
      },
      counts: async () => {
        const { rows } = await raw.query<{ outbox: number; events: number; tags: number }>(
          `SELECT (SELECT count(*)::int FROM audit.audit_outbox) AS outbox,
            (SELECT count(*)::int FROM audit.audit_event) AS events, (SELECT count(*)::int FROM "Tag") AS tags`,
        );
        const [row] = rows;
        if (row === undefined) throw new Error('the database says nothing');
        return row;
      },
      drop: async () => {
        await raw.end();
        await drop();
      },
    };
  });
});
