import { AuditError, type AuditStore } from '@indelible/core';
import { createPostgresStore } from './postgres-store.js';

/**
 * Opens the store that a URL names: `postgres://user:password@host/database`. Another schema than `audit` may stand in it, as
 * `?audit_schema=…`; a `schema` is that of an ORM's tables and is left alone.
 *
 * @param options `config` in the place of the URL, `schema`, `roles`, `connections`, `connectTimeoutMs`, `callTimeoutMs`, `readOnly` of `createPostgresStore`
 * @throws AuditError `AUDIT_CONFIG_INVALID` that names the option
 */
export async function openStore(
  url: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<AuditStore> {
  const { config, schema, roles, connections, connectTimeoutMs, callTimeoutMs, readOnly, ...unknown } =
    options;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw invalid(stranger, 'no such option');
  if (config !== undefined && (typeof config !== 'object' || config === null))
    throw invalid('config', 'expected settings of node-postgres');
  if (schema !== undefined && typeof schema !== 'string') throw invalid('schema', 'expected a name');
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
  const named = schema ?? tryGetSchema(url);
  return createPostgresStore({
    ...(config === undefined ? { url } : { config }),
    ...(named === undefined ? {} : { schema: named }),
    ...(roles === undefined ? {} : { roles }),
    ...(connections === undefined ? {} : { connections }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
    ...(readOnly === undefined ? {} : { readOnly }),
  });
}

function tryGetSchema(url: string): string | undefined {
  try {
    return new URL(url).searchParams.get('audit_schema') ?? undefined;
  } catch {
    // node-postgres knows more forms, or says what is wrong with this one.
    return undefined;
  }
}

function invalid(option: string, detail: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'postgres', `${option}: ${detail}`);
}
