import type { PostgresTable } from './postgres-table.js';
import { effectsExpression, fingerprintExpression } from './table-fingerprint.js';

/**
 * A scalar expression of one text that changes with everything that is known of the tables and matters to a write: compare
 * it with what `stateOf` gives.
 */
export function stateExpression(tables: readonly PostgresTable[]): string {
  const states = tables.flatMap(({ oid }) => [fingerprintExpression(oid), effectsExpression(oid)]);
  return `pg_catalog.concat_ws('|', ${states.join(', ')})`;
}

export function stateOf(tables: readonly PostgresTable[]): string {
  return tables.flatMap(({ fingerprint, effects }) => [fingerprint, effects]).join('|');
}
