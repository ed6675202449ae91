import { quoteName } from './tables.js';

/** The group roles that a migration makes and grants what they need. */
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
