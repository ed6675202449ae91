import assert from 'node:assert/strict';
import type { StoreSupports } from '../store.js';
import { appendCases } from './append-cases.js';
import { byteCases } from './byte-cases.js';
import { checkpointCases } from './checkpoint-cases.js';
import { noOutboxCases, outboxCases } from './outbox-cases.js';
import { readCases } from './read-cases.js';
import { missingSchemaCases, ownSchemaCases, schemaCases } from './schema-cases.js';
import { sealCases } from './seal-cases.js';
import type { StoreSuiteOptions } from './store-harness.js';
import { type StoreCases, StoreSession } from './store-session.js';
import {
  durableCases,
  guardCases,
  noGuardCases,
  notDurableCases,
  oneProcessCases,
  processCases,
  truncateCases,
} from './support-cases.js';
import { noTransactionCases, transactionCases } from './transaction-cases.js';

/**
 * Holds a store to the whole contract of `AuditStore`. Registers one test a behaviour with the `test` that it is given;
 * each `supports` flag that is false runs its counter-test instead.
 *
 * @example
 * storeSuite({ test, factory: async () => createSqliteHarness() });
 */
export function storeSuite(options: StoreSuiteOptions): void {
  const supports: StoreSupports = {
    durable: true,
    processes: true,
    insertOnly: true,
    truncateGuard: true,
    ...options.supports,
  };
  const migrates = options.migrates ?? true;
  const transactional = options.transactional ?? true;
  const hasOutbox = options.outbox ?? transactional;
  const isTruncatable = supports.insertOnly && !supports.truncateGuard;
  const cases: StoreCases = {
    'the store supports what it says, and its harness can test that': async (session) => {
      const store = await session.ready();
      const { schema, guards, lock, foreign, truncate, outbox } = session.harness;
      assert.deepEqual({ ...store.supports }, supports);
      assert.equal(schema !== null, migrates, 'schema');
      assert.equal(guards !== null, supports.insertOnly, 'guards');
      assert.equal(truncate !== undefined, isTruncatable, 'truncate');
      assert.equal(lock !== null, supports.processes, 'lock');
      assert.equal(foreign !== null, transactional, 'foreign');
      assert.equal(outbox !== null, hasOutbox, 'outbox');
      assert.ok(store.name.length > 0);
    },
    ...appendCases,
    ...byteCases,
    ...sealCases,
    ...readCases,
    ...checkpointCases,
    ...schemaCases,
    ...(migrates ? missingSchemaCases : ownSchemaCases),
    ...(supports.durable ? durableCases : notDurableCases),
    ...(supports.processes ? processCases : oneProcessCases),
    ...(supports.insertOnly ? guardCases : noGuardCases),
    ...(isTruncatable ? truncateCases : {}),
    ...(transactional ? transactionCases : noTransactionCases),
    ...(hasOutbox ? outboxCases : noOutboxCases),
  };
  for (const [name, run] of Object.entries(cases)) {
    options.test(name, async () => {
      const session = new StoreSession(await options.factory(), supports);
      try {
        await run(session);
      } finally {
        await session.dispose();
      }
    });
  }
}
