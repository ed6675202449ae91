import { type PgClient, withClient } from '@indelible/postgres-triggers';
import type { CommandCall } from './command.js';
import { databaseUrl } from './database-url.js';
import { UsageError } from './usage-error.js';

export interface TriggerConnection {
  readonly client: PgClient;
  /** Of the audit tables: `audit_schema` of the URL, as the store reads it. */
  readonly auditSchema: string;
}

/** A connection to the PostgreSQL that the options name. @throws UsageError for another database */
export async function withTriggers<T>(
  { values }: CommandCall,
  use: (connection: TriggerConnection) => Promise<T>,
): Promise<T> {
  const url = databaseUrl(values.text('url'), process.env);
  if (!isPostgres(url)) throw new UsageError('triggers record on PostgreSQL only: --url postgres://…');
  return withClient(url, (client) => use({ client, auditSchema: auditSchemaOf(url) }));
}

export function isPostgres(url: string): boolean {
  return /^postgres(?:ql)?:/.test(url);
}

function auditSchemaOf(url: string): string {
  try {
    return new URL(url).searchParams.get('audit_schema') ?? 'audit';
  } catch {
    // node-postgres knows more forms, or says what is wrong with this one.
    return 'audit';
  }
}
