import { AuditError } from '@indelible/core';
import { findTables } from './find-tables.js';
import { FUNCTIONS } from './functions.js';
import { inTransaction, type PgClient, quoteLiteral, quoteName, rowsOf, sqlState } from './pg-client.js';
import { isSecretColumn, SECRET_NAME } from './secret-columns.js';
import {
  checkColumns,
  configureTable,
  type FoundTable,
  type InstallOptions,
  type TableConfig,
} from './trigger-options.js';

/** The version of the functions: that on the second line of each. */
export const FUNCTIONS_VERSION = 2;

export interface InstalledTable {
  /** `schema.table` */
  readonly table: string;
  readonly outcome: 'installed' | 'changed' | 'unchanged';
  /** Columns whose values are masked. */
  readonly masked: readonly string[];
}

/**
 * Puts the triggers on tables, in one transaction: from its COMMIT on every change of their rows is recorded, whoever makes it.
 * Run again it changes nothing but what is different, and takes in columns that have come since.
 *
 * The role must own the tables, and may make functions in the schema of the audit tables and give them to its owner.
 *
 * @throws AuditError `AUDIT_TABLES_MISSING`, `AUDIT_SCHEMA_NEWER`, `AUDIT_CONFIG_INVALID`, `AUDIT_RIGHTS_MISSING`
 * @example
 * await installTriggers(client, { tables: ['users', 'orders'], mask: ['users.phone'] });
 */
export async function installTriggers(
  client: PgClient,
  options: InstallOptions,
): Promise<readonly InstalledTable[]> {
  const auditSchema = options.auditSchema ?? 'audit';
  return translated(() =>
    inTransaction(client, async () => {
      const tables = await configureTables(client, options);
      await requireAuditTables(client, auditSchema);
      await client.query(functionsSql(auditSchema));
      const installed: InstalledTable[] = [];
      for (const { table, config } of tables) {
        const [row] = await rowsOf(
          client,
          `SELECT ${quoteName(auditSchema)}.audit_trigger_install($1::regclass, $2) AS outcome`,
          [nameOf(table), JSON.stringify(config)],
        );
        const masked = [...new Set([...config.mask, ...config.secret])].filter(
          (column) => !config.exclude.includes(column),
        );
        installed.push({ table: `${table.schema}.${table.name}`, outcome: outcomeOf(row?.outcome), masked });
      }
      return installed;
    }),
  );
}

/** The SQL that `installTriggers` would run, for people who keep their own migrations. Nothing is written. */
export async function printTriggers(client: PgClient, options: InstallOptions): Promise<string> {
  const auditSchema = options.auditSchema ?? 'audit';
  const tables = await configureTables(client, options);
  const calls = tables.map(
    ({ table, config }) =>
      `SELECT ${quoteName(auditSchema)}.audit_trigger_install(${quoteLiteral(nameOf(table))}, ${quoteLiteral(JSON.stringify(config))});`,
  );
  return `BEGIN;\n${functionsSql(auditSchema)}\n${calls.join('\n')}\nCOMMIT;\n`;
}

/**
 * Takes the triggers off tables. The functions stay.
 *
 * @returns the tables that had triggers
 * @throws AuditError `AUDIT_CONFIG_INVALID`, `AUDIT_RIGHTS_MISSING`
 */
export async function removeTriggers(
  client: PgClient,
  { auditSchema = 'audit', ...options }: Pick<InstallOptions, 'tables' | 'schema' | 'auditSchema'>,
): Promise<readonly string[]> {
  return translated(() =>
    inTransaction(client, async () => {
      const removed: string[] = [];
      for (const table of await findTables(client, options, auditSchema)) {
        const sql = `SELECT ${quoteName(auditSchema)}.audit_trigger_remove(c.oid) AS removed FROM pg_catalog.pg_class c
          WHERE c.oid = $1::regclass OR (c.relispartition AND $1::regclass IN (SELECT pg_catalog.pg_partition_ancestors(c.oid)))`;
        await client.query(`SET LOCAL search_path = ${quoteName(auditSchema)}, pg_temp`);
        const rows = await rowsOf(client, sql, [nameOf(table)]);
        if (rows.some((row) => row.removed === true)) removed.push(`${table.schema}.${table.name}`);
      }
      return removed;
    }),
  );
}

async function configureTables(
  client: PgClient,
  options: InstallOptions,
): Promise<readonly { readonly table: FoundTable; readonly config: TableConfig }[]> {
  const tables = await findTables(client, options, options.auditSchema ?? 'audit');
  checkColumns(options, tables);
  const judge = { isSecret: isSecretColumn, pattern: SECRET_NAME };
  return tables.map((table) => ({ table, config: configureTable(table, options, judge) }));
}

/** Owned by who owns the audit tables, and to be called by nobody else: or anybody could put one on a table of his own. */
function functionsSql(auditSchema: string): string {
  const schema = quoteName(auditSchema);
  const versionOf = `substring(p.prosrc FROM '-- version: ([0-9]+)')::int`;
  const version = `(SELECT max(${versionOf}) FROM pg_catalog.pg_proc AS p
      WHERE p.pronamespace = ${quoteLiteral(schema)}::regnamespace AND pg_catalog.starts_with(p.proname, 'audit_trigger_'))`;
  return `SET LOCAL search_path = ${schema}, pg_temp;
DO $install$ DECLARE
  found regprocedure;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('indelible triggers ' || current_schema(), 0));
  IF ${version} > ${FUNCTIONS_VERSION} THEN
    RAISE EXCEPTION 'the functions of the triggers have version %, and this library knows ${FUNCTIONS_VERSION}', ${version} USING ERRCODE = 'IND01';
  END IF;
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'the database is not encoded in UTF8' USING ERRCODE = 'IND02';
  END IF;
  -- What an older version had may have had other arguments or answers. Those that triggers call stay, and keep their triggers.
  FOR found IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = current_schema()::regnamespace
      AND starts_with(p.proname, 'audit_trigger_') AND p.prorettype <> 'trigger'::regtype AND ${versionOf} < ${FUNCTIONS_VERSION} LOOP
    EXECUTE format('DROP FUNCTION %s', found);
  END LOOP;
END $install$;
${FUNCTIONS.join('\n')}
DO $install$ DECLARE
  found record;
BEGIN
  FOR found IN SELECT p.oid::regprocedure AS signature, p.proowner, c.relowner
    FROM pg_proc AS p, pg_class AS c WHERE c.oid = 'audit_event'::regclass
      AND p.pronamespace = current_schema()::regnamespace AND starts_with(p.proname, 'audit_trigger_') LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', found.signature);
    IF found.proowner <> found.relowner THEN
      EXECUTE format('ALTER FUNCTION %s OWNER TO %I', found.signature, pg_get_userbyid(found.relowner));
    END IF;
  END LOOP;
END $install$;
`;
}

async function requireAuditTables(client: PgClient, auditSchema: string): Promise<void> {
  const [row] = await rowsOf(
    client,
    `SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS "mayCreate"
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'audit_event'`,
    [auditSchema],
  );
  if (row?.mayCreate === true) return;
  if (row !== undefined) {
    // Without the right to see into it, functions would be made somewhere else.
    const message = `the role may not make functions in the schema ${auditSchema}`;
    throw new AuditError('AUDIT_RIGHTS_MISSING', 'postgres-triggers', message);
  }
  throw new AuditError(
    'AUDIT_TABLES_MISSING',
    'postgres-triggers',
    `there is no ${auditSchema}.audit_event for the triggers to write to`,
  );
}

function nameOf({ schema, name }: FoundTable): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

function outcomeOf(value: unknown): InstalledTable['outcome'] {
  if (value === 'installed' || value === 'changed' || value === 'unchanged') return value;
  throw new TypeError(`audit_trigger_install answered ${String(value)}`);
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const state = sqlState(error);
    if (state === '42501') {
      throw new AuditError('AUDIT_RIGHTS_MISSING', 'postgres-triggers', message, { cause: error });
    }
    if (state === 'IND01')
      throw new AuditError('AUDIT_SCHEMA_NEWER', 'postgres-triggers', message, { cause: error });
    if (state === 'IND02')
      throw new AuditError('AUDIT_DATABASE_UNSUPPORTED', 'postgres-triggers', message, { cause: error });
    throw error;
  }
}
