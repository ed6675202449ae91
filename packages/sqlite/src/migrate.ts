import type { MigrationOutcome } from '@indelible/core';
import { deadlineIn } from './busy-retry.js';
import type { Connection } from './connection.js';
import type { ConnectionHolder } from './connection-holder.js';
import { MIGRATIONS } from './migrations.js';
import { newerSchema, readVersion, SCHEMA_VERSION } from './schema-version.js';

/**
 * Applies what is missing, in one transaction under the write lock: of any number of processes one applies it and the
 * others find it done.
 *
 * @throws AuditError `AUDIT_SCHEMA_NEWER`, `AUDIT_STORE_UNAVAILABLE`, `AUDIT_STORE_TIMEOUT`
 */
export async function migrate(holder: ConnectionHolder, timeoutMs: number): Promise<MigrationOutcome> {
  const deadline = deadlineIn(timeoutMs);
  const current = await holder.create((connection) => {
    const version = readVersion(connection);
    if (version > SCHEMA_VERSION) throw newerSchema(connection.fileName, version);
    if (version < SCHEMA_VERSION) connection.all('PRAGMA journal_mode = WAL');
    return version === SCHEMA_VERSION;
  }, deadline);
  if (current) return { applied: [], version: SCHEMA_VERSION };
  const applied = await holder.create(
    (connection) => connection.transaction(() => apply(connection)),
    deadline,
  );
  return { applied, version: SCHEMA_VERSION };
}

function apply(connection: Connection): number[] {
  const version = readVersion(connection);
  if (version > SCHEMA_VERSION) throw newerSchema(connection.fileName, version);
  const missing = MIGRATIONS.filter((migration) => migration.version > version);
  for (const migration of missing) {
    connection.exec(migration.sql);
    connection.run('INSERT INTO audit_migration (version, applied_at) VALUES (?, ?)', [
      BigInt(migration.version),
      new Date().toISOString(),
    ]);
  }
  return missing.map((migration) => migration.version);
}

/** All migrations as SQL that the shell of SQLite runs. */
export function printMigrations(): string {
  const parts = MIGRATIONS.map(
    ({ version, sql }) => `BEGIN IMMEDIATE;
${sql}
INSERT INTO audit_migration (version, applied_at) VALUES (${version}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
COMMIT;
`,
  );
  return [
    '-- Kept in the file: readers and the writer then do not wait for each other.\nPRAGMA journal_mode = WAL;\n',
    ...parts,
  ].join('\n');
}
