import type { Rewritten } from '../dialect.js';
import { edited } from './edit-text.js';
import type { PostgresTable } from './postgres-catalogue.js';
import type { ImageLimits } from './row-image.js';
import { limitRows, limitSent, type RowLimit } from './row-limit.js';
import { returning, writeForm } from './write-form.js';
import type { RowWrite } from './write-shape.js';

export { EngineColumn } from './write-form.js';

export interface RewriteOptions {
  /** What of their rows is left on the server. @default nothing */
  readonly images?: ImageLimits | undefined;
  /** Needed where the statement may touch many rows. */
  readonly limit?: RowLimit | undefined;
  /** The tables of which the state comes along. @default the table */
  readonly states?: readonly PostgresTable[];
}

/**
 * Adds the engine's columns to what the statement returns. It stays one statement that locks, touches and returns the same
 * rows at the same time as before; where it returned nothing, its rows are its count.
 *
 * RETURNING of PostgreSQL before 18 does not know the row that an UPDATE replaces. So the first assignment puts it into a
 * transaction-local setting before it gives its own value, and RETURNING takes it out again: the executor computes the
 * assignments of a row, also again after it has waited for another transaction, right before it updates that row, and
 * RETURNING right behind (nodeModifyTable.c, ExecUpdate and ExecOnConflictUpdate).
 *
 * @returns undefined where the statement gives no place to read the old row from
 */
export function rewriteWrite(
  sql: string,
  write: RowWrite,
  table: PostgresTable,
  version: number,
  { images, limit, states }: RewriteOptions = {},
): Rewritten | undefined {
  const form = writeForm(sql, write, table, { version, images, ...(states && { states }) });
  if (form === undefined) return undefined;
  const returnsRows = write.returning !== null;
  const own = limit !== undefined && returnsRows ? limitSent(form.own, limit) : form.own;
  const columns = [...own, ...form.further];
  const edits = [...form.edits, returning(write, columns)];
  if (limit === undefined || returnsRows) {
    return { sql: edited(sql, edits), columns: columns.length, returnsRows };
  }
  // What stands behind its end is a comment or a semicolon.
  const text = limitRows(edited(sql.slice(0, write.end), edits), limit);
  const command = write.verb.toUpperCase();
  return { sql: text, columns: columns.length + 1, returnsRows, count: columns.length, command };
}
