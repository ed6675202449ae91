import type { AddressInfo } from 'node:net';
import multipart from '@fastify/multipart';
import type { HttpApp, HttpPlan, HttpRoute } from '@indelible/context/conformance';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { auditContext } from '../src/index.js';

/** Builds what the suite plans as a Fastify application. */
export async function fastifyApp(plan: HttpPlan): Promise<HttpApp> {
  const app = fastify({
    trustProxy: plan.trustProxy,
    bodyLimit: 2 * 1024 * 1024,
    forceCloseConnections: true,
  });
  app.decorateRequest('user', null);
  const { actor, ...options } = plan.options;
  const register = () =>
    app.register(auditContext, {
      ...options,
      audit: plan.audit,
      ...(actor === undefined ? undefined : { actor: (request) => actor(Reflect.get(request, 'user')) }),
    });
  if (plan.authentication === 'after') await register();
  app.addHook('onRequest', async (request) => {
    Object.assign(request, { user: await plan.authenticate(request.raw) });
  });
  if (plan.authentication === 'before') await register();
  await app.register(multipart, { attachFieldsToBody: true });
  for (const prefix of new Set(plan.routes.map((route) => route.prefix ?? ''))) {
    const routes = plan.routes.filter((route) => (route.prefix ?? '') === prefix);
    await app.register(
      async (router) => {
        for (const route of routes) await addRoute(router, route);
      },
      { prefix },
    );
  }
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}

async function addRoute(app: FastifyInstance, route: HttpRoute): Promise<void> {
  // Parsers belong to a plugin: what reads the stream itself stands in one of its own.
  await app.register(async (own) => {
    if (route.body === 'none') {
      own.removeAllContentTypeParsers();
      own.addContentTypeParser('*', (_request, _payload, done) => done(null));
    }
    const { action } = route;
    own.route({
      method: route.method,
      url: route.path,
      ...(action === undefined
        ? {}
        : {
            config: {
              audit: {
                action: action.name,
                resource: ({ params }) => ({
                  type: action.resourceType,
                  id: Reflect.get(Object(params), 'id'),
                }),
              },
            },
          }),
      handler: async (request, reply) => {
        await route.handle({
          request,
          raw: request.raw,
          response: reply.raw,
          params: Object(request.params),
          body: route.body === 'multipart' ? fieldsOf(request) : request.body,
          audit: request.audit,
          reply: (status, body) => void answer(reply, status, body),
          stream: (body) => void reply.send(body),
        });
        return reply;
      },
    });
  });
}

function answer(reply: FastifyReply, status: number, body: unknown): void {
  reply.code(status).send(body);
}

/** `@fastify/multipart` wraps each text field. */
function fieldsOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const parts: [string, unknown][] = Object.entries(Object(request.body));
  return Object.fromEntries(
    parts.flatMap(([name, part]) =>
      Reflect.get(Object(part), 'type') === 'field' ? [[name, Reflect.get(Object(part), 'value')]] : [],
    ),
  );
}
