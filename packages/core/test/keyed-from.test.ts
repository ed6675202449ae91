import { describe, expect, test } from 'vitest';
import type { AuditOptions } from '../src/audit.js';
import { createAudit } from '../src/create-audit.js';
import { createMemoryStore } from '../src/memory-store.js';
import type { AuditStore } from '../src/store.js';
import { openAudit } from './open-audit.js';
import { temporaryDirectory } from './temporary-directory.js';

async function recordUnkeyed(store: AuditStore, tenant: string, count: number): Promise<void> {
  const spool = { directory: temporaryDirectory() };
  const audit = createAudit({ store, spool, lifecycleEvents: false, onError: () => {} });
  for (let n = 0; n < count; n += 1) await audit.record({ action: 'auth.login', context: { tenant } });
  // Left open it would seal, without a key, what is recorded next.
  await audit.close();
}

async function verifyKeyed(store: AuditStore, options: Pick<AuditOptions, 'keyedFrom'>, tenants: string[]) {
  const { audit } = openAudit({ store, ...options });
  for (const tenant of tenants) await audit.record({ action: 'auth.logout', context: { tenant } });
  await audit.flush();
  return (await audit.verify()).map(({ log, result, size }) => [log, result, size]);
}

describe('a key that comes to logs of different lengths', () => {
  test('seals and verifies each from the index that is said for it', async () => {
    const store = createMemoryStore();
    await recordUnkeyed(store, 'north', 3);
    await recordUnkeyed(store, 'east', 5);
    const keyedFrom = { 'audit/north': 3, 'audit/east': 5 };
    expect(await verifyKeyed(store, { keyedFrom }, ['north', 'east', 'south'])).toEqual([
      ['audit/east', 'valid', 6],
      ['audit/north', 'valid', 4],
      ['audit/south', 'valid', 1],
    ]);
  });

  test('must be there as a whole in a log that is not named', async () => {
    const store = createMemoryStore();
    await recordUnkeyed(store, 'north', 3);
    await recordUnkeyed(store, 'toString', 2);
    expect(await verifyKeyed(store, { keyedFrom: { 'audit/north': 3 } }, [])).toEqual([
      ['audit/north', 'valid', 3],
      ['audit/toString', 'invalid', 2],
    ]);
    expect(await verifyKeyed(store, { keyedFrom: 3 }, [])).toEqual([
      ['audit/north', 'valid', 3],
      ['audit/toString', 'valid', 2],
    ]);
  });

  test('comes to a log that is named as what every object has', async () => {
    const { audit } = openAudit({
      store: createMemoryStore(),
      origin: 'constructor',
      keyedFrom: { audit: 1 },
    });
    await audit.record({ action: 'auth.login' });
    await audit.flush();
    expect((await audit.verify())[0]).toMatchObject({ result: 'valid', size: 1 });
  });

  test('is asked for where one log is verified by its name', async () => {
    const store = createMemoryStore();
    await recordUnkeyed(store, 'north', 3);
    const { audit } = openAudit({ store, keyedFrom: { 'audit/north': 3 } });
    expect((await audit.verify({ log: 'audit/north' }))[0]?.result).toBe('valid');
    const { audit: strict } = openAudit({ store, keyedFrom: { audit: 3 } });
    expect((await strict.verify({ log: 'audit/north' }))[0]?.result).toBe('invalid');
  });
});
