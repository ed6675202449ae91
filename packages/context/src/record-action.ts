import type { Category, EventInput, Resource } from '@indelible/core';
import { endContext, outcomeOfEnd } from './request-event.js';
import type { RequestScope } from './request-scope.js';

/** What was acted on, with an id as a route has it at hand. The parts of a wildcard parameter are joined by `/`. */
export interface ActionResource {
  readonly type: string;
  readonly id: string | number | bigint | readonly string[];
}

/** What a route says of its action. The functions are asked when the response is over. */
export interface RouteAction<Req, Res> {
  /** @default the category of the action in the catalogue, `access` for one that is in none */
  readonly category?: Category;
  /** @default none */
  readonly resource?: (
    req: Req,
    res: Res,
  ) => ActionResource | undefined | Promise<ActionResource | undefined>;
  /** Redacted and cut like all details. @default none */
  readonly details?: (
    req: Req,
    res: Res,
  ) => Readonly<Record<string, unknown>> | undefined | Promise<Readonly<Record<string, unknown>> | undefined>;
}

/**
 * Records the action of a route whose response is over, with the outcome of its status. If one of the functions throws,
 * that is reported and the event is recorded without its answer. Never rejects.
 */
export async function recordAction<Req, Res>(
  action: string,
  options: RouteAction<Req, Res>,
  scope: RequestScope,
  req: Req,
  res: Res,
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
