import type { EngineRows, Inexact } from '../dialect.js';
import { actingReferences, carryingColumns, fateOf } from './cascades.js';
import { findWriteLimits } from './find-write-limits.js';
import type { WritePlan } from './plan-write.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { parseRecord } from './record-text.js';
import { EngineColumn } from './rewrite-write.js';
import { positionOf } from './select-by-keys.js';

/** What shows only after the statement has run: its table was not what it was thought to be when it was planned. */
export function findLateLimits(
  { write, table: planned, inexact, cascades }: WritePlan,
  table: PostgresTable,
): readonly Inexact[] {
  const { blocks, inexact: now } = findWriteLimits(write, table);
  const known = new Set(inexact.map(({ reason }) => reason));
  const late = [...(blocks === undefined ? [] : [blocks]), ...now].filter(
    ({ reason, fidelity }) => fidelity !== 'exact' && !known.has(reason),
  );
  if (cascades !== undefined || write.verb === 'merge') return late;
  const before = new Set(actingReferences(planned, fateOf(write, planned)).map((one) => JSON.stringify(one)));
  const further = actingReferences(table, fateOf(write, table)).filter(
    (one) => !before.has(JSON.stringify(one)),
  );
  return further.length === 0 ? late : [...late, byForeignKeys(table, 'which are new')];
}

/** Rows that came to match only after the others were locked, and keys that a trigger has changed. */
export function findUnread(
  { write, cascades }: WritePlan,
  table: PostgresTable,
  rows: EngineRows,
): readonly Inexact[] {
  if (cascades !== undefined) {
    const count = rows.filter((row) => {
      const old = row[EngineColumn.old];
      return typeof old === 'string' && !cascades.locked.has(old);
    }).length;
    return count === 0 ? [] : [{ ...byForeignKeys(table, 'which came to match at the last moment'), count }];
  }
  const columns = carryingColumns(table);
  const mayMove = write.kept.size > 0 || table.triggers.some(({ timing }) => timing === 'before');
  if (columns.size === 0 || write.verb === 'delete' || !mayMove) return [];
  const positions = [...columns]
    .filter((name) => !write.assigned.has(name) || write.kept.has(name))
    .map((name) => positionOf(table, name));
  const count = rows.filter((row) => hasMoved(row, positions)).length;
  const which =
    write.kept.size > 0 ? 'of which the key looks different' : 'of which a trigger has changed the key';
  return count === 0 ? [] : [{ ...byForeignKeys(table, which), count }];
}

function hasMoved(row: EngineRows[number], positions: readonly number[]): boolean {
  const [old, now] = [row[EngineColumn.old], row[EngineColumn.new]];
  if (typeof old !== 'string' || typeof now !== 'string' || old === now) return false;
  const [before, after] = [parseRecord(old), parseRecord(now)];
  return positions.some((position) => before[position] !== after[position]);
}

function byForeignKeys(table: PostgresTable, which: string): Inexact {
  const reason = `the foreign keys that point at rows of "${table.name.name}" ${which}`;
  return { table: table.name, fidelity: 'opaque', reason };
}
