import { ERROR_CODES, type ErrorCode } from './error-codes.js';

/**
 * The one error of Indelible. `code` is stable and made to be matched on; the message is for people and ends with what
 * to do next.
 */
export class AuditError extends Error {
  readonly code: ErrorCode;

  /**
   * @param where the package that speaks: `core`, `sqlite`, `prisma`
   * @param message what happened, without a full stop
   */
  constructor(code: ErrorCode, where: string, message: string, options?: { cause?: unknown; next?: string }) {
    super(
      `[indelible/${where}] ${message}. ${options?.next ?? ERROR_CODES[code].next}`,
      options?.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'AuditError';
    this.code = code;
  }
}

/** The code of an `AuditError`, also of one that another copy of this package made. */
export function auditErrorCode(error: unknown): ErrorCode | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : undefined;
}
