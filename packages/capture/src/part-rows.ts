import type { EngineRows, Rewritten } from './dialect.js';

/** The form of one statement. */
export type StatementForm = Omit<Rewritten, 'sql' | 'parts'>;

/**
 * True for a row that the caller's own statement gave or touched.
 * @param row the engine's columns of it, in which a row of nothing but NULL may stand for none
 */
export function isCallersRow(row: readonly unknown[], { own }: StatementForm): boolean {
  return own === undefined || (row[own] ?? null) === null;
}

/**
 * How many rows the caller's own statement gave or touched, where that is not what the driver counted.
 * @param rows the engine's columns
 */
export function callersCount(rows: EngineRows, form: StatementForm): number | undefined {
  const { count, own } = form;
  if (count === undefined && own === undefined) return undefined;
  const theirs = own === undefined ? rows : rows.filter((row) => isCallersRow(row, form));
  return count === undefined ? theirs.length : Number(theirs[0]?.[count] ?? 0);
}

/**
 * Takes apart what several statements in one string have answered.
 * @param cut takes the engine's columns out of one answer
 * @returns the engine's rows, each behind the number of its statement
 */
export function cutParts<T>(
  answers: readonly T[],
  parts: readonly StatementForm[],
  cut: (answer: T, form: StatementForm) => EngineRows,
): EngineRows {
  return answers.flatMap((answer, at) => {
    const form = parts[at];
    return form === undefined ? [] : cut(answer, form).map((row) => [at, ...row]);
  });
}
