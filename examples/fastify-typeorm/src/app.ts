import { auditContext } from '@indelible/fastify';
import fastify, { type FastifyInstance } from 'fastify';
import type { DataSource } from 'typeorm';
import { authentication, requireRole } from './authentication.js';
import { bookRoutes } from './book-routes.js';
import { loanRoutes } from './loan-routes.js';
import { readerRoutes } from './reader-routes.js';

export async function createApp(dataSource: DataSource): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true });
  await app.register(auditContext);
  await app.register(authentication);
  app.register(async (desk) => {
    desk.addHook('onRequest', requireRole('librarian'));
    desk.register(bookRoutes(dataSource));
    desk.register(loanRoutes(dataSource));
    desk.register(readerRoutes(dataSource));
  });
  return app;
}
