import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { runWithContext } from '@indelible/context';
import type { Audit } from '@indelible/core';
import { auditContext } from '@indelible/express';
import express from 'express';
import { onTestFinished } from 'vitest';

export interface TenantApp {
  /** As a user of this tenant, by his token. Resolves with the status once the request is on record. */
  call(
    tenant: string,
    path: string,
    body: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<number>;
  /** What the handler does instead. */
  onNote(handler: (req: express.Request) => Promise<void>): void;
}

/** An application whose tenant is that of the token, and that hands what it is sent to the audit. */
export async function openTenantApp(audit: Audit): Promise<TenantApp> {
  const app = express();
  const late = new Set<Promise<unknown>>();
  let open = 0;
  let handler: ((req: express.Request) => Promise<void>) | undefined;
  app.use((_req, res, next) => {
    open += 1;
    res.once('close', () => {
      open -= 1;
    });
    next();
  });
  app.use(
    auditContext({
      audit,
      record: 'all',
      captureBody: true,
      tenant: (req) => Reflect.get(Reflect.get(req, 'user') ?? {}, 'tenant'),
    }),
  );
  app.use(express.json());
  app.use((req, _res, next) => {
    const tenant = req.get('authorization')?.replace('Bearer ', '') ?? '';
    Object.assign(req, { user: { id: `user of ${tenant}`, tenant } });
    next();
  });
  app.post('/notes', async (req, res) => {
    if (handler !== undefined) {
      await handler(req);
      res.json({});
      return;
    }
    await audit.record({ action: 'note.written', details: req.body });
    // A careless handler: the body becomes context and resource.
    const { tenant: _, ...rest } = req.body as Record<string, unknown>;
    await runWithContext({ ...rest, source: 'import' } as object, async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      await audit.record({
        action: 'note.imported',
        details: rest,
        resource: { type: 'Note', id: String(rest.id) },
      });
    });
    const work = runWithContext({ source: 'late' }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await audit.record({ action: 'note.indexed' });
    });
    late.add(work.finally(() => late.delete(work)));
    res.json({});
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    call: async (tenant, path, body, headers = {}) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${tenant}`, 'content-type': 'application/json' },
        body,
      });
      await answer.text();
      while (open > 0) await new Promise((resolve) => setTimeout(resolve, 2));
      await Promise.all(late);
      return answer.status;
    },
    onNote: (given) => {
      handler = given;
    },
  };
}
