import type { PostgresTable } from './postgres-table.js';
import {
  effectsExpression,
  fingerprintExpression,
  functionsExpression,
  triggersExpression,
} from './table-fingerprint.js';

/**
 * A scalar expression of one text that changes with everything that is known of the tables and matters to a write: compare
 * it with what `stateOf` gives.
 */
export function stateExpression(tables: readonly PostgresTable[]): string {
  const states = tables.flatMap(({ oid, triggerFunctions }) => [
    fingerprintExpression(oid),
    effectsExpression(oid),
    ...(triggerFunctions.length === 0
      ? []
      : [functionsExpression(`oid IN (${triggerFunctions.join(', ')})`)]),
  ]);
  return `pg_catalog.concat_ws('|', ${states.join(', ')})`;
}

export function stateOf(tables: readonly PostgresTable[]): string {
  return tables
    .flatMap(({ fingerprint, effects, triggerFunctions, functions }) => [
      fingerprint,
      effects,
      ...(triggerFunctions.length === 0 ? [] : [functions]),
    ])
    .join('|');
}

/**
 * An expression of one text that tells of which table a row is that a statement returns, and, of a partition, with which
 * triggers: its name may mean another table than the one that is known.
 */
export function homeExpression(qualifier: string, { kind }: PostgresTable): string {
  const oid = `${qualifier}.tableoid`;
  return kind === 'partitioned'
    ? `pg_catalog.concat(${oid}, ' ', ${triggersExpression(oid)})`
    : `${oid}::text`;
}

/** @param home what `homeExpression` gave */
export function isAtHome(home: unknown, { oid, kind, children }: PostgresTable): boolean {
  if (typeof home !== 'string') return true;
  if (kind !== 'partitioned') return home === oid;
  return children.some((child) => home === `${child.oid} ${child.triggers}`);
}
