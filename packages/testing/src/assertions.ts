import { AssertionError } from 'node:assert';
import {
  type CheckResult,
  checkRecorded,
  checkRecordedExactly,
  checkVerifies,
  type EventSource,
  type RecordedOptions,
} from './check-log.js';
import { checkUnaudited } from './check-writes.js';
import type { ExpectedEvent } from './match-events.js';
import type { TestAudit } from './test-audit.js';
import type { WriteWatch } from './write-watch.js';

/**
 * These events and no others were recorded since the last `forget()`.
 *
 * @throws AssertionError that lists what is missing and what is too many
 */
export async function assertRecordedExactly(
  log: EventSource,
  expected: readonly ExpectedEvent[],
  options?: RecordedOptions,
): Promise<void> {
  demand(await checkRecordedExactly(log, expected, options), assertRecordedExactly);
}

/** At least one such event was recorded since the last `forget()`. */
export async function assertRecorded(log: EventSource, expected: ExpectedEvent): Promise<void> {
  demand(await checkRecorded(log, expected), assertRecorded);
}

/** Every log is valid, and there is at least one entry. */
export async function assertVerifies(log: Pick<TestAudit, 'audit'>): Promise<void> {
  demand(await checkVerifies(log), assertVerifies);
}

/** Every row is as the events tell since `watchWrites()`. */
export async function assertNoUnauditedWrite(writes: WriteWatch): Promise<void> {
  demand(await checkUnaudited(writes), assertNoUnauditedWrite);
}

function demand({ pass, message }: CheckResult, stackStartFn: (...args: never[]) => unknown): void {
  if (!pass) throw new AssertionError({ message, stackStartFn: stackStartFn as () => unknown });
}
