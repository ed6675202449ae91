import type { EngineRows } from '../dialect.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { PostgresRow } from './postgres-row.js';
import { parseRecord } from './record-text.js';
import type { PostgresChange } from './recorders.js';
import { EngineColumn } from './rewrite-write.js';
import { readImage } from './row-image.js';
import { positionOf } from './select-by-keys.js';
import type { OwnRow } from './settle-cascades.js';
import type { RowWrite } from './write-shape.js';

type EngineRow = EngineRows[number];

/** Makes texts of the images that a rewritten statement has answered with. */
export function withImages(table: PostgresTable, rows: EngineRows): EngineRows {
  if (table.encoding !== 'raw') return rows;
  return rows.map((row) =>
    row.map((value, at) =>
      at === EngineColumn.old || at === EngineColumn.new ? readImage(table, value) : value,
    ),
  );
}

/** What the rewritten statement did to the rows of its own table, in the order in which it touched them. */
export function readChanges(
  write: RowWrite,
  table: PostgresTable,
  rows: EngineRows,
): readonly PostgresChange[] {
  return rows.flatMap((row) => {
    const old = oldText(write, table, row);
    const now = textOf(row[EngineColumn.new]);
    if (old === now) return [];
    const place = textOf(row[EngineColumn.place]);
    return [
      {
        table,
        before: old === null ? null : new PostgresRow(old, table.columns),
        after: now === null ? null : new PostgresRow(now, table.columns),
        from: place,
        to: place,
        at: clockOf(row),
      },
    ];
  });
}

/** The rows that were there before. */
export function readOwnRows(write: RowWrite, table: PostgresTable, rows: EngineRows): readonly OwnRow[] {
  return rows.flatMap((row) => {
    const before = oldText(write, table, row);
    const after = textOf(row[EngineColumn.new]);
    return before === null
      ? []
      : [{ table, before, after, at: clockOf(row), place: textOf(row[EngineColumn.place]) }];
  });
}

export function clockOf(row: EngineRow | undefined): number {
  return Number(row?.[EngineColumn.clock]);
}

/**
 * Before PostgreSQL 18 a row that an upsert inserts may come with the old row of one that a trigger has kept from being
 * updated, where it goes into a partition or the role may not read system columns: its key is another one.
 */
function oldText(write: RowWrite, table: PostgresTable, row: EngineRow): string | null {
  const old = textOf(row[EngineColumn.old]);
  const now = textOf(row[EngineColumn.new]);
  const isSure = table.kind === 'table' && table.mayReadPlaces;
  const isTold = write.verb !== 'insert' || isSure || table.key.length === 0;
  if (old === null || now === null || isTold) return old;
  if (table.key.some((name) => write.assigned.has(name))) return old;
  const [before, after] = [parseRecord(old), parseRecord(now)];
  const isSame = table.key.every(
    (name) => before[positionOf(table, name)] === after[positionOf(table, name)],
  );
  return isSame ? old : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
