import {
  type Audit,
  type AuditOptions,
  type AuditStore,
  CATEGORIES,
  createAudit,
  openStore,
} from '@indelible/core';
import type { CommandCall } from './command.js';
import { databaseUrl } from './database-url.js';
import { tryGetSecret } from './secret.js';

/** The database of one call. */
export interface OpenLog {
  readonly store: AuditStore;
  /** An audit over the store that fails rather than spools, seals nothing by itself and records nothing of its own accord. */
  audit(options?: Pick<AuditOptions, 'origin' | 'keyedFrom'>): Audit;
}

export interface OpenLogOptions {
  /** Never writes to the database, so that a copy can be looked at without rights to write it. @default false */
  readonly readOnly?: boolean;
}

/** Opens the database that the options name, hands it to `use`, and closes it. */
export async function withLog<T>(
  { values }: CommandCall,
  { readOnly = false }: OpenLogOptions,
  use: (log: OpenLog) => Promise<T>,
): Promise<T> {
  const hmacKey = tryGetSecret(values.text('key-file'), process.env);
  const store = await openStore(databaseUrl(values.text('url'), process.env), readOnly ? { readOnly } : {});
  const audits: Audit[] = [];
  const audit = (options: Pick<AuditOptions, 'origin' | 'keyedFrom'> = {}) => {
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
    return await use({ store, audit });
  } finally {
    for (const opened of audits) await opened.close();
    await store.close();
  }
}
