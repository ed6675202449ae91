import { quoteName } from './tables.js';

/** The roles to which `migrationSql` grants what they need. */
export interface RoleNames {
  /** May insert events, and nothing else. @default 'indelible_writer' */
  readonly writer?: string;
  /** May read and seal. @default 'indelible_sealer' */
  readonly sealer?: string;
  /** May read. @default 'indelible_reader' */
  readonly reader?: string;
}

/** @throws TypeError for what is no name of a role */
export function parseRoles(roles: RoleNames | boolean | undefined): Required<RoleNames> | null {
  if (roles === false) return null;
  const given = typeof roles === 'object' ? roles : {};
  const { writer = 'indelible_writer', sealer = 'indelible_sealer', reader = 'indelible_reader' } = given;
  for (const name of [writer, sealer, reader]) quoteName(name);
  return { writer, sealer, reader };
}

/**
 * The statements that make the roles and give them their privileges in the current database. Nobody gets DROP, which TRUNCATE
 * needs, or a right to change what is stored; triggers and functions have the rights of who migrated.
 */
export function grantStatements(roles: Required<RoleNames>): readonly string[] {
  const [writer, sealer, reader] = [roles.writer, roles.sealer, roles.reader].map(quoteName);
  const all = `${writer}, ${sealer}, ${reader}`;
  return [
    ...[writer, sealer, reader].map((role) => `CREATE ROLE IF NOT EXISTS ${role}`),
    `GRANT SELECT ON audit_migration TO ${all}`,
    `GRANT EXECUTE ON FUNCTION audit_database TO ${all}`,
    `GRANT INSERT ON audit_event TO ${writer}`,
    `GRANT INSERT ON audit_outbox TO ${writer}`,
    `GRANT EXECUTE ON FUNCTION audit_event_is_stored TO ${writer}`,
    `GRANT EXECUTE ON FUNCTION audit_outbox_is_stored TO ${writer}`,
    `GRANT SELECT ON audit_event TO ${sealer}`,
    `GRANT SELECT, DELETE ON audit_pending TO ${sealer}`,
    `GRANT SELECT, DELETE ON audit_outbox TO ${sealer}`,
    `GRANT SELECT, INSERT ON audit_entry TO ${sealer}`,
    `GRANT SELECT, INSERT ON audit_checkpoint TO ${sealer}`,
    `GRANT SELECT, INSERT, UPDATE ON audit_head TO ${sealer}`,
    ...['audit_event', 'audit_pending', 'audit_entry', 'audit_checkpoint', 'audit_head', 'audit_outbox'].map(
      (table) => `GRANT SELECT ON ${table} TO ${reader}`,
    ),
  ];
}
