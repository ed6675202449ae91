import type { EngineRows, StatementAnswer } from '../dialect.js';
import type { MysqlTable } from './mysql-table.js';
import { ReturnedColumn, type Target } from './rewrite-write.js';
import { bytesOf, readImage } from './row-image.js';
import type { RowWrite } from './write-shape.js';

const GENERATES = /^\s*(?:null|default|0|)\s*$/i;

/**
 * What an INSERT or a DELETE that returned its rows would have answered without. The protocol gives either the rows or the
 * number and the generated key.
 *
 * @param countsFound the connection counts rows that an update has found and not changed (CLIENT_FOUND_ROWS)
 * @param deleted how many rows a REPLACE has deleted
 */
export function answerOf(
  sql: string,
  write: RowWrite,
  { table }: Target,
  countsFound: boolean,
  deleted: (rows: EngineRows) => number,
): (rows: EngineRows) => StatementAnswer {
  if (write.verb === 'delete') return (rows) => ({ count: rows.length });
  return (rows) => {
    const counts = rows.map((row) => countOf(row, countsFound));
    const count = counts.reduce((sum, next) => sum + next, deleted(rows));
    const auto = table.columns.findIndex(({ isAutoIncrement }) => isAutoIncrement);
    if (auto === -1) return { count };
    const id = (row: EngineRows[number] | undefined): bigint => numberOf(row, table, auto);
    const inserted = rows.filter((row) => wasInserted(row));
    const generated = firstGenerated(sql, write, table, auto);
    if (generated !== undefined && inserted.length > 0)
      return { count, insertId: id(inserted[generated] ?? inserted[0]) };
    const changed = rows.filter((_, at) => wasInserted(rows[at] ?? []) || counts[at] === 2);
    if (changed.length === 0) return { count, insertId: 0n };
    // The server tells the key of the row that it tried last, also where IGNORE has passed over that one.
    const tried = write.ignores && !write.updatesDuplicates ? lastGiven(sql, write, table, auto) : undefined;
    return { count, insertId: tried ?? id(changed.at(-1)) };
  };
}

function wasInserted(row: EngineRows[number]): boolean {
  return (row[ReturnedColumn.old] ?? null) === null;
}

/** 1 for a new row, 2 for one that is updated. */
function countOf(row: EngineRows[number], countsFound: boolean): number {
  if (wasInserted(row)) return 1;
  const isSame = bytesOf(row[ReturnedColumn.old]).equals(bytesOf(row[ReturnedColumn.image]));
  if (!isSame) return 2;
  return countsFound ? 1 : 0;
}

/** Which of the rows has the first key that the database made; undefined: none has. */
function firstGenerated(sql: string, write: RowWrite, table: MysqlTable, auto: number): number | undefined {
  const position = keyPosition(write, table, auto);
  if (position === -1) return 0;
  if (write.values === null) return undefined;
  const at = write.values.findIndex((row) => {
    const span = row[position];
    return span !== undefined && GENERATES.test(sql.slice(span.start, span.end));
  });
  if (at === -1) return undefined;
  return write.ignores ? 0 : at;
}

/** The key that the last row of VALUES gives, where it is written as a number. */
function lastGiven(sql: string, write: RowWrite, table: MysqlTable, auto: number): bigint | undefined {
  const span = write.values?.at(-1)?.[keyPosition(write, table, auto)];
  const text = span === undefined ? '' : sql.slice(span.start, span.end).trim();
  return /^[0-9]{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** Where in a row of VALUES the generated key stands; -1: it is not listed. */
function keyPosition({ listed }: RowWrite, table: MysqlTable, auto: number): number {
  const name = table.columns[auto]?.name.toLowerCase();
  return listed === null ? auto : listed.findIndex((column) => column.toLowerCase() === name);
}

function numberOf(row: EngineRows[number] | undefined, table: MysqlTable, position: number): bigint {
  if (row === undefined) return 0n;
  const text = readImage(row[ReturnedColumn.image], table)?.[position]?.toString('latin1') ?? '';
  return /^[0-9]+$/.test(text) ? BigInt(text) : 0n;
}
