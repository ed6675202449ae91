import {
  type CheckResult,
  checkRecorded,
  checkRecordedExactly,
  checkVerifies,
  type RecordedOptions,
} from './check-log.js';
import { checkUnaudited } from './check-writes.js';
import type { ExpectedEvent } from './match-events.js';
import type { TestAudit } from './test-audit.js';
import type { WriteWatch } from './write-watch.js';

/** What `expect.extend()` of vitest and Jest takes of a matcher. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** The matchers as a test calls them: each gives a promise, so `await` it. */
export interface AuditMatchers {
  /** On a test audit: these events and no others were recorded since the last `forget()`. */
  toHaveRecordedExactly(expected: readonly ExpectedEvent[], options?: RecordedOptions): Promise<void>;
  /** On a test audit: at least one such event was recorded since the last `forget()`. */
  toHaveRecorded(expected: ExpectedEvent): Promise<void>;
  /** On a test audit: every log is valid, and there is at least one entry. */
  toVerify(): Promise<void>;
  /** On what `watchWrites()` gave: every row is as the events tell. */
  toHaveNoUnauditedWrite(): Promise<void>;
}

/**
 * For `expect.extend()` of vitest and Jest. The types come with `@indelible/testing/vitest` and `@indelible/testing/jest`.
 *
 * @example
 * expect.extend(auditMatchers);
 */
export const auditMatchers = Object.freeze({
  toHaveRecordedExactly: async (
    log: unknown,
    expected: readonly ExpectedEvent[],
    options?: RecordedOptions,
  ): Promise<MatcherResult> =>
    result(await checkRecordedExactly(testAudit('toHaveRecordedExactly', log), expected, options)),
  toHaveRecorded: async (log: unknown, expected: ExpectedEvent): Promise<MatcherResult> =>
    result(await checkRecorded(testAudit('toHaveRecorded', log), expected)),
  toVerify: async (log: unknown): Promise<MatcherResult> =>
    result(await checkVerifies(testAudit('toVerify', log))),
  toHaveNoUnauditedWrite: async (writes: unknown): Promise<MatcherResult> => {
    if (!has(writes, 'unaudited'))
      throw new TypeError('toHaveNoUnauditedWrite() takes what watchWrites() gave');
    return result(await checkUnaudited(writes as WriteWatch));
  },
});

function result({ pass, message }: CheckResult): MatcherResult {
  return { pass, message: () => message };
}

function testAudit(matcher: string, log: unknown): TestAudit {
  if (!has(log, 'events')) throw new TypeError(`${matcher}() takes what createTestAudit() gave`);
  return log as TestAudit;
}

function has(value: unknown, method: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';
}
