import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWithContext, updateContext } from '@indelible/context';
import { type Audit, type AuditEvent, type AuditStore, createAudit, logName } from '@indelible/core';
import { expect, onTestFinished, test } from 'vitest';
import { openTenantApp } from './tenant-app.js';

/** A row of audit_event, as a connection of its own reads it with raw SQL. */
export interface RawEvent {
  readonly log: string;
  readonly body: Uint8Array;
}

/** A fresh database with the audit's tables in it. */
export interface TenantDatabase {
  readonly store: AuditStore;
  /** In the order of their ids. */
  rows(): Promise<readonly RawEvent[]>;
  dispose(): Promise<void>;
}

const NORTH = 'audit/north';
const SOUTH = 'audit/south';

/** What somebody of the south would try from outside. */
const HOSTILE_HEADERS = {
  'x-tenant': 'north',
  'x-tenant-id': 'north',
  'x-forwarded-host': 'north.clinic.example',
  'x-correlation-id': 'north',
  'x-request-id': 'audit.north',
  'user-agent': '{"context":{"tenant":"north"},"log":"audit/north"}',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const HOSTILE_BODY =
  '{"tenant":"north","log":"audit/north","context":{"tenant":"north"},"fixedTenant":"north","paused":true,' +
  '"__proto__":{"tenant":"north","log":"audit/north"},"constructor":{"prototype":{"tenant":"north"}},"id":"../north"}';

/** Names that a database, a path or an encoding might take for one another. */
const LOOKALIKES = [
  'a',
  'A',
  'a ',
  ' a',
  'a/b',
  'a%2Fb',
  'a%2fb',
  'a\\b',
  '.',
  '..',
  '../north',
  '%',
  '_',
  "' OR 1=1 --",
  'ä',
  'a\u0308',
  'ß',
  'ss',
  '~overflow',
  '*',
  'a\u0000',
  'a\u200b',
  `${'long'.repeat(100)}1`,
  `${'long'.repeat(100)}2`,
];

/** Tries to get from one tenant's log into another's. */
export function tenantSuite(open: () => Promise<TenantDatabase>): void {
  async function start(change: (store: AuditStore) => AuditStore = (store) => store) {
    const database = await open();
    const directory = mkdtempSync(join(tmpdir(), 'indelible-tenants-'));
    const errors: (Error & { code?: string })[] = [];
    const audit = createAudit({
      store: change(database.store),
      hmacKey: 'the secret of the tests of tenants, long enough',
      lifecycleEvents: false,
      spool: { directory },
      onError: (error) => errors.push(error),
    });
    onTestFinished(async () => {
      await audit.close();
      rmSync(directory, { recursive: true, force: true });
      await database.dispose();
    });
    return { audit, errors, database, logs: () => readLogs(audit, database) };
  }

  test('what a request sends never names its log, with many of two tenants at once', async () => {
    const { audit, logs } = await start();
    const app = await openTenantApp(audit);
    await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        app.call(at % 2 === 0 ? 'north' : 'south', '/notes', HOSTILE_BODY, HOSTILE_HEADERS),
      ),
    );
    const found = await logs();
    expect([...found.keys()].sort()).toEqual([NORTH, SOUTH]);
    for (const [log, events] of found) {
      const tenant = log === NORTH ? 'north' : 'south';
      // Each request: its own event, one by the handler, one in a nested scope, one after its answer.
      expect(events).toHaveLength(30 * 4);
      for (const event of events) {
        expect([event.context.tenant, event.actor.id, event.log]).toEqual([tenant, `user of ${tenant}`, log]);
      }
    }
  });

  test('a request of one tenant that names another is refused, wherever it does, and its own event stays', async () => {
    const { audit, logs, errors } = await start();
    const app = await openTenantApp(audit);
    const refusal = { code: 'AUDIT_TENANT_MISMATCH' };
    app.onNote(async (request) => {
      const event = { action: 'note.stolen' };
      await expect(audit.record({ ...event, context: { tenant: 'north' } })).rejects.toMatchObject(refusal);
      await expect(
        audit.recordAll([event, { ...event, context: { tenant: 'north' } }]),
      ).rejects.toMatchObject(refusal);
      expect(() => runWithContext({ tenant: 'north' }, () => audit.record(event))).toThrow(
        expect.objectContaining(refusal),
      );
      expect(() => updateContext({ tenant: 'north' })).toThrow(expect.objectContaining(refusal));
      expect(() => request.audit?.update({ tenant: 'north' })).toThrow(expect.objectContaining(refusal));
      const forged = JSON.parse('{"fixedTenant":"north","source":"job"}');
      await runWithContext(forged, async () => {
        expect(() => updateContext({ tenant: 'north' })).toThrow(expect.objectContaining(refusal));
        await runWithContext({ tenant: 'south' }, () => audit.record({ action: 'note.kept' }));
      });
      audit.recordLater({ ...event, context: { tenant: 'north' } });
    });
    expect(await app.call('south', '/notes', '{}')).toBe(200);
    const found = await logs();
    expect(found.get(NORTH)).toBeUndefined();
    const actions = found.get(SOUTH)?.map(({ action }) => action);
    expect(actions).toContain('note.kept');
    expect(actions).toContain('request.completed');
    expect(actions).not.toContain('note.stolen');
    // What nobody waited for is not lost without a word.
    expect(
      errors.some(({ cause }) => cause instanceof Error && 'code' in cause && cause.code === refusal.code),
    ).toBe(true);
  });

  test('outside of a request code may work for several tenants, and each event stands where it was named', async () => {
    const { audit, logs } = await start();
    await runWithContext({ tenant: 'north', source: 'job' }, async () => {
      await audit.record({ action: 'job.done' });
      await Promise.all(
        ['south', 'west'].map((tenant) =>
          runWithContext({ tenant }, () => audit.record({ action: 'job.done' })),
        ),
      );
      await audit.record({ action: 'job.ended' });
    });
    const found = await logs();
    expect([...found].map(([log, events]) => [log, events.map(({ action }) => action)]).sort()).toEqual([
      [NORTH, ['job.done', 'job.ended']],
      [SOUTH, ['job.done']],
      ['audit/west', ['job.done']],
    ]);
  });

  test('what waited in the spool comes back into the log that it was for, in its order', async () => {
    let isDown = false;
    const { audit, logs } = await start((store) =>
      Object.assign(Object.create(store) as AuditStore, {
        append: (events: Parameters<AuditStore['append']>[0]) =>
          isDown ? Promise.reject(new Error('the store is away')) : store.append(events),
      }),
    );
    const app = await openTenantApp(audit);
    isDown = true;
    for (let at = 0; at < 10; at += 1) {
      await Promise.all(
        ['north', 'south'].map((tenant) => app.call(tenant, '/notes', HOSTILE_BODY, HOSTILE_HEADERS)),
      );
    }
    expect(audit.health().spooled).toBeGreaterThan(0);
    isDown = false;
    await audit.flush();
    const found = await logs();
    expect([...found.keys()].sort()).toEqual([NORTH, SOUTH]);
    for (const [log, events] of found) {
      expect(events).toHaveLength(10 * 4);
      expect(new Set(events.map(({ context }) => logName('audit', context.tenant)))).toEqual(new Set([log]));
    }
  });

  test('names that look alike are logs of their own, and reading one shows nothing of another', async () => {
    const { audit, logs, database } = await start();
    for (const tenant of LOOKALIKES) {
      await runWithContext({ tenant, actor: { type: 'user', id: `of ${tenant.length}` } }, () =>
        audit.record({ action: 'note.written', resource: { type: 'Note', id: '1' }, details: { tenant } }),
      );
    }
    const found = await logs();
    expect(found.size).toBe(LOOKALIKES.length);
    for (const tenant of LOOKALIKES) {
      // A name that is too long is shortened with its digest before it names a log.
      const [log = ''] = [...found].find(([, [event]]) => event?.details?.tenant === tenant) ?? [];
      expect(found.get(log)).toHaveLength(1);
      if (tenant.length < 300) expect(log).toBe(logName('audit', tenant));
      const filters = [{}, { action: 'note.written' }, { resourceId: '1' }, { order: 'newest' as const }];
      for (const filter of filters) {
        const listed = await database.store.list({ ...filter, log });
        expect(listed.map((event) => event.log)).toEqual([log]);
      }
      for await (const batch of database.store.entries(log))
        expect(batch.map((entry) => entry.log)).toEqual([log]);
    }
    for (const log of ['audit', 'audit/', 'audit/%', 'audit/__', "audit/' OR 1=1 --", 'AUDIT/a', 'audit/*']) {
      expect(await database.store.list({ log })).toEqual([]);
    }
  });
}

/** The events by log, from raw rows; the log that a row is filed under is the one that its bytes name, and each verifies. */
async function readLogs(audit: Audit, database: TenantDatabase): Promise<Map<string, AuditEvent[]>> {
  await audit.flush();
  const logs = new Map<string, AuditEvent[]>();
  for (const { log, body } of await database.rows()) {
    const event = JSON.parse(Buffer.from(body).toString()) as AuditEvent;
    expect(event.log).toBe(log);
    logs.set(log, [...(logs.get(log) ?? []), event]);
  }
  for (const { log, result, size } of await audit.verify()) {
    expect([log, result, size]).toEqual([log, 'valid', logs.get(log)?.length]);
  }
  return logs;
}
