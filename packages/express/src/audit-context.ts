import { openRequest, type RequestOptions, requestSettings, runInScope } from '@indelible/context';
import type { Request, RequestHandler, Response } from 'express';
import { showAudit } from './request-audit-property.js';

/** The options of `auditContext()`; every one may be left out. */
export type AuditContextOptions = RequestOptions<Request, Response>;

/**
 * Middleware that gives everything recorded during a request its actor, address and request id, and records the request
 * itself. Put it first: what runs before it has no context. Authentication may come later, because the actor is
 * read when an event is recorded.
 *
 * Behind a proxy set Express' own `trust proxy`, which `req.ip` follows; `x-forwarded-for` is never read here.
 *
 * @throws TypeError for an unknown option or one of the wrong type
 * @throws AuditError `AUDIT_CONFIG_INVALID` for a value that an option can not have
 * @example
 * const app = express();
 * app.use(auditContext());
 */
export function auditContext(options?: AuditContextOptions): RequestHandler {
  const settings = requestSettings('express', options);
  return (req, res, next) => {
    const scope = openRequest(req, req, res, settings);
    showAudit(req);
    runInScope<void>(scope, next);
  };
}
