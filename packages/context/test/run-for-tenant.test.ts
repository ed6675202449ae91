import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import {
  getContext,
  openRequest,
  requestSettings,
  runForTenant,
  runInScope,
  runWithContext,
  updateContext,
} from '../src/index.js';
import { createTestLog } from './log-of.js';

/** Does the work within a request of the tenant `staff`, whose actor is `operator`. */
async function inRequest<T>(
  audit: ReturnType<typeof createTestLog>['audit'],
  work: () => Promise<T>,
): Promise<T> {
  const settings = requestSettings('test', {
    audit,
    record: 'none',
    actor: () => ({ type: 'user' as const, id: 'operator' }),
    tenant: () => 'staff',
  });
  let result: Promise<T> | undefined;
  const server = createServer((req, res) => {
    result = runInScope(openRequest(req, req, res, settings), work);
    result.then(
      () => res.end(),
      () => res.end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).text();
  await new Promise<void>((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  if (result === undefined) throw new Error('there was no request');
  return result;
}

test("an operator's work for a customer goes to the customer's log, with the operator as actor, and only that", async () => {
  const { audit, events } = createTestLog();
  await inRequest(audit, async () => {
    await audit.record({ action: 'ticket.opened' });
    await runForTenant('north', () => audit.record({ action: 'quota.reset' }));
    await audit.record({ action: 'ticket.closed' });
  });
  expect((await events()).map(({ action, log, actor }) => [action, log, actor.id])).toEqual([
    ['ticket.opened', 'audit/staff', 'operator'],
    ['quota.reset', 'audit/north', 'operator'],
    ['ticket.closed', 'audit/staff', 'operator'],
  ]);
});

test('nothing else leads out of the tenant of a request, and nothing out of the one that is worked for', async () => {
  const { audit, events } = createTestLog();
  const refused = { code: 'AUDIT_TENANT_MISMATCH' };
  await inRequest(audit, async () => {
    const attempts = async (other: string) => {
      expect(() => runWithContext({ tenant: other }, () => undefined)).toThrow(
        expect.objectContaining(refused),
      );
      expect(() => updateContext({ tenant: other })).toThrow(expect.objectContaining(refused));
      await expect(audit.record({ action: 'a.b', context: { tenant: other } })).rejects.toMatchObject(
        refused,
      );
      await runWithContext({ fixedTenant: other } as object, async () => {
        expect(getContext().tenant).not.toBe(other);
      });
    };
    await attempts('south');
    await runForTenant('north', async () => {
      await attempts('south');
      await attempts('staff');
      await runWithContext({ source: 'job', tenant: 'north' }, () => audit.record({ action: 'quota.reset' }));
    });
  });
  expect((await events()).map(({ log }) => log)).toEqual(['audit/north']);
});

test('a job goes through tenants at once, each in its own log, and leaves none behind', async () => {
  const { audit, events } = createTestLog();
  const tenants = ['north', 'south', 'west'];
  await runWithContext({ actor: { type: 'system', id: 'nightly' } }, async () => {
    await Promise.all(
      tenants.map((tenant) =>
        runForTenant(tenant, async () => {
          await new Promise((done) => setTimeout(done, 5));
          await audit.record({ action: 'invoice.sent', details: { to: tenant } });
        }),
      ),
    );
    await expect(runForTenant('north', () => Promise.reject(new Error('late')))).rejects.toThrow('late');
    await audit.record({ action: 'invoices.sent' });
  });
  const recorded = await events();
  expect(recorded.map(({ log }) => log).toSorted()).toEqual([
    'audit',
    'audit/north',
    'audit/south',
    'audit/west',
  ]);
  for (const { log, details } of recorded) if (log !== 'audit') expect(log).toBe(`audit/${details?.to}`);
});

test('a tenant that is no text, or none, is refused', () => {
  for (const tenant of ['', undefined, 7])
    expect(() => runForTenant(tenant as string, () => 1)).toThrow(TypeError);
  expect(() => runForTenant('north', undefined as never)).toThrow(TypeError);
});
