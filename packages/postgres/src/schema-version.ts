import { AuditError } from '@indelible/core';
import { readNumber } from './event-row.js';
import { MIGRATIONS } from './migrations.js';
import { tablesMissing } from './postgres-error.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

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
const TABLE_NAMES = `SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`;
/** Another process may migrate at any time. */
const TRUST_MS = 5_000;

/** Looks at the version of the schema, and not again for a few seconds where it was right. */
export class SchemaCheck {
  private until = 0;

  constructor(private readonly tables: Tables) {}

  /** @throws AuditError `AUDIT_TABLES_MISSING`, `AUDIT_SCHEMA_NEWER` */
  async require(session: Session): Promise<void> {
    if (performance.now() < this.until) return;
    const { rows } = await session.query(
      `SELECT max(version), getdatabaseencoding() FROM ${this.tables.migration}`,
    );
    requireVersion(this.tables, rows[0]?.[0] === null ? 0 : readNumber(rows[0]?.[0]));
    this.tables.texts.encoding(rows[0]?.[1]);
    this.until = performance.now() + TRUST_MS;
  }

  forget(): void {
    this.until = 0;
  }
}

function requireVersion({ schema }: Tables, version: number): void {
  if (version > SCHEMA_VERSION) throw newerSchema(schema, version);
  if (version < SCHEMA_VERSION)
    throw tablesMissing(schema, `schema ${version}, and ${SCHEMA_VERSION} is needed`);
}

/** The version that stands in the database; 0 where nothing of ours is there. */
export async function readVersion(session: Session, tables: Tables): Promise<number> {
  // Not to_regclass(), which inside a transaction may remember that there was none.
  const there = await session.query(`${TABLE_NAMES} AND c.relname = 'audit_migration'`, [tables.schema]);
  if (there.rows.length === 0) return 0;
  const { rows } = await session.query(`SELECT coalesce(max(version), 0) FROM ${tables.migration}`);
  return readNumber(rows[0]?.[0]);
}

/** @throws AuditError `AUDIT_TABLES_MISSING` naming the first one that is gone */
export async function requireTables(session: Session, { schema }: Tables): Promise<void> {
  const { rows } = await session.query(TABLE_NAMES, [schema]);
  const there = new Set(rows.map((row) => row[0]));
  const missing = TABLES.find((name) => !there.has(name));
  if (missing !== undefined) throw tablesMissing(schema, `${missing} is gone`);
}

export function newerSchema(schema: string, version: number): AuditError {
  return new AuditError(
    'AUDIT_SCHEMA_NEWER',
    'postgres',
    `the schema ${schema} has version ${version}, and this version of @indelible/postgres knows ${SCHEMA_VERSION}`,
  );
}
