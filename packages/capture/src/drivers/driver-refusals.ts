import { AuditError } from '@indelible/core';
import type { CaptureEngine } from '../capture-engine.js';

export function unsupportedDriver(engine: CaptureEngine, message: string, next: string): AuditError {
  return new AuditError('AUDIT_ORM_UNSUPPORTED', engine.where, message, { next });
}

/**
 * What streams its answer past the engine may read, and not write.
 * @param what sends the statement
 * @throws AuditError `AUDIT_NOT_EXACT`
 */
export function refuseUnseenWrite(sql: string | undefined, what: string, engine: CaptureEngine): void {
  if (sql !== undefined && engine.needOf(sql) !== 'transaction') return;
  throw new AuditError('AUDIT_NOT_EXACT', engine.where, `what ${what} writes would pass the audit by`, {
    next: 'Send it with query() and a callback or a promise, or leave it out of the audit with withoutAudit().',
  });
}
