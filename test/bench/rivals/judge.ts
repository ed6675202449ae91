import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { RowRecord } from './contender.js';
import { isRow, keyOf } from './row-trigger.js';

type Row = Readonly<Record<string, unknown>>;
/** Every row of every table, by model and key. */
export type Snapshot = ReadonlyMap<string, Row>;

const TABLES = ['User', 'Post', 'Comment', 'Tag', '_PostToTag', 'Membership'];

/** @param left columns that are left out */
export async function readSnapshot(raw: pg.Client, left: readonly string[] = []): Promise<Snapshot> {
  const rows = new Map<string, Row>();
  for (const table of TABLES) {
    const found = await raw.query<{ row: Row }>(
      `SELECT to_jsonb(t) - $1::text[] AS row FROM "${table}" AS t`,
      [left],
    );
    for (const { row } of found.rows) rows.set(`${table} ${keyOf(table, row)}`, row);
  }
  return rows;
}

/** Why the records do not tell what happened between the snapshots; undefined where they tell exactly that. */
export function findMiss(
  records: readonly RowRecord[],
  before: Snapshot,
  after: Snapshot,
): string | undefined {
  const rows = new Map(before);
  for (const record of records) {
    const wrong = replay(rows, record);
    if (wrong !== undefined) return wrong;
  }
  for (const [key, row] of after) {
    const told = rows.get(key);
    if (told === undefined) return `nothing tells that ${key} is there`;
    if (!same(told, row)) return `what is told of ${key} is not what stands there`;
  }
  for (const key of rows.keys()) if (!after.has(key)) return `nothing tells that ${key} is gone`;
  return undefined;
}

function replay(rows: Map<string, Row>, record: RowRecord): string | undefined {
  const key = `${record.model} ${keyIn(record)}`;
  const row = rows.get(key);
  const told = `${record.operation} of ${key}`;
  if (record.operation === 'create') {
    if (row !== undefined) return `${told}: it was there before`;
    rows.set(key, record.after ?? {});
    return undefined;
  }
  if (row === undefined) return `${told}: there was no such row`;
  if (record.before === undefined || !fits(record.before, row)) return `${told}: a wrong before, or none`;
  rows.delete(key);
  if (record.operation === 'delete') {
    return Object.keys(record.before).length < Object.keys(row).length ? `${told}: not all of it` : undefined;
  }
  const now = { ...row, ...record.after };
  if (same(now, row)) return `${told}: nothing had changed`;
  rows.set(`${record.model} ${keyOf(record.model, now)}`, now);
  return undefined;
}

/** The key of the row that was changed, which may have another one now. */
function keyIn({ model, id, before }: RowRecord): string {
  if (model === 'Membership' && isRow(before) && 'org' in before && 'seat' in before)
    return keyOf(model, before);
  return isRow(before) && before.id !== undefined && model !== '_PostToTag' ? String(before.id) : id;
}

function fits(part: Row, row: Row): boolean {
  return Object.entries(part).every(([name, value]) => isDeepStrictEqual(value, row[name]));
}

function same(one: Row, other: Row): boolean {
  return isDeepStrictEqual({ ...one }, { ...other });
}
