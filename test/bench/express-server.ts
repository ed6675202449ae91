import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, createAudit } from '@indelible/core';
import { auditContext } from '@indelible/express';
import { createSqliteStore } from '@indelible/sqlite';
import express from 'express';

/** What a server of the benchmark runs in front of its one route. */
export type ServerMode = 'bare' | 'by-hand' | 'context' | 'recorded';

/** What the server tells when the load is over. */
export interface ServerReport {
  readonly requests: number;
  /** Events that were not in the store when the load ended. */
  readonly unwritten: number;
  /** Events that were not sealed when the load ended. */
  readonly unsealed: number;
  readonly drainMs: number;
  readonly entries: number;
}

const mode = (process.argv[2] ?? 'bare') as ServerMode;
const directory = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
const app = express();
app.disable('x-powered-by');
let requests = 0;
let audit: Audit | undefined;
const store = createSqliteStore({ file: join(directory, 'audit.db') });

if (mode === 'by-hand') {
  const storage = new AsyncLocalStorage<{ requestId: string; ip: string | undefined }>();
  app.use((req, res, next) => {
    const requestId = randomUUID();
    res.setHeader('x-request-id', requestId);
    storage.run({ requestId, ip: req.ip }, next);
  });
} else if (mode === 'context' || mode === 'recorded') {
  audit = createAudit({
    store,
    hmacKey: 'a benchmark key of more than thirty-two bytes',
    lifecycleEvents: false,
    spool: { directory: join(directory, 'spool') },
  });
  await audit.migrate();
  app.use(auditContext({ audit, record: mode === 'recorded' ? 'all' : 'none' }));
}
app.get('/items/:id', (req, res) => {
  requests += 1;
  res.json({ id: req.params.id, name: 'An item', tags: ['a', 'b'], price: 12.5 });
});

const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});

process.on('message', async (message) => {
  if (message === 'report') process.send?.({ report: await report() });
  if (message === 'end') {
    await audit?.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  }
});

async function report(): Promise<ServerReport> {
  const served = requests;
  requests = 0;
  if (audit === undefined || mode !== 'recorded') {
    return { requests: served, unwritten: 0, unsealed: 0, drainMs: 0, entries: 0 };
  }
  const before = await counts();
  const health = audit.health();
  const start = performance.now();
  await audit.flush();
  const drainMs = performance.now() - start;
  const after = await counts();
  return {
    requests: served,
    unwritten: after.events - before.events + health.spooled,
    unsealed: after.entries - before.entries,
    drainMs,
    entries: after.entries,
  };
}

async function counts(): Promise<{ events: number; entries: number }> {
  const logs = await store.logs();
  return {
    events: logs.reduce((sum, log) => sum + log.events, 0),
    entries: logs.reduce((sum, log) => sum + log.entries, 0),
  };
}
