import { ormSuite } from '@indelible/capture/conformance';
import { describe, test } from 'vitest';
import { createSqliteHarness } from './sqlite-harness.js';
import { sqliteKinds } from './sqlite-kinds.js';

for (const kind of sqliteKinds()) {
  describe(`TypeORM on SQLite through ${kind}`, () => {
    ormSuite({
      test: (name, run) => test(name, run),
      factory: (options) => createSqliteHarness({ kind }, options),
      supports: { batch: false, nested: true, survivesFailure: true, parallel: false, readsNarrow: false },
      sql: {
        instant: (text) => `'${new Date(text).toISOString().replace('T', ' ').replace('Z', '')}'`,
        compactUsers: 'VACUUM',
      },
    });
  });
}
