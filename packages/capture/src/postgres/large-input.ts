import type { EngineRows } from '../dialect.js';
import type { PostgresTable } from './postgres-table.js';
import { tokenizePostgres } from './postgres-tokens.js';
import { parseRecord } from './record-text.js';
import { EngineColumn } from './rewrite-write.js';
import type { RowWrite } from './write-shape.js';

/** Of the statement and its parameters, in characters or bytes: with fewer no value is large. */
const SMALL_INPUT = 32_768;
/** What stands before a parenthesis and makes no more of what it gets. */
const HARMLESS =
  /^(?:and|any|as|case|cast|char|coalesce|conflict|else|greatest|in|least|lower|not|nullif|numeric|on|or|row|set|then|time|timestamp|timestamptz|upper|values|varchar|when|where|clock_timestamp|date_trunc|gen_random_uuid|nextval|now)$/i;

const known = new WeakMap<RowWrite, boolean>();

/**
 * True where the write may bring a large value with it, or make one. What a trigger, a default or a generated column makes
 * is not told by its text.
 *
 * @param inputLength of its parameters
 */
export function mayBringLarge(sql: string, write: RowWrite, inputLength: number | undefined): boolean {
  if (write.verb === 'delete') return false;
  if (inputLength === undefined || sql.length + inputLength > SMALL_INPUT) return true;
  let mayCompute = known.get(write);
  if (mayCompute === undefined) {
    mayCompute = computes(sql, write);
    known.set(write, mayCompute);
  }
  return mayCompute;
}

function computes(sql: string, write: RowWrite): boolean {
  if (write.verb === 'merge') return true;
  if (write.verb === 'insert') return isComputed(sql.slice(write.targetText.end, write.end));
  // A row or a query is assigned.
  if (write.assigned.size > write.assignments.length) return true;
  return write.assignments.some(({ expression }) => isComputed(sql.slice(expression.start, expression.end)));
}

function isComputed(text: string): boolean {
  const tokens = tokenizePostgres(text);
  return tokens.some((token, at) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return false;
    if (token.kind === 'word' && /^(?:select|table)$/i.test(token.text)) return true;
    return tokens[at + 1]?.text === '(' && (token.kind === 'quoted' || !HARMLESS.test(token.text));
  });
}

/** True where images are long, or tell that values of them were left on the server: from then on those of this table are. @param mayBeCut they tell so */
export function hasLarge(rows: EngineRows, { columns }: PostgresTable, mayBeCut: boolean): boolean {
  return rows.some((row) =>
    [row[EngineColumn.old], row[EngineColumn.new]].some(
      (image) =>
        typeof image === 'string' &&
        (image.length > SMALL_INPUT || (mayBeCut && isCut(image, columns.length))),
    ),
  );
}

/** What stands behind the columns are positions, and a row without them ends otherwise. */
function isCut(image: string, count: number): boolean {
  return /,"?[0-9 ]+"?\)$/.test(image) && parseRecord(image).length > count;
}
