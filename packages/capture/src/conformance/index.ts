export { assertTells, withOracle } from './oracle.js';
export type {
  OrmHarness,
  OrmHarnessOptions,
  OrmOperations,
  OrmSuiteOptions,
  OrmSupports,
  PlainRow,
  Snapshot,
  SuiteSql,
  UserFields,
} from './orm-harness.js';
export { ormSuite } from './orm-suite.js';
