import {
  openRequest,
  type RequestAudit,
  type RequestOptions,
  type RequestScope,
  type RequestSettings,
  recordAction,
  requestSettings,
  runInScope,
  tryGetRequestScope,
  whenClosed,
} from '@indelible/context';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  RegisterOptions,
} from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type RouteAudit, readRouteAudit } from './route-audit.js';

/** The options of `auditContext`; every one may be left out. */
export type AuditContextOptions = RequestOptions<FastifyRequest, FastifyReply>;

/**
 * Plugin that gives everything recorded during a request its actor, address and request id, and records the request
 * itself. Register it first: what runs before it has no context. Authentication may come later, because the actor is read
 * when an event is recorded. It reaches the whole application; registered within a plugin, that plugin and those in it.
 *
 * Behind a proxy set Fastify's own `trustProxy`, which `request.ip` follows; `x-forwarded-for` is never read here.
 *
 * @throws TypeError for an unknown option or one of the wrong type
 * @throws AuditError `AUDIT_CONFIG_INVALID` for a value that an option can not have
 * @example
 * const app = fastify();
 * await app.register(auditContext);
 */
export const auditContext = fastifyPlugin<AuditContextOptions>(
  async (app, given) => {
    // Fastify hands on what concerns the registration.
    const { prefix, logLevel, logSerializers, ...options } = given as AuditContextOptions & RegisterOptions;
    const settings = requestSettings('fastify', options);
    if (!app.hasRequestDecorator('audit')) {
      app.decorateRequest('audit', { getter: getAuditOf });
      // What a route says wrongly of its action is told when the route is made, not when somebody asks for it.
      app.addHook('onRoute', ({ config }) => void readRouteAudit(config));
    }
    addHooks(app, settings);
  },
  { fastify: '5.x', name: '@indelible/fastify' },
);

function addHooks(app: FastifyInstance, settings: RequestSettings): void {
  app.addHook('onRequest', (request, reply, next) => {
    const isFirst = tryGetRequestScope(request) === undefined;
    const scope = openRequest(request, request.raw, reply.raw, settings, reply);
    if (isInjected(reply)) reply.raw.once('finish', () => scope.sent());
    const route = isFirst ? tryReadRouteAudit(request, scope) : undefined;
    if (route !== undefined) {
      scope.startClock();
      whenClosed(reply.raw, () => void recordAction(route.action, route, scope, request, reply));
    }
    runInScope<void>(scope, next);
  });
  app.addHook('preValidation', enterAgain);
  app.addHook('preHandler', enterAgain);
}

/**
 * A parser or a hook may go on in another context: that of the connection that the body came by (fastify#3570), or of whoever
 * released the connection to a session store.
 */
function enterAgain(request: FastifyRequest, _reply: FastifyReply, next: HookHandlerDoneFunction): void {
  const scope = tryGetRequestScope(request);
  if (scope === undefined) next();
  else scope.enter<void>(next);
}

/** `app.inject()` has no socket behind its responses. */
function isInjected(reply: FastifyReply): boolean {
  return Reflect.get(reply.raw, 'isLightMyRequest') === true;
}

/** A route that was made before this plugin was loaded has not been looked at yet. */
function tryReadRouteAudit(request: FastifyRequest, scope: RequestScope): RouteAudit | undefined {
  try {
    return readRouteAudit(request.routeOptions.config);
  } catch (error) {
    scope.report('`config.audit`', error);
    return undefined;
  }
}

/** In a hook that the application has added before this plugin there is none yet. */
function getAuditOf(this: FastifyRequest): RequestAudit {
  return tryGetRequestScope(this) as RequestAudit;
}
