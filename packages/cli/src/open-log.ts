import {
  type Audit,
  type AuditKeys,
  type AuditOptions,
  type AuditStore,
  auditErrorCode,
  CATEGORIES,
  createAudit,
  deriveKeys,
  openStore,
} from '@indelible/core';
import type { CommandCall } from './command.js';
import { databaseUrl } from './database-url.js';
import { tryGetSecret } from './secret.js';

/** The database of one call. */
export interface OpenLog {
  readonly store: AuditStore;
  /** Those of the secret, if there is one. */
  readonly keys: AuditKeys | undefined;
  /** An audit over the store that fails rather than spools, seals nothing by itself and records nothing of its own accord. */
  audit(options?: Pick<AuditOptions, 'origin' | 'keyedFrom' | 'storeTimeoutMs'>): Audit;
}

/**
 * `read` never writes to the database, so that a copy can be looked at as it is and without rights to write it. `record`
 * writes that it was read, and only reads where it can not. `write` fails where it can not.
 */
export type Access = 'read' | 'record' | 'write';

/** Opens the database that the options name, hands it to `use`, and closes it. */
export async function withLog<T>(
  { values }: CommandCall,
  access: Access,
  use: (log: OpenLog) => Promise<T>,
): Promise<T> {
  const hmacKey = tryGetSecret(values.text('key-file'), process.env);
  const store = await open(databaseUrl(values.text('url'), process.env), access);
  const audits: Audit[] = [];
  const audit = (options: Pick<AuditOptions, 'origin' | 'keyedFrom' | 'storeTimeoutMs'> = {}) => {
    const opened = createAudit({
      store,
      sealAfterMs: false,
      lifecycleEvents: false,
      policy: Object.fromEntries(CATEGORIES.map((category) => [category, 'strict'])),
      ...(hmacKey === undefined ? {} : { hmacKey }),
      ...options,
    });
    audits.push(opened);
    return opened;
  };
  try {
    const keys = hmacKey === undefined ? undefined : deriveKeys(hmacKey);
    return await use({ store, keys, audit });
  } finally {
    for (const opened of audits) await opened.close();
    await store.close();
  }
}

async function open(url: string, access: Access): Promise<AuditStore> {
  const store = await openStore(url, access === 'read' ? { readOnly: true } : {});
  if (access !== 'record') return store;
  try {
    await store.check();
    return store;
  } catch (error) {
    await store.close();
    if (auditErrorCode(error) !== 'AUDIT_STORE_UNAVAILABLE') throw error;
    return openStore(url, { readOnly: true });
  }
}
