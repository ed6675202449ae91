import {
  endContext,
  openRequest,
  outcomeOfEnd,
  type RequestScope,
  requestSettings,
  runInScope,
  tryGetRequestScope,
  whenClosed,
} from '@indelible/context';
import type { Category, EventInput, Resource } from '@indelible/core';
import type { Request, RequestHandler, Response } from 'express';
import { showAudit } from './request-audit-property.js';

/** What was acted on, with an id as a route has it at hand. The parts of a wildcard parameter are joined by `/`. */
export interface ActionResource {
  readonly type: string;
  readonly id: string | number | bigint | readonly string[];
}

export interface AuditActionOptions {
  /** @default the category of the action in the catalogue, `access` for one that is in none */
  readonly category?: Category;
  /** Asked when the response is over; `req.params` are those of the route. @default none */
  readonly resource?: (
    req: Request,
    res: Response,
  ) => ActionResource | undefined | Promise<ActionResource | undefined>;
  /** Asked when the response is over. Redacted and cut like all details. @default none */
  readonly details?: (
    req: Request,
    res: Response,
  ) => Readonly<Record<string, unknown>> | undefined | Promise<Readonly<Record<string, unknown>> | undefined>;
}

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
      recordAction(action, options, scope, req, res).catch((error: unknown) => {
        scope.report('auditAction()', error);
      });
    });
    if (known === undefined) runInScope<void>(scope, next);
    else next();
  };
}

async function recordAction(
  action: string,
  options: AuditActionOptions,
  scope: RequestScope,
  req: Request,
  res: Response,
): Promise<void> {
  const end = scope.end();
  const resource = await ask(scope, '`resource`', async () => toResource(await options.resource?.(req, res)));
  const details = await ask(scope, '`details`', () => options.details?.(req, res));
  const input: EventInput = {
    action,
    outcome: outcomeOfEnd(end),
    context: endContext(end),
    ...(options.category === undefined ? undefined : { category: options.category }),
    ...(resource === undefined ? undefined : { resource }),
    ...(details === undefined ? undefined : { details }),
  };
  scope.recordLater(input);
}

function toResource(found: ActionResource | undefined): Resource | undefined {
  if (found === undefined || found === null) return undefined;
  const id = Array.isArray(found.id) ? found.id.join('/') : found.id;
  if (
    typeof found.type === 'string' &&
    (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint')
  ) {
    return { type: found.type, id: String(id) };
  }
  throw new TypeError('a resource has a type and an id');
}

async function ask<T>(
  scope: RequestScope,
  what: string,
  fn: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await fn();
  } catch (error) {
    scope.report(what, error);
    return undefined;
  }
}
