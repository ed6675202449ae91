import type { Inexact } from '../dialect.js';
import type { PostgresSchema } from './postgres-schema.js';

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

/** What is known of no table is one mark, whatever its causes: the statement has run once. */
export function inOneMark(inexact: readonly Inexact[]): readonly Inexact[] {
  const isLoose = ({ table, fidelity }: Inexact): boolean => table === null && fidelity === 'opaque';
  const loose = inexact.filter(isLoose);
  if (loose.length < 2) return inexact;
  const reason = loose.map((one) => one.reason).join('; ');
  return [{ table: null, fidelity: 'opaque', reason }, ...inexact.filter((one) => !isLoose(one))];
}
