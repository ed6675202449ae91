import type { Inexact, SessionOptions } from '../dialect.js';
import type { SchemaView } from './cascades.js';
import { tooMany } from './counted-only.js';
import type { WritePlan } from './plan-write.js';
import type { PostgresSchema } from './postgres-schema.js';
import { isTooManyRows } from './row-limit.js';
import type { Unreadable } from './write-shape.js';

/** The database could not give what was asked for. */
export const NO_TEXT: Inexact = {
  table: null,
  fidelity: 'opaque',
  reason: 'values that have no form in UTF-8',
};

/** What the text of a statement and the settings of the connection tell of what no table shows. */
export function findUnseen(schema: PostgresSchema, sql: string): readonly Inexact[] {
  const reasons = [
    ...schema.writingCalls(sql).map((name) => `the function ${name}, which may write rows`),
    ...schema.unsafeSettings.map((setting) => `the setting ${setting}`),
  ];
  return reasons.map((reason) => ({ table: null, fidelity: 'opaque', reason }));
}

/** What stands for a statement that is not taken apart: one mark for each table that it certainly writes. */
export async function markUnreadable(
  view: SchemaView,
  { reason, tables }: Unreadable,
): Promise<readonly Inexact[]> {
  if (tables.length === 0) return [{ table: null, fidelity: 'opaque', reason }];
  const inexact: Inexact[] = [];
  for (const name of tables) {
    const table = await view.find(name);
    if (table === undefined || view.ignores(table.name)) continue;
    inexact.push({ table: table.name, fidelity: 'opaque', reason });
  }
  return inexact;
}

/** Why the statement has failed in the form that it was given, where as it was written it may not. */
export function whyItFailed(
  plans: readonly WritePlan[],
  error: string,
  options: Pick<SessionOptions, 'maxRows'>,
): Inexact | undefined {
  const limited = plans.find(({ limit }) => limit !== undefined);
  if (limited !== undefined && isTooManyRows(error)) {
    return { table: limited.table.name, fidelity: 'count-only', reason: tooMany(options) };
  }
  return plans.flatMap(({ pitfalls }) => pitfalls).find((pitfall) => pitfall.error.test(error))?.inexact;
}

/** What is known of no table is one mark, whatever its causes: the statement has run once. */
export function inOneMark(inexact: readonly Inexact[]): readonly Inexact[] {
  const isLoose = ({ table, fidelity }: Inexact): boolean => table === null && fidelity === 'opaque';
  const loose = inexact.filter(isLoose);
  if (loose.length < 2) return inexact;
  const reason = loose.map((one) => one.reason).join('; ');
  return [{ table: null, fidelity: 'opaque', reason }, ...inexact.filter((one) => !isLoose(one))];
}
