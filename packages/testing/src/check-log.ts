import { inspect } from 'node:util';
import type { AuditEvent } from '@indelible/core';
import { type ExpectedEvent, matches, type Pairing, pairInAnyOrder, pairInOrder } from './match-events.js';
import type { TestAudit } from './test-audit.js';

/** What a check found. The message is for the case that the test wanted it otherwise. */
export interface CheckResult {
  readonly pass: boolean;
  readonly message: string;
}

export interface RecordedOptions {
  /** `any`: for what happens in parallel. @default 'recorded' */
  readonly order?: 'recorded' | 'any';
}

/** The events of a test audit, whatever the types of its actions. */
export type EventSource = Pick<TestAudit, 'events' | 'errors'>;

export async function checkRecordedExactly(
  log: EventSource,
  expected: readonly ExpectedEvent[],
  { order = 'recorded' }: RecordedOptions = {},
): Promise<CheckResult> {
  const events = await log.events();
  const pairing = order === 'any' ? pairInAnyOrder(events, expected) : pairInOrder(events, expected);
  if (pairing.missing.length + pairing.surplus.length > 0) {
    return { pass: false, message: describeDifference(log, events, expected, pairing) };
  }
  return { pass: true, message: `exactly these ${events.length} events were recorded` };
}

export async function checkRecorded(log: EventSource, expected: ExpectedEvent): Promise<CheckResult> {
  const events = await log.events();
  const found = events.find((event) => matches(event, expected));
  if (found !== undefined) return { pass: true, message: `this was recorded: ${show(found)}` };
  return {
    pass: false,
    message: [`no event matches ${show(expected)}`, ...describeLog(log, events)].join('\n'),
  };
}

/** A log without an entry proves nothing, so it does not pass. */
export async function checkVerifies(log: Pick<TestAudit, 'audit'>): Promise<CheckResult> {
  await log.audit.flush();
  const verdicts = await log.audit.verify();
  const size = verdicts.reduce((sum, verdict) => sum + verdict.size, 0);
  if (size === 0) return { pass: false, message: 'no log holds an entry: there is nothing to verify' };
  const wrong = verdicts.filter(({ result }) => result !== 'valid');
  if (wrong.length === 0) {
    return { pass: true, message: `${verdicts.length} logs of ${size} entries in all are valid` };
  }
  const lines = wrong.flatMap(({ log: name, result, findings, notChecked }) => [
    `the log ${name} is ${result}`,
    ...findings.map(({ code, index, detail }) => `  ${code} at ${index ?? 'no index'}: ${detail}`),
    ...(findings.length > 0 ? [] : notChecked.map(({ what, detail }) => `  not checked, ${what}: ${detail}`)),
  ]);
  return { pass: false, message: lines.join('\n') };
}

function describeDifference(
  log: EventSource,
  events: readonly AuditEvent[],
  expected: readonly ExpectedEvent[],
  { missing, surplus }: Pairing,
): string {
  return [
    `${expected.length} events were expected, and ${events.length} were recorded`,
    ...missing.map((at) => `expected ${at + 1}, which nothing matches: ${show(expected[at])}`),
    ...surplus.map((at) => `recorded ${at + 1}, which nobody expected: ${show(withoutMade(events[at]))}`),
    ...describeLog(log, events),
  ].join('\n');
}

function describeLog(log: EventSource, events: readonly AuditEvent[]): string[] {
  return [
    events.length === 0 ? 'nothing was recorded' : 'recorded:',
    ...events.map((event, at) => `  ${at + 1}. ${summary(event)}`),
    ...log.errors.map((error) => `the audit reported: ${error.message}`),
  ];
}

function summary({ action, actor, resource, outcome }: AuditEvent): string {
  const what = resource === undefined ? '' : ` ${resource.type} ${resource.id}`;
  return `${action}${what} by ${actor.type} ${actor.id}${outcome === 'success' ? '' : ` (${outcome})`}`;
}

/** Without what no test can know beforehand. */
function withoutMade(event: AuditEvent | undefined): object {
  const { v: _v, id: _id, salt: _salt, time: _time, ...rest } = event ?? ({} as Partial<AuditEvent>);
  return rest;
}

function show(value: unknown): string {
  return inspect(value, { depth: 8, breakLength: 110, sorted: true });
}
