import { AuditError, type MigrationOutcome } from '@indelible/core';
import { type Database, UNLIMITED } from './database.js';
import { readNumber } from './event-row.js';
import { MIGRATIONS, type Migration } from './migrations.js';
import { STRICT } from './own-pool.js';
import { grantStatements, type RoleNames } from './roles.js';
import { newerSchema, readVersion, SCHEMA_VERSION } from './schema-version.js';
import type { Session } from './session.js';
import { quoteName, type Tables } from './tables.js';

/** Twenty processes that start at once wait for one of them, and DDL for open transactions. */
const PATIENCE_SECONDS = 60;

/**
 * Applies what is missing, under a lock of the database: of any number of processes one applies it and the others find it done.
 * DDL commits by itself here; what a migration left half done is done again by the next one, and its version stands there last.
 *
 * @throws AuditError `AUDIT_SCHEMA_NEWER`, `AUDIT_STORE_UNAVAILABLE`, `AUDIT_STORE_TIMEOUT`
 */
export async function migrate(database: Database, tables: Tables): Promise<MigrationOutcome> {
  return database.use(async (session) => {
    const version = await readVersion(session, tables);
    if (version > SCHEMA_VERSION) throw newerSchema(tables.database, version);
    const applied =
      version === SCHEMA_VERSION ? [] : await withLock(session, tables, () => applyMissing(session, tables));
    return { applied, version: SCHEMA_VERSION };
  }, UNLIMITED);
}

async function withLock<T>(session: Session, { schemaSql }: Tables, work: () => Promise<T>): Promise<T> {
  // Locks are the server's, and their names at most 64 characters long.
  const name = `CONCAT('indelible ', MD5(${schemaSql}))`;
  const { rows } = await session.run(`SELECT GET_LOCK(${name}, ${PATIENCE_SECONDS})`);
  if (readNumber(rows[0]?.[0]) !== 1) {
    throw new AuditError(
      'AUDIT_STORE_TIMEOUT',
      'mysql',
      'another process migrates the database and does not end',
      {
        next: 'SHOW PROCESSLIST names it; run the migration again once it is gone.',
      },
    );
  }
  try {
    return await work();
  } finally {
    await session.run(`DO RELEASE_LOCK(${name})`);
  }
}

async function applyMissing(session: Session, tables: Tables): Promise<number[]> {
  // Only now: another process may have applied everything while this one waited.
  const version = await readVersion(session, tables);
  if (version > SCHEMA_VERSION) throw newerSchema(tables.database, version);
  const missing = MIGRATIONS.filter((migration) => migration.version > version);
  if (missing.length === 0) return [];
  // What is set for it must not stay, and triggers keep the sql_mode that they were made under: the connection is closed then.
  session.broken = true;
  await session.run(`SET SESSION ${STRICT}, autocommit = 1, lock_wait_timeout = ${PATIENCE_SECONDS}`);
  if (tables.database !== undefined) await session.run(`USE ${quoteName(tables.database)}`);
  for (const migration of missing) {
    for (const statement of statementsOf(migration)) await session.run(statement);
  }
  return missing.map((migration) => migration.version);
}

/** A statement ends with the line. The last one says that all before it were run. */
function statementsOf({ version, sql }: Migration): readonly string[] {
  return [
    ...sql
      .replaceAll(/^\s*--.*$/gm, '')
      .split(/;\n/)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== ''),
    versionSql(version),
  ];
}

function versionSql(version: number): string {
  return `INSERT IGNORE INTO audit_migration (version, id) VALUES (${version}, UUID())`;
}

/** All migrations as SQL for people who keep their own: any tool that runs statements in the database of the tables. */
export function printMigrations(tables: Tables, roles: Required<RoleNames> | null): string {
  const use = tables.database === undefined ? '' : `USE ${quoteName(tables.database)};\n\n`;
  const parts = MIGRATIONS.map(({ version, sql }) => `${sql}\n${versionSql(version)};\n`);
  if (roles !== null) {
    parts.push(
      `-- The privileges that a process needs. Somebody who may make roles runs these, and gives each user one of the roles:\n` +
        `-- GRANT indelible_writer TO app@localhost, and SET DEFAULT ROLE for it.\n${grantStatements(roles)
          .map((statement) => `-- ${statement};\n`)
          .join('')}`,
    );
  }
  return use + parts.join('\n');
}
