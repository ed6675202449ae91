import type { Inexact, SessionOptions } from '../dialect.js';
import { beyondLimit } from './cascades.js';
import type { WritePlan } from './plan-write.js';
import type { PostgresTable } from './postgres-table.js';

/** What stands in the place of the rows of a statement that touched more than are imaged. */
export function countedOnly(
  { cascades }: WritePlan,
  table: PostgresTable,
  count: number,
  { maxRows, ignores }: SessionOptions,
): readonly Inexact[] {
  const reached = new Set((cascades?.reached ?? []).map((group) => group.table.name));
  const further = [...reached].filter((name) => !ignores(name));
  return [
    { table: table.name, fidelity: 'count-only', count, reason: tooMany({ maxRows }) },
    ...further.map((name) => beyondLimit(name, table, maxRows)),
  ];
}

export function tooMany({ maxRows }: Pick<SessionOptions, 'maxRows'>): string {
  return `more than ${maxRows} rows at once`;
}
