import type { SchemaView } from './cascades.js';
import type { PlanRequest } from './plan-write.js';
import { SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { quoteTable } from './quote-identifier.js';
import { isWhole } from './row-image.js';
import type { PlannedWrite } from './statement-plan.js';
import { stateExpression } from './table-state.js';

/**
 * The tables of one transaction of which the form of a statement has named columns that the caller's text does not: were one
 * renamed, only the form would fail. So they are looked at before, and from then on nobody can change them before the
 * transaction ends.
 */
export class HeldTables {
  /** By oid. */
  readonly #known = new Set<string>();

  /** @param check throws where they are not what they were thought to be */
  async hold(
    { connection, imagesOf }: SchemaView,
    writes: readonly PlannedWrite[],
    check: PlanRequest['check'],
  ): Promise<void> {
    const named = writes.filter((write) => namesColumns(write, imagesOf(write.plan.table) !== undefined));
    const tables = named.map(({ plan }) => plan.table).filter(({ oid }) => !this.#known.has(oid));
    if (tables.length === 0) return;
    const held = tables.map(
      ({ relation }, at) => `LEFT JOIN (SELECT FROM ${quoteTable(relation)} LIMIT 0) h${at} ON true`,
    );
    const [row] = await connection.query(
      `SELECT ${stateExpression(tables)} AS state, ${SCOPE_EXPRESSION} AS scope FROM (VALUES (1)) one ${held.join(' ')}`,
    );
    check({ state: row?.[0], scope: row?.[1] }, tables);
    for (const { oid } of tables) this.#known.add(oid);
  }

  /** The locks may be gone, or the transaction itself changes them. */
  forget(): void {
    this.#known.clear();
  }
}

/** @param isCut large values of the table are left on the server */
function namesColumns({ plan: { write, table, through }, rowsOf }: PlannedWrite, isCut: boolean): boolean {
  // Where rows were locked before, so is the table.
  if (through !== undefined) return false;
  const assignsMore = write.assigned.size > 0 && write.assignments.length === 0;
  const givesAll = rowsOf !== undefined && write.returned?.some((column) => 'isAll' in column) === true;
  return !isWhole(table) || isCut || assignsMore || givesAll;
}
