import type { Connection } from './connection.js';
import type { SqliteValue } from './driver.js';

/** Rows to a statement: few statements to prepare, and most rows go in large ones, as a call of a driver costs 1 to 5 µs. */
const SHAPES = [50, 10, 1] as const;

/**
 * Runs a statement over rows, many at once. `sqlOf` gives it for a number of rows, `push` adds the parameters of one.
 *
 * @returns how many rows it changed
 */
export function runInShapes<Row>(
  rows: readonly Row[],
  sqlOf: (count: number) => string,
  push: (params: SqliteValue[], row: Row) => void,
  connection: Connection,
): number {
  let at = 0;
  let changed = 0;
  for (const shape of SHAPES) {
    if (at + shape > rows.length) continue;
    const sql = sqlOf(shape);
    while (at + shape <= rows.length) {
      const params: SqliteValue[] = [];
      for (let end = at + shape; at < end; at += 1) {
        const row = rows[at];
        if (row !== undefined) push(params, row);
      }
      changed += connection.run(sql, params);
    }
  }
  return changed;
}
