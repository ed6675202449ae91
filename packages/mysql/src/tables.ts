/** The names of what the migrations made, ready for SQL. */
export interface Tables {
  /** As it is called, for messages; undefined: the connection's own database, whichever that is. */
  readonly database: string | undefined;
  readonly event: string;
  readonly pending: string;
  readonly entry: string;
  readonly head: string;
  readonly checkpoint: string;
  readonly outbox: string;
  readonly guard: string;
  readonly migration: string;
  readonly isStored: string;
  readonly isInOutbox: string;
  /** SQL that gives the database's name. */
  readonly schemaSql: string;
  readonly nameSql: string;
}

const MAX_NAME_LENGTH = 64;

export function nameTables(database: string | undefined): Tables {
  const named = (name: string) => (database === undefined ? name : `${quoteName(database)}.${name}`);
  return {
    database,
    event: named('audit_event'),
    pending: named('audit_pending'),
    entry: named('audit_entry'),
    head: named('audit_head'),
    checkpoint: named('audit_checkpoint'),
    outbox: named('audit_outbox'),
    guard: named('audit_guard'),
    migration: named('audit_migration'),
    isStored: named('audit_event_is_stored'),
    isInOutbox: named('audit_outbox_is_stored'),
    schemaSql: database === undefined ? 'DATABASE()' : quoteText(database),
    nameSql: `SELECT ${named('audit_database')}() AS name`,
  };
}

/** @throws TypeError for what is no name of a database or a role */
export function quoteName(name: string): string {
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH || name.includes('\0')) {
    throw new TypeError(
      `[indelible/mysql] expected a name of 1 to ${MAX_NAME_LENGTH} characters, not ${JSON.stringify(name)}`,
    );
  }
  return `\`${name.replaceAll('`', '``')}\``;
}

/** In hex: what a quote or a backslash means depends on the session's sql_mode. */
export function quoteText(text: string): string {
  return `CONVERT(0x${Buffer.from(text, 'utf8').toString('hex')} USING utf8mb4)`;
}

/**
 * The query that names the database beneath a connection, in one row with one text column: two connections that get the same
 * name are of one database, whatever host, pool or user they came through. It fails with error 1305 where the audit tables
 * are missing.
 *
 * @param database of the audit tables. @default that of the connection
 */
export function databaseNameSql(database?: string): string {
  return nameTables(database).nameSql;
}
