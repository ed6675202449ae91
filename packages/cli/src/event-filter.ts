import { CATEGORIES, type EventFilter, OUTCOMES, type StoredEvent } from '@indelible/core';
import type { CommandOption } from './command.js';
import type { OptionValues } from './option-values.js';
import { LOG_OPTION } from './shared-options.js';
import { UsageError } from './usage-error.js';

/** What narrows a list, without where it begins and ends. */
export type Narrowing = Omit<EventFilter, 'after' | 'order' | 'limit'>;

export const FILTER_OPTIONS = {
  log: LOG_OPTION,
  action: { type: 'string', value: '<name>', help: 'only this action, as auth.login_failed' },
  actor: { type: 'string', value: '<id>', help: 'only what this actor did' },
  category: { type: 'string', value: '<name>', help: `only one of ${CATEGORIES.join(', ')}` },
  outcome: { type: 'string', value: '<name>', help: `only one of ${OUTCOMES.join(', ')}` },
  type: { type: 'string', value: '<name>', help: 'only resources of this type' },
  request: { type: 'string', value: '<id>', help: 'only this request' },
  transaction: { type: 'string', value: '<id>', help: 'only this transaction' },
} as const satisfies Record<string, CommandOption>;

const FIELDS = {
  log: 'log',
  action: 'action',
  actor: 'actorId',
  category: 'category',
  outcome: 'outcome',
  type: 'resourceType',
  request: 'requestId',
  transaction: 'transactionId',
} as const satisfies Record<keyof typeof FILTER_OPTIONS, keyof Narrowing>;

export function readFilter(values: OptionValues): Narrowing {
  const filter: Record<string, string> = {};
  for (const [option, field] of Object.entries(FIELDS)) {
    const value = values.text(option);
    if (value !== undefined) filter[field] = value;
  }
  oneOf('category', filter.category, CATEGORIES);
  oneOf('outcome', filter.outcome, OUTCOMES);
  return filter;
}

function oneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new UsageError(`--${option} takes one of ${allowed.join(', ')}, not '${value}'`);
}

/** True if a store's `list` would give this event for the filter. */
export function passesFilter(event: StoredEvent, filter: Narrowing): boolean {
  const { log, ...columns } = filter;
  if (log !== undefined && event.log !== log) return false;
  const actual: Readonly<Record<string, string | null>> = { ...event.columns };
  return Object.entries(columns).every(([column, value]) => actual[column] === value);
}
