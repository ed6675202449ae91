import { describe, expect, test } from 'vitest';
import { storeSuite } from '../src/conformance/index.js';
import type { AuditStore } from '../src/store.js';
import { createMemoryHarness } from './memory-harness.js';
import { WRONG_STORES } from './wrong-stores.js';

/** The names of the cases that fail. */
async function failures(wrap: (store: AuditStore) => AuditStore): Promise<string[]> {
  const cases: { name: string; run: () => Promise<void> }[] = [];
  storeSuite({
    test: (name, run) => cases.push({ name, run }),
    factory: async () => createMemoryHarness(wrap),
    supports: { durable: false, processes: false, insertOnly: false, truncateGuard: false },
    migrates: false,
    transactional: false,
  });
  const failed: string[] = [];
  for (const { name, run } of cases) await run().catch(() => failed.push(name));
  return failed;
}

describe('the store suite', () => {
  test('passes a store that keeps the contract', async () => {
    expect(await failures((store) => ({ ...store }))).toEqual([]);
  });

  for (const [fault, wrap] of Object.entries(WRONG_STORES)) {
    test(`fails a store that ${fault}`, async () => {
      expect(await failures(wrap)).not.toEqual([]);
    });
  }

  test('each case has a name of its own', () => {
    const names: string[] = [];
    storeSuite({ test: (name) => names.push(name), factory: async () => createMemoryHarness() });
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(45);
  });
});
