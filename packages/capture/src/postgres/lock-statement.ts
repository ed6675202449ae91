import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { tokenizePostgres } from './postgres-tokens.js';
import { type ImageLimits, rowExpression } from './row-image.js';
import { stateExpression } from './table-state.js';
import { unassigned } from './unassigned.js';
import type { RowWrite, Span } from './write-shape.js';

/** The columns of a lock statement, in their order. */
export const LockColumn = { state: 0, scope: 1, row: 2 } as const;

/**
 * The statement that locks and returns the rows which an UPDATE or DELETE will touch. Its assignments come along, so that each
 * parameter has the type that it has in the write.
 *
 * @param tables those of which the state comes along
 * @param limit at most so many rows
 * @param prefix WITH and its queries. @default those of the write
 * @returns undefined where it can not be put so
 */
export function lockStatement(
  sql: string,
  write: RowWrite,
  table: PostgresTable,
  tables: readonly PostgresTable[],
  limit: number,
  images: ImageLimits | undefined,
  prefix: string = sql.slice(write.prefix.start, write.prefix.end),
): string | undefined {
  const text = (span: Span | null): string => (span === null ? '' : sql.slice(span.start, span.end));
  // WHERE CURRENT OF has no meaning in a SELECT.
  if (/^\s*current\s+of\b/i.test(text(write.where))) return undefined;
  const values = write.assignments.flatMap(({ column, expression }) => {
    const type = table.columns.find(({ name }) => name === column)?.castType;
    return type === undefined ? [] : [unread(unassigned('false', text(expression), type))];
  });
  const list = [
    stateExpression(tables),
    SCOPE_EXPRESSION,
    rowExpression(write.qualifier, table, images),
    ...values,
  ].map((column, position) => `${column} AS indelible_${position}`);
  const sources =
    write.merge === undefined
      ? text(write.sources).replace(/^(?:using|from)\b/i, ',')
      : `JOIN ${text(write.merge.source)}`;
  const lock = `${prefix}SELECT ${list.join(', ')} FROM ${text(write.targetText)} ${sources} LIMIT ${limit} FOR UPDATE OF ${write.qualifier}`;
  const has = parametersOf(lock);
  return [...parametersOf(sql)].every((parameter) => has.has(parameter)) ? lock : undefined;
}

/** It gives types, and is not computed: not even a NULL, which a domain may refuse. */
function unread(expression: string): string {
  return `CASE WHEN true THEN NULL ELSE ${expression} IS NULL END`;
}

function parametersOf(sql: string): ReadonlySet<string> {
  return new Set(tokenizePostgres(sql).flatMap(({ kind, text }) => (kind === 'parameter' ? [text] : [])));
}
