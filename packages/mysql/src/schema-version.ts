import { AuditError } from '@indelible/core';
import { readNumber } from './event-row.js';
import { MIGRATIONS } from './migrations.js';
import { errorNumber, tablesMissing } from './mysql-error.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

/** The newest schema that this library knows. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;

const NO_SUCH_TABLE = 1146;
const SELECT_DENIED = 1142;
/** Another process may migrate at any time. */
const TRUST_MS = 5_000;

/** Looks at the version of the schema, and not again for a few seconds where it was right. */
export class SchemaCheck {
  private until = 0;

  constructor(private readonly tables: Tables) {}

  /** @throws AuditError `AUDIT_TABLES_MISSING`, `AUDIT_SCHEMA_NEWER` */
  async require(session: Session): Promise<void> {
    if (performance.now() < this.until) return;
    const { rows } = await session.run(`SELECT MAX(version) FROM ${this.tables.migration}`);
    const found = rows[0]?.[0];
    requireVersion(this.tables, found === null ? 0 : readNumber(found));
    this.until = performance.now() + TRUST_MS;
  }

  forget(): void {
    this.until = 0;
  }
}

function requireVersion({ database }: Tables, version: number): void {
  if (version > SCHEMA_VERSION) throw newerSchema(database, version);
  if (version < SCHEMA_VERSION)
    throw tablesMissing(database, `schema ${version}, and ${SCHEMA_VERSION} is needed`);
}

/** The version that stands in the database; 0 where nothing of ours is there. */
export async function readVersion(session: Session, tables: Tables): Promise<number> {
  try {
    const { rows } = await session.run(`SELECT COALESCE(MAX(version), 0) FROM ${tables.migration}`);
    return readNumber(rows[0]?.[0]);
  } catch (error) {
    if (errorNumber(error) === NO_SUCH_TABLE) return 0;
    throw error;
  }
}

/** @throws AuditError `AUDIT_TABLES_MISSING` naming the first one that is gone */
export async function requireTables(session: Session, tables: Tables): Promise<void> {
  const { event, pending, entry, checkpoint, head, outbox, guard } = tables;
  for (const table of [event, pending, entry, checkpoint, head, outbox, guard]) {
    try {
      await session.run(`SELECT 1 FROM ${table} LIMIT 0`);
    } catch (error) {
      // Who may only write is told of no other table whether it is there.
      if (errorNumber(error) !== SELECT_DENIED) throw error;
    }
  }
}

export function newerSchema(database: string | undefined, version: number): AuditError {
  return new AuditError(
    'AUDIT_SCHEMA_NEWER',
    'mysql',
    `the audit tables${database === undefined ? '' : ` of ${database}`} have version ${version}, and this version of @indelible/mysql knows ${SCHEMA_VERSION}`,
  );
}
