import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createAuditExtension } from '../../src/index.js';
import { PrismaClient } from './generated/client.js';
import { createDomainDatabase } from './postgres-databases.js';
import { readEvents } from './postgres-harness.js';

describePostgres('a policy that lets writes go on', (server) => {
  test('lets transactions and single writes of Prisma go on where the database refuses what auditing asks for', async () => {
    const { url, drop } = await createDomainDatabase(server);
    const role = `indelible_closed_${process.pid}_${server.version}`;
    const raw = new pg.Client({ connectionString: url });
    await raw.connect();
    const directory = mkdtempSync(join(tmpdir(), 'indelible-prisma-'));
    const store = createPostgresStore({ url, connections: 2, onWarning: () => {} });
    const errors: unknown[] = [];
    const audit = createAudit({
      store,
      hmacKey: 'a test secret of more than thirty-two bytes',
      lifecycleEvents: false,
      sealAfterMs: false,
      policy: { data: 'continue' },
      onError: (error) => void errors.push(error),
      spool: { directory },
    });
    const adapter = new PrismaPg({ connectionString: url, max: 1, options: `-c role=${role}` });
    const client = new PrismaClient({ adapter, errorFormat: 'minimal' });
    try {
      await audit.migrate();
      await raw.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA audit TO ${role};
        GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA audit TO ${role};
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit TO ${role};
        GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
        REVOKE EXECUTE ON FUNCTION pg_catalog.row_security_active(oid) FROM public`);
      client.$extends(createAuditExtension({ audit }));
      const data = (code: string) => ({ code, label: 'x' });
      expect(await client.tag.create({ data: data('a') })).toEqual(data('a'));
      await client.$transaction(async (tx) => {
        await tx.tag.create({ data: data('b') });
        await tx.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
      });
      await client.$transaction([client.tag.create({ data: data('c') }), client.tag.deleteMany()]);
      expect(await client.tag.count()).toBe(0);
      await raw.query('GRANT EXECUTE ON FUNCTION pg_catalog.row_security_active(oid) TO public');
      await client.tag.create({ data: data('d') });
      const told = (await readEvents(raw)).map(({ action, change }) => `${action} ${change?.fidelity}`);
      expect(told).toEqual([...Array.from({ length: 5 }, () => 'sql.executed opaque'), 'tag.created exact']);
      expect(errors.length).toBeGreaterThan(0);
    } finally {
      await client.$disconnect();
      await audit.close();
      await store.close();
      await raw.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await raw.end();
      await drop();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
