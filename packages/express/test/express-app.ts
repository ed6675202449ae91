import type { AddressInfo } from 'node:net';
import type { HttpApp, HttpPlan, HttpRoute } from '@indelible/context/conformance';
import type { IRouter, NextFunction, Request, RequestHandler, Response, Router } from 'express';
import multer from 'multer';
import { auditAction } from '../src/audit-action.js';
import { auditContext } from '../src/audit-context.js';
import type { ExpressVersion } from './express-versions.js';

/** Builds what the suite plans as an Express application. */
export async function expressApp(plan: HttpPlan, version: ExpressVersion): Promise<HttpApp> {
  const { express, wrap } = version;
  const app = express();
  app.set('trust proxy', plan.trustProxy);
  app.set('env', 'test');
  const authenticate = wrap(async (req: Request, _res: Response, next: NextFunction): Promise<void> => {
    Object.assign(req, { user: await plan.authenticate(req) });
    next();
  });
  const { actor, ...options } = plan.options;
  const middleware = auditContext({
    ...options,
    audit: plan.audit,
    ...(actor === undefined ? undefined : { actor: (req) => actor(Reflect.get(req, 'user')) }),
  });
  app.use(...(plan.authentication === 'before' ? [authenticate, middleware] : [middleware, authenticate]));
  const routers = new Map<string, Router>();
  for (const route of plan.routes) {
    const prefix = route.prefix ?? '';
    const router = prefix === '' ? app : (routers.get(prefix) ?? express.Router());
    if (router !== app && !routers.has(prefix)) {
      app.use(prefix, router);
      routers.set(prefix, router as Router);
    }
    addRoute(router, route, version);
  }
  const server = app.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function addRoute(router: IRouter, route: HttpRoute, { express, wrap }: ExpressVersion): void {
  const handlers: RequestHandler[] = [];
  if (route.action !== undefined) {
    const { name, resourceType } = route.action;
    handlers.push(
      auditAction(name, { resource: (req) => ({ type: resourceType, id: req.params.id ?? '' }) }),
    );
  }
  if (route.body === 'json') handlers.push(express.json({ limit: '2mb' }));
  if (route.body === 'multipart') handlers.push(multer({ storage: multer.memoryStorage() }).single('file'));
  const handle = wrap(async (req, res) => {
    await route.handle({
      request: req,
      raw: req,
      response: res,
      params: req.params,
      body: req.body,
      audit: req.audit,
      reply: (status, body) => void res.status(status).json(body),
      stream: (body) => void body.pipe(res),
    });
  });
  handlers.push(handle);
  const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
  router[method](route.path, handlers);
}
