import type { PostgresTable } from './postgres-catalogue.js';
import { tokenizePostgres } from './postgres-tokens.js';
import { rowExpression } from './rewrite-write.js';
import type { RowWrite, Span } from './write-shape.js';

/**
 * The statement that locks and returns the rows which an UPDATE or DELETE will touch. Its assignments come along, so that each
 * parameter has the type that it has in the write.
 *
 * @returns undefined where a parameter stands somewhere else
 */
export function lockStatement(sql: string, write: RowWrite, table: PostgresTable): string | undefined {
  const text = (span: Span | null): string => (span === null ? '' : sql.slice(span.start, span.end));
  const values = write.assignments.flatMap(({ column, expression }) => {
    const type = table.columns.find(({ name }) => name === column)?.castType;
    return type === undefined ? [] : [`CASE WHEN true THEN NULL::${type} ELSE (${text(expression)}) END`];
  });
  const list = [rowExpression(write.qualifier, table), ...values].join(', ');
  const sources = text(write.sources).replace(/^(?:using|from)\b/i, ',');
  const lock = `${text(write.prefix)}SELECT ${list} FROM ${text(write.targetText)} ${sources} FOR UPDATE OF ${write.qualifier}`;
  const has = parametersOf(lock);
  return [...parametersOf(sql)].every((parameter) => has.has(parameter)) ? lock : undefined;
}

function parametersOf(sql: string): ReadonlySet<string> {
  return new Set(tokenizePostgres(sql).flatMap(({ kind, text }) => (kind === 'parameter' ? [text] : [])));
}
