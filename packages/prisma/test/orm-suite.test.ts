import { ormSuite } from '@indelible/capture/conformance';
import { describe, test } from 'vitest';
import { createPrismaHarness } from './prisma-harness.js';
import type { AdapterKind } from './test-adapters.js';

const ADAPTERS: readonly AdapterKind[] = ['libsql'];

for (const kind of ADAPTERS) {
  describe(`Prisma on SQLite through the ${kind} adapter`, () => {
    ormSuite({
      test: (name, run) => test(name, run),
      factory: (options) => createPrismaHarness(kind, options),
      supports: { batch: true, nested: true },
    });
  });
}
