import type { RouteAction } from '@indelible/context';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What a route records when its response is over, in its `config.audit`. */
export interface RouteAudit extends RouteAction<FastifyRequest, FastifyReply> {
  /** `invoice.exported` */
  readonly action: string;
}

const NAMES = ['action', 'category', 'resource', 'details'];

/**
 * The action of a route, or undefined where it names none. A text is the name of the action.
 *
 * @throws TypeError for what is neither
 */
export function readRouteAudit(config: unknown): RouteAudit | undefined {
  if (typeof config !== 'object' || config === null || !('audit' in config)) return undefined;
  const { audit } = config;
  if (audit === undefined) return undefined;
  if (typeof audit === 'string' && audit !== '') return { action: audit };
  if (!isRouteAudit(audit)) {
    throw new TypeError(
      "[indelible/fastify] a route's `config.audit` is the name of an action, or { action, category?, resource?, details? }",
    );
  }
  return audit;
}

function isRouteAudit(audit: unknown): audit is RouteAudit {
  if (typeof audit !== 'object' || audit === null || !('action' in audit)) return false;
  const { action, resource, details } = audit as Readonly<Record<string, unknown>>;
  return (
    typeof action === 'string' &&
    action !== '' &&
    [resource, details].every((fn) => fn === undefined || typeof fn === 'function') &&
    Object.keys(audit).every((name) => NAMES.includes(name))
  );
}
