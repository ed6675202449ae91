import type { MigrationOutcome } from '@indelible/core';
import { type Database, inTransaction, UNLIMITED } from './database.js';
import { MIGRATIONS, type Migration } from './migrations.js';
import type { RoleNames } from './roles.js';
import { newerSchema, readVersion, SCHEMA_VERSION } from './schema-version.js';
import type { Session } from './session.js';
import { quoteText, type Tables } from './tables.js';

export interface MigrateOptions {
  readonly tables: Tables;
  /** Null: the roles are somebody else's business. */
  readonly roles: Required<RoleNames> | null;
  readonly warn: (message: string) => void;
}

/**
 * Applies what is missing, in one transaction under a lock of the database: of any number of processes one applies it and the
 * others find it done.
 *
 * @throws AuditError `AUDIT_SCHEMA_NEWER`, `AUDIT_STORE_UNAVAILABLE`
 */
export async function migrate(database: Database, options: MigrateOptions): Promise<MigrationOutcome> {
  const { tables } = options;
  return database.use(async (session) => {
    const version = await readVersion(session, tables);
    if (version > SCHEMA_VERSION) throw newerSchema(tables.schema, version);
    const applied =
      version === SCHEMA_VERSION ? [] : await inTransaction(session, () => applyMissing(session, options));
    return { applied, version: SCHEMA_VERSION };
  }, UNLIMITED);
}

async function applyMissing(session: Session, { tables, roles, warn }: MigrateOptions): Promise<number[]> {
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `indelible ${tables.schema}`,
  ]);
  // Only now: another process may have applied everything while this one waited.
  const version = await readVersion(session, tables);
  if (version > SCHEMA_VERSION) throw newerSchema(tables.schema, version);
  const missing = MIGRATIONS.filter((migration) => migration.version > version);
  if (missing.length === 0) return [];
  // Asked first, because IF NOT EXISTS needs the right to make one even where it is there.
  const there = await session.query(`SELECT FROM pg_namespace WHERE nspname = $1`, [tables.schema]);
  if (there.rows.length === 0) await session.script(`CREATE SCHEMA ${tables.quotedSchema}`);
  for (const migration of missing) await session.script(migrationSql(migration, tables));
  if (roles !== null) {
    const todo = await makeRoles(session, tables, roles);
    if (todo !== null)
      warn(`no roles were made: ${todo}. Somebody who may runs: ${makeRolesSql(tables, roles)}`);
  }
  return missing.map((migration) => migration.version);
}

async function makeRoles(
  session: Session,
  tables: Tables,
  roles: Required<RoleNames>,
): Promise<string | null> {
  const { rows } = await session.query(makeRolesSql(tables, roles));
  const todo = rows[0]?.[0];
  return typeof todo === 'string' ? todo : null;
}

function makeRolesSql(tables: Tables, { writer, sealer, reader }: Required<RoleNames>): string {
  return `SELECT ${tables.makeRoles}(${[writer, sealer, reader].map(quoteText).join(', ')})`;
}

/** One migration as it runs inside a transaction, which may be somebody else's: what comes after it finds his path again. */
function migrationSql({ version, sql }: Migration, tables: Tables): string {
  return `SELECT set_config('indelible.search_path', current_setting('search_path'), true);
SET LOCAL search_path = ${tables.quotedSchema}, pg_temp;

${sql}
INSERT INTO audit_migration (version) VALUES (${version});
SELECT set_config('search_path', current_setting('indelible.search_path'), true);`;
}

/** All migrations as SQL for people who keep their own: any tool that takes plain SQL runs it. */
export function printMigrations(tables: Tables, roles: Required<RoleNames> | null): string {
  const parts = MIGRATIONS.map((migration) => {
    const schema = migration.version === 1 ? `CREATE SCHEMA IF NOT EXISTS ${tables.quotedSchema};\n` : '';
    return `BEGIN;\n${schema}${migrationSql(migration, tables)}\nCOMMIT;\n`;
  });
  if (roles !== null) {
    parts.push(
      `-- Answers NULL, or what is to be done by somebody who may make roles.\n${makeRolesSql(tables, roles)};\n`,
    );
  }
  return parts.join('\n');
}
