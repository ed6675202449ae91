import pg from 'pg';
import { accountSeeds, accountTable, type HammerTarget } from './hammer-target.js';
import { createPostgresServer } from './postgres-server.js';
import { openServerTarget } from './server-target.js';
import { SHARED_ACCOUNTS } from './workload.js';

/** A PostgreSQL of its own on a small disk, behind a proxy that loses commits. */
export function openPostgresTarget(): Promise<HammerTarget> {
  return openServerTarget({
    kind: 'postgres',
    megabytes: 400,
    create: createPostgresServer,
    tables: { event: 'audit.audit_event', entry: 'audit.audit_entry', pending: 'audit.audit_pending' },
    setUp: [accountTable('"Account"'), accountSeeds('"Account"', SHARED_ACCOUNTS)],
    version: "SELECT current_setting('server_version') AS version",
    name: 'PostgreSQL',
    async run(url, sql) {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => {});
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    },
  });
}
