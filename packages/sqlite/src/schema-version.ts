import { AuditError } from '@indelible/core';
import type { Connection } from './connection.js';
import { MIGRATIONS } from './migrations.js';
import { tablesMissing } from './sqlite-error.js';

/** The newest schema that this library knows. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;

const TABLES = [
  'audit_checkpoint',
  'audit_entry',
  'audit_event',
  'audit_head',
  'audit_migration',
  'audit_pending',
] as const;

/**
 * Looked at in each transaction, because another process may migrate at any time.
 *
 * @throws AuditError `AUDIT_TABLES_MISSING`, `AUDIT_SCHEMA_NEWER`
 */
export function requireSchema(connection: Connection): void {
  const version = Number(connection.all('SELECT max(version) FROM audit_migration')[0]?.[0] ?? 0);
  if (version > SCHEMA_VERSION) throw newerSchema(connection.fileName, version);
  if (version < SCHEMA_VERSION) {
    throw tablesMissing(connection.fileName, `schema ${version}, and ${SCHEMA_VERSION} is needed`);
  }
}

/** The version that stands in the database; 0 where nothing of ours is there. */
export function readVersion(connection: Connection): number {
  const there = connection.all(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'audit_migration'",
  );
  if (there.length === 0) return 0;
  return Number(connection.all('SELECT max(version) FROM audit_migration')[0]?.[0] ?? 0);
}

/** @throws AuditError `AUDIT_TABLES_MISSING` naming the first one that is gone, `AUDIT_SCHEMA_NEWER` */
export function requireTables(connection: Connection): void {
  requireSchema(connection);
  const rows = connection.all(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'audit\\_%' ESCAPE '\\'",
  );
  const there = new Set(rows.map((row) => row[0]));
  const missing = TABLES.find((name) => !there.has(name));
  if (missing !== undefined) throw tablesMissing(connection.fileName, `${missing} is gone`);
}

export function newerSchema(fileName: string, version: number): AuditError {
  return new AuditError(
    'AUDIT_SCHEMA_NEWER',
    'sqlite',
    `${fileName} has schema ${version}, and this version of @indelible/sqlite knows ${SCHEMA_VERSION}`,
  );
}
