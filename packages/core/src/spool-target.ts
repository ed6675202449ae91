import { createHash } from 'node:crypto';
import { withoutSecrets } from './error-reporter.js';
import type { AuditStore } from './store.js';

/**
 * Names the log that spooled events are for, so that two applications in one directory do not take over each other's.
 * It must come out alike before the store could be opened and after a restart.
 */
export function spoolTarget(store: AuditStore | string | undefined, origin: string): string {
  const name = typeof store === 'object' ? (store.transactional?.database ?? store.name) : (store ?? '');
  return createHash('sha256')
    .update(`${origin}\n${withoutSecrets(name)}`)
    .digest('hex')
    .slice(0, 8);
}
