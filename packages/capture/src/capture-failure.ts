import { AuditError, auditErrorCode } from '@indelible/core';
import type { CaptureSession, Inexact, Readiness } from './dialect.js';
import type { EngineParts } from './engine-parts.js';
import { innermostMessage } from './error-text.js';

/** What the caller is told where a change could not be captured or its event not be written. */
export function captureFailure({ dialect, where }: EngineParts, error: unknown): AuditError {
  if (auditErrorCode(error) !== undefined && error instanceof AuditError) return error;
  if (dialect.isMissingTable(error)) {
    return new AuditError('AUDIT_TABLES_MISSING', where, 'the audit tables are missing', { cause: error });
  }
  // ORMs pass on the message and not the cause.
  const reason = innermostMessage(error);
  const message = `a row change could not be captured${reason === '' ? '' : ` (${reason})`}`;
  return new AuditError('AUDIT_CAPTURE_FAILED', where, message, { cause: error });
}

/**
 * What `strict` refuses.
 * @param consequence where the statement has run
 */
export function notExact({ where }: EngineParts, { reason }: Inexact, consequence?: string): AuditError {
  const message =
    consequence === undefined
      ? `this statement can not be captured exactly: ${reason}`
      : `this statement touches ${reason}; ${consequence}`;
  return new AuditError('AUDIT_NOT_EXACT', where, message);
}

/** What the caller is told where his transaction ended while its events were written: what his COMMIT would have told. */
export function flushFailure(parts: EngineParts, error: unknown): unknown {
  const { abortsOnError, goesOn = false, isBusy } = parts.dialect;
  return (abortsOnError || goesOn) && isBusy(error) ? error : captureFailure(parts, error);
}

/** Where a string of statements would commit or undo changes whose events are not written yet, at a place that is not seen. */
export function steersUnseen(where: string): AuditError {
  return new AuditError(
    'AUDIT_TRANSACTION_UNKNOWN',
    where,
    'a string of several statements ends a transaction or a savepoint in which there are changes',
    { next: 'Send each statement by itself.' },
  );
}

/** What is known of a statement whose answer the ORM package can not show: where that would have told its rows, nothing. */
export function unseenWhere({ inexact, rewritten }: Readiness, session: CaptureSession): Readiness {
  if (rewritten === undefined) return { inexact };
  session.abandon();
  const reason = 'a statement whose answer is out of reach';
  return { inexact: [...inexact, { table: null, fidelity: 'opaque', reason }] };
}
