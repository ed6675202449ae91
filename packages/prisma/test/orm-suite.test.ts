import { ormSuite } from '@indelible/capture/conformance';
import { describe, test } from 'vitest';
import { createPrismaHarness } from './prisma-harness.js';
import { tryLoadBetterSqlite3 } from './sqlite-libraries.js';
import type { AdapterKind } from './test-adapters.js';

const adapters: AdapterKind[] = ['libsql'];
if (tryLoadBetterSqlite3() !== undefined) adapters.push('better-sqlite3');
else {
  process.stderr.write(
    '\nDID NOT RUN: Prisma on SQLite through the better-sqlite3 adapter. Run `node scripts/compile-better-sqlite3.mjs` first.\n\n',
  );
}

for (const kind of adapters) {
  describe(`Prisma on SQLite through the ${kind} adapter`, () => {
    ormSuite({
      test: (name, run) => test(name, run),
      factory: (options) => createPrismaHarness(kind, options),
      supports: { batch: true, nested: true, survivesFailure: true, parallel: false },
      sql: { instant: (text) => `'${text}'`, compactUsers: 'VACUUM' },
    });
  });
}
