import type { Inexact, SessionOptions, StatementChanges } from '../dialect.js';
import type { CascadeImage } from './cascades.js';
import type { MysqlTable } from './mysql-table.js';
import { keyOf } from './noted-rows.js';
import type { WritePlan } from './plan-write.js';
import type { OwnRow } from './settle-rows.js';

/** What a failed statement may have left. */
export function leftByFailure({ noted, returned, write }: WritePlan): StatementChanges {
  const tables = [...noted, ...(returned === undefined ? [] : [returned])].map(({ table }) => table);
  const kept = tables.filter(({ isTransactional }) => !isTransactional);
  const reason = `a failed ${write.verb} that may have left rows`;
  return { rows: [], inexact: kept.map(({ name }) => ({ table: name, fidelity: 'opaque', reason })) };
}

/**
 * The rows that a DELETE takes, as they stood before it: a foreign key may have changed some of them before it came to them.
 */
export function asLocked(locked: CascadeImage['locked'], own: readonly OwnRow[]): readonly OwnRow[] {
  return own.map((row) => {
    const { table, before } = row;
    if (before === null || table.key.length === 0) return row;
    return { ...row, before: locked.get(`${table.id} ${keyOf(table, before)}`) ?? before };
  });
}

/** Rows whose foreign keys could not be followed: they came between the lock and the statement. */
export function lateRows(locked: CascadeImage['locked'], own: readonly OwnRow[]): readonly Inexact[] {
  const late = own.filter(
    ({ table, before }) =>
      before !== null && table.referencedBy.length > 0 && !locked.has(`${table.id} ${keyOf(table, before)}`),
  );
  return [...new Set(late.map(({ table }) => table))].map((table) => ({
    table: table.name,
    fidelity: 'opaque',
    reason: `the foreign keys that point at rows of "${table.name.name}" which came meanwhile`,
  }));
}

export function tooLong(table: MysqlTable): Inexact {
  const reason = `a row of "${table.name.name}" that is too long to be told`;
  return { table: table.name, fidelity: 'opaque', count: 1, reason };
}

export function countedOnly(
  { cascades }: WritePlan,
  tables: readonly MysqlTable[],
  count: number | undefined,
  { maxRows, ignores }: SessionOptions,
): StatementChanges {
  const reason = `more than ${maxRows} rows at once`;
  const told = tables.map(
    ({ name }): Inexact => ({
      table: name,
      fidelity: 'count-only',
      ...(count === undefined ? {} : { count }),
      reason,
    }),
  );
  const reached = new Set((cascades?.reached ?? []).map(({ table }) => table.name));
  const further = [...reached].filter((name) => !ignores(name));
  return {
    rows: [],
    inexact: [
      ...told,
      ...further.map(
        (name): Inexact => ({
          table: name,
          fidelity: 'opaque',
          reason: `the foreign keys that point at more than ${maxRows} rows`,
        }),
      ),
    ],
  };
}
