export * from './assertions.js';
export type { EventSource, RecordedOptions } from './check-log.js';
export type { ExpectedEvent } from './match-events.js';
export { type AuditMatchers, auditMatchers, type MatcherResult } from './matchers.js';
export type { UnauditedWrite } from './replay-changes.js';
export { createTestAudit, type TestAudit, type TestAuditOptions } from './test-audit.js';
export {
  type ReadRows,
  type WatchedTable,
  type WatchedTables,
  type WriteWatch,
  watchWrites,
} from './write-watch.js';
