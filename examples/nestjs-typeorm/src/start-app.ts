import 'reflect-metadata';
import { configureAudit, getAudit } from '@indelible/core';
import { auditContext } from '@indelible/express';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

export async function startApp(): Promise<INestApplication> {
  // The log stands in the application's own database: a row and its event share a transaction.
  configureAudit({ store: `file:${process.env.DATABASE_FILE ?? './newsroom.db'}` });
  await getAudit().migrate(); // in your project, once: npx indelible migrate
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.use(auditContext());
  await app.listen(0, '127.0.0.1');
  return app;
}
