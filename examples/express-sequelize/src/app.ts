import { auditContext } from '@indelible/express';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Sequelize } from 'sequelize';
import { authenticate, requireRole } from './authentication.js';
import { orderRoutes } from './order-routes.js';
import { partRoutes } from './part-routes.js';

export function createApp(sequelize: Sequelize): Express {
  const app = express();
  app.use(auditContext());
  app.use(express.json());
  app.use(authenticate, requireRole('clerk'));
  app.use(partRoutes(sequelize));
  app.use(orderRoutes(sequelize));
  app.use(answerError);
  return app;
}

const answerError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const status = Number(Reflect.get(Object(error), 'status') ?? 500);
  if (status === 500) console.error(error);
  response.status(status).json({ error: status === 500 ? 'something went wrong' : String(error) });
};
