import type { DatabaseKind } from './account-client.js';
import type { HammerTarget } from './hammer-target.js';
import { tryOpenMysqlTarget } from './mysql-target.js';
import { openPostgresTarget } from './postgres-target.js';
import { openSqliteTarget } from './sqlite-target.js';

/** A fresh database of this kind to be hurt, or undefined where none can be had. */
export async function openTarget(kind: DatabaseKind): Promise<HammerTarget | undefined> {
  if (kind === 'sqlite') return openSqliteTarget();
  if (kind === 'postgres') return openPostgresTarget();
  return tryOpenMysqlTarget();
}
