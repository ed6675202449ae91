import { AuditError, type AuditStore } from '@indelible/core';
import { createPostgresStore } from './postgres-store.js';

/**
 * Opens the store that a URL names: `postgres://user:password@host/database`.
 *
 * @param options `schema`, `roles`, `connections`, `connectTimeoutMs`, `readOnly` of `createPostgresStore`
 * @throws AuditError `AUDIT_CONFIG_INVALID` that names the option
 */
export async function openStore(
  url: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<AuditStore> {
  const { schema, roles, connections, connectTimeoutMs, readOnly, ...unknown } = options;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw invalid(stranger, 'no such option');
  if (schema !== undefined && typeof schema !== 'string') throw invalid('schema', 'expected a name');
  if (roles !== undefined && typeof roles !== 'boolean') throw invalid('roles', 'expected true or false');
  if (connections !== undefined && typeof connections !== 'number')
    throw invalid('connections', 'expected a number');
  if (connectTimeoutMs !== undefined && typeof connectTimeoutMs !== 'number') {
    throw invalid('connectTimeoutMs', 'expected milliseconds');
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean')
    throw invalid('readOnly', 'expected true or false');
  return createPostgresStore({
    url,
    ...(schema === undefined ? {} : { schema }),
    ...(roles === undefined ? {} : { roles }),
    ...(connections === undefined ? {} : { connections }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(readOnly === undefined ? {} : { readOnly }),
  });
}

function invalid(option: string, detail: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'postgres', `${option}: ${detail}`);
}
