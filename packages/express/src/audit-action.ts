import {
  openRequest,
  type RouteAction,
  recordAction,
  requestSettings,
  runInScope,
  tryGetRequestScope,
  whenClosed,
} from '@indelible/context';
import type { Request, RequestHandler, Response } from 'express';
import { showAudit } from './request-audit-property.js';

/** What a route says of its action. The functions are asked when the response is over; `req.params` are those of the route. */
export type AuditActionOptions = RouteAction<Request, Response>;

const DEFAULTS = requestSettings<Request, Response>('express', { record: 'none' });

/**
 * A route's middleware that records a named action when the response is over, with the outcome of its status: 401 and 403
 * `denied`, other 4xx and 5xx and aborted ones `failure`. It works behind `auditContext()` and, with its defaults,
 * without.
 *
 * If `resource` or `details` throws, the error is reported and the event is recorded without it.
 *
 * @example
 * app.get('/invoices/:id/pdf',
 *   auditAction('invoice.exported', { resource: (req) => ({ type: 'Invoice', id: req.params.id }) }),
 *   sendInvoice);
 */
export function auditAction(action: string, options: AuditActionOptions = {}): RequestHandler {
  if (typeof action !== 'string' || action === '') {
    throw new TypeError('[indelible/express] auditAction() takes the name of an action');
  }
  return (req, res, next) => {
    const known = tryGetRequestScope(req);
    const scope = known ?? openRequest(req, req, res, DEFAULTS);
    if (known === undefined) showAudit(req);
    scope.startClock();
    const { params } = req;
    whenClosed(res, () => {
      // An error handler further up has taken the route's parameters off the request.
      req.params = params;
      void recordAction(action, options, scope, req, res);
    });
    if (known === undefined) runInScope<void>(scope, next);
    else next();
  };
}
