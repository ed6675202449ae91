import { AuditError, type AuditStore } from '@indelible/core';
import { createMysqlStore } from './mysql-store.js';

/**
 * Opens the store that a URL names: `mysql://user:password@host/database`, or `mariadb://…`. Another database for the audit tables
 * may stand in it, as `?audit_database=…`.
 *
 * @param options `config` in the place of the URL, `database`, `roles`, `connections`, `connectTimeoutMs`, `callTimeoutMs`, `readOnly` of `createMysqlStore`
 * @throws AuditError `AUDIT_CONFIG_INVALID` that names the option
 */
export async function openStore(
  url: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<AuditStore> {
  const { config, database, roles, connections, connectTimeoutMs, callTimeoutMs, readOnly, ...unknown } =
    options;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw invalid(stranger, 'no such option');
  if (config !== undefined && (typeof config !== 'object' || config === null))
    throw invalid('config', 'expected settings of mysql2');
  if (database !== undefined && typeof database !== 'string') throw invalid('database', 'expected a name');
  if (roles !== undefined && typeof roles !== 'boolean') throw invalid('roles', 'expected true or false');
  if (connections !== undefined && typeof connections !== 'number')
    throw invalid('connections', 'expected a number');
  if (connectTimeoutMs !== undefined && typeof connectTimeoutMs !== 'number') {
    throw invalid('connectTimeoutMs', 'expected milliseconds');
  }
  if (callTimeoutMs !== undefined && typeof callTimeoutMs !== 'number') {
    throw invalid('callTimeoutMs', 'expected milliseconds');
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean')
    throw invalid('readOnly', 'expected true or false');
  return createMysqlStore({
    ...(config === undefined ? { url } : { config }),
    ...(database === undefined ? {} : { database }),
    ...(roles === undefined ? {} : { roles }),
    ...(connections === undefined ? {} : { connections }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
    ...(readOnly === undefined ? {} : { readOnly }),
  });
}

function invalid(option: string, detail: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'mysql', `${option}: ${detail}`);
}
