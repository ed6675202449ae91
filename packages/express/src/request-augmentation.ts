import type { RequestAudit } from '@indelible/context';

declare global {
  namespace Express {
    interface Request {
      /** Put there by `auditContext()`. */
      audit: RequestAudit;
    }
  }
}
