import { describe, test } from 'vitest';
import { storeSuite } from '../src/conformance/index.js';
import { createMemoryHarness } from './memory-harness.js';

describe('the memory store', () => {
  storeSuite({
    test,
    factory: async () => createMemoryHarness(),
    supports: { durable: false, processes: false, insertOnly: false, truncateGuard: false },
    migrates: false,
    transactional: false,
  });
});
