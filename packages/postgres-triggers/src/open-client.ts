import { AuditError } from '@indelible/core';
import pg from 'pg';
import type { PgClient } from './pg-client.js';

/**
 * Opens a connection for one piece of work.
 *
 * @param url as node-postgres reads it
 * @throws AuditError `AUDIT_STORE_UNAVAILABLE`, `AUDIT_CONFIG_INVALID`
 */
export async function withClient<T>(url: string, work: (client: PgClient) => Promise<T>): Promise<T> {
  const client = createClient(url);
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw new AuditError('AUDIT_STORE_UNAVAILABLE', 'postgres-triggers', 'the database can not be reached', {
      cause,
    });
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function createClient(url: string): pg.Client {
  try {
    return new pg.Client({ connectionString: url, fallback_application_name: 'indelible' });
  } catch {
    // Without the cause: Node's own error of a wrong URL quotes the whole of it.
    throw new AuditError(
      'AUDIT_CONFIG_INVALID',
      'postgres-triggers',
      'url: not the URL of a PostgreSQL database',
    );
  }
}
