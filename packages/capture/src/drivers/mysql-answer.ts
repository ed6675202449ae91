import type { EngineRows, Rewritten, StatementAnswer } from '../dialect.js';

const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/** What the server says with its answers (SERVER_STATUS_…): a connection that commits nothing by itself is in a transaction. */
export function isInTransaction(status: number): boolean {
  return (status & IN_TRANSACTION) !== 0 || (status & AUTOCOMMIT) === 0;
}

/** Before the server has said anything. */
export const FIRST_STATUS = AUTOCOMMIT;

/** What a rewritten statement has answered, parted. */
export interface Parted {
  readonly rows: EngineRows;
  /** The caller's columns of each row; undefined where its own statement answers with none. */
  readonly kept: readonly (readonly unknown[])[] | undefined;
  /** What its own statement would have answered in the place of rows. */
  readonly told: StatementAnswer | undefined;
}

/** @param answered the rows as arrays; undefined where it answered with none, and that is the caller's answer */
export function partAnswer(
  answered: readonly (readonly unknown[])[] | undefined,
  { columns, returnsRows, answer }: Rewritten,
): Parted {
  if (answered === undefined) return { rows: [], kept: undefined, told: undefined };
  const start = (row: readonly unknown[]): number => Math.max(0, row.length - columns);
  const rows = answered.map((row) => row.slice(start(row)));
  if (returnsRows) return { rows, kept: answered.map((row) => row.slice(0, start(row))), told: undefined };
  return { rows, kept: undefined, told: answer?.(rows) ?? { count: rows.length } };
}

/** The caller's rows as drivers make them: of several columns of one name the last one counts. */
export function toObjects(
  names: readonly string[],
  rows: readonly (readonly unknown[])[],
): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])));
}
