import { ColumnTexts } from './column-texts.js';

/** The names of what the migrations made, ready for SQL. */
export interface Tables {
  /** How the query columns are written in this database. */
  readonly texts: ColumnTexts;
  /** As it is called, for messages. */
  readonly schema: string;
  readonly quotedSchema: string;
  readonly event: string;
  readonly pending: string;
  readonly entry: string;
  readonly head: string;
  readonly checkpoint: string;
  readonly outbox: string;
  readonly migration: string;
  readonly isStored: string;
  readonly appendEvent: string;
  readonly requireStored: string;
  readonly makePartitions: string;
  readonly makeRoles: string;
}

/** PostgreSQL cuts longer names without a word. */
const MAX_NAME_BYTES = 63;

export function nameTables(schema: string): Tables {
  const quotedSchema = quoteName(schema);
  const inSchema = (name: string) => `${quotedSchema}.${name}`;
  return {
    texts: new ColumnTexts(),
    schema,
    quotedSchema,
    event: inSchema('audit_event'),
    pending: inSchema('audit_pending'),
    entry: inSchema('audit_entry'),
    head: inSchema('audit_head'),
    checkpoint: inSchema('audit_checkpoint'),
    outbox: inSchema('audit_outbox'),
    migration: inSchema('audit_migration'),
    isStored: inSchema('audit_event_is_stored'),
    appendEvent: inSchema('audit_append_event'),
    requireStored: inSchema('audit_require_stored'),
    makePartitions: inSchema('audit_make_partitions'),
    makeRoles: inSchema('audit_make_roles'),
  };
}

/** @throws TypeError for what is no name of a schema or a role */
export function quoteName(name: string): string {
  if (!isName(name)) {
    throw new TypeError(
      `[indelible/postgres] expected a name of 1 to ${MAX_NAME_BYTES} bytes, not ${JSON.stringify(name)}`,
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

function isName(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) return false;
  return Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** @throws TypeError for a text with NUL */
export function quoteText(text: string): string {
  if (text.includes('\0')) throw new TypeError('[indelible/postgres] a name can not hold NUL');
  // E'' means the same whatever standard_conforming_strings says.
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/**
 * The query that names the database beneath a connection, in one row with one text column: two connections that get the same
 * name are of one database, whatever host, pool or role they came through. It fails with SQLSTATE 42883 or 3F000 where the
 * audit tables are missing.
 *
 * @param schema of the audit tables. @default 'audit'
 */
export function databaseNameSql(schema = 'audit'): string {
  return `SELECT ${quoteName(schema)}.audit_database() AS name`;
}
