import { effectCases } from './effect-cases.js';
import type { OrmSuiteOptions } from './orm-harness.js';
import { readCases } from './read-cases.js';
import { rowCases } from './row-cases.js';
import { setCases } from './set-cases.js';
import { transactionCases } from './transaction-cases.js';

/**
 * Holds an ORM package on one database to behaviours C and D. Each case gets a fresh harness; the harness reads the
 * database with raw SQL, so that the code under test vouches for nothing.
 */
export function ormSuite(suite: OrmSuiteOptions): void {
  for (const [name, run, options] of [
    ...rowCases,
    ...setCases,
    ...effectCases,
    ...readCases,
    ...transactionCases,
  ]) {
    suite.test(name, async () => {
      const harness = await suite.factory(options);
      try {
        await run(harness, suite);
      } finally {
        await harness.close();
      }
    });
  }
}
