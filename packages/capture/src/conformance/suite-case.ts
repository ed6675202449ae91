import type { OrmHarness, OrmHarnessOptions, OrmSuiteOptions } from './orm-harness.js';

/** A test: its sentence, what it does with a fresh harness, and how the harness is made. */
export type Case = readonly [
  name: string,
  run: (harness: OrmHarness, suite: OrmSuiteOptions) => Promise<void>,
  options?: OrmHarnessOptions,
];
