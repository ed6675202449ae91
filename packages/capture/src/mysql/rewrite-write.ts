import type { Rewritten } from '../dialect.js';
import { findColumn, type MysqlTable } from './mysql-table.js';
import { quoteIdentifier, type TokenMode, tokenizeMysql } from './mysql-tokens.js';
import { ROW_CLOCK, type RowNote, withVariable } from './noted-rows.js';
import { imageExpression } from './row-image.js';
import type { Assignment, NamedTable, RowWrite, Span } from './write-shape.js';

/** The engine's columns of an INSERT or a DELETE that returns its rows, in their order. */
export const ReturnedColumn = {
  /** The row that is new, or gone. */
  image: 0,
  /** Microseconds since 1970, while the row is locked. */
  clock: 1,
  /** Where a duplicate was updated: the row as it stood, else NULL. */
  old: 2,
} as const;

/** A table whose rows the statement touches, with what it does to it. */
export interface Target {
  readonly named: NamedTable;
  readonly table: MysqlTable;
  /** The assignments that are of this table. */
  readonly assignments: readonly Assignment[];
  readonly setsKey: boolean;
}

export interface NotedTarget extends Target {
  readonly note: RowNote;
}

export interface Edit {
  readonly at: number;
  /** What stands between is replaced. @default at */
  readonly until?: number;
  readonly text: string;
}

/**
 * An UPDATE, or a DELETE that can not return its rows, that notes each row before it changes it: it stays one statement that
 * touches the same rows under the same locks as before, whatever the isolation level.
 *
 * The first assignment of a table sets a column to itself and notes the row on the way; the server computes the assignments
 * of a row from left to right, once the row is locked.
 *
 * @returns undefined where it gives no place to note rows
 */
export function rewriteWithNotes(
  sql: string,
  write: RowWrite,
  targets: readonly NotedTarget[],
): Rewritten | undefined {
  const edits: Edit[] = [];
  if (write.verb === 'delete') {
    const notes = targets.map(({ note }) => note.note).join(' AND ');
    const { where, sources, tail } = write;
    if (where !== null) {
      edits.push({ at: where.start, text: '(' }, { at: where.end, text: `) AND ${notes}` });
    } else {
      edits.push({ at: tail === null ? (sources?.end ?? write.end) : tail.start, text: ` WHERE ${notes} ` });
    }
  } else {
    for (const target of targets) {
      const edit = noteUpdate(sql, write, target);
      if (edit === undefined) return undefined;
      edits.push(edit);
      if (!target.setsKey) continue;
      const column = safeAssignment(target);
      if (column === undefined || write.isMulti) return undefined;
      const name = `${target.named.qualifier}.${quoteIdentifier(column)}`;
      const end = write.assignments.at(-1)?.span.end ?? write.end;
      edits.push({ at: end, text: `, ${name} = IF(${target.note.noteKey},${name},${name})` });
    }
  }
  edits.sort((one, two) => one.at - two.at);
  return { sql: edit(sql, edits), columns: 0, returnsRows: true };
}

function noteUpdate(sql: string, write: RowWrite, target: NotedTarget): Edit | undefined {
  const { note, named, assignments } = target;
  const first = write.isMulti ? assignments[0] : write.assignments[0];
  if (first === undefined) return undefined;
  const column = safeAssignment(target);
  if (column !== undefined) {
    const name = `${named.qualifier}.${quoteIdentifier(column)}`;
    return { at: first.span.start, text: `${name} = IF(${note.note},${name},${name}), ` };
  }
  const expression = sql.slice(first.expression.start, first.expression.end);
  // A number in hexadecimal would become a text, and a default can not be computed.
  if (/^\s*(?:default\s*$|0[xXbB]|[xXbB]')/i.test(expression)) return undefined;
  return {
    at: first.expression.start,
    until: first.expression.end,
    text: `IF(${note.note},(${expression}),NULL)`,
  };
}

/** A column that the statement assigns, and that can be set to itself. */
function safeAssignment({ table, assignments }: Target): string | undefined {
  for (const { column } of assignments) {
    const known = findColumn(table, column);
    if (known?.isSafe === true && !known.isGenerated) return known.name;
  }
  return undefined;
}

/** An INSERT, a REPLACE or a DELETE of MariaDB that returns its rows. */
export function rewriteWithRows(
  sql: string,
  write: RowWrite,
  { named, table }: Target,
  maxBytes: number,
  answer: Rewritten['answer'],
): Rewritten {
  const image = imageExpression(named.qualifier, table, maxBytes / 4);
  const columns = [image, ROW_CLOCK];
  const edits: Edit[] = [];
  if (write.updatesDuplicates) {
    const { token, variable } = nextVariable();
    columns.push(
      `IF(LEFT(${withVariable(variable, variable)},${token.length})=_binary'${token}',CONVERT(SUBSTRING(${variable},${token.length + 1}) USING binary),NULL)`,
      `LEFT(${variable}:=_binary'',0)`,
    );
    const first = write.assignments[0];
    const column = write.assignments
      .map((assignment) => findColumn(table, assignment.column))
      .find((known) => known?.isSafe === true && !known.isGenerated);
    const keep = `LENGTH(${variable}:=CONCAT(_binary'${token}',${image}))>0`;
    if (first !== undefined && column !== undefined) {
      const name = `${named.qualifier}.${quoteIdentifier(column.name)}`;
      edits.push({ at: first.span.start, text: `${name} = IF(${keep},${name},${name}), ` });
    } else if (first !== undefined) {
      const { start, end } = first.expression;
      edits.push({ at: start, until: end, text: `IF(${keep},(${sql.slice(start, end)}),NULL)` });
    }
  }
  const list = columns.map((column, position) => `${column} AS indelible_${position}`).join(', ');
  edits.push(
    write.returning === null
      ? { at: write.end, text: ` RETURNING ${list}` }
      : { at: write.returning.end, text: `, ${list}` },
  );
  return {
    sql: edit(sql, edits),
    columns: columns.length,
    returnsRows: write.returning !== null,
    ...(answer === undefined ? {} : { answer }),
  };
}

let variables = 0;
const process = Math.random().toString(36).slice(2, 8);

function nextVariable(): { readonly token: string; readonly variable: string } {
  variables += 1;
  return { token: `${process}${variables.toString(36)};`, variable: '@indelible_old' };
}

/** The rows that an UPDATE or a DELETE will touch, locked and told. It takes the caller's own parameters. */
export function lockStatement(
  sql: string,
  write: RowWrite,
  { named, table }: Target,
  { maxBytes, mode }: { readonly maxBytes: number; readonly mode: TokenMode },
): string {
  const text = (span: Span | null): string =>
    span === null ? '' : sharing(sql.slice(span.start, span.end), mode);
  const skipped = write.assignments.flatMap(({ expression }) =>
    tokenizeMysql(sql.slice(expression.start, expression.end), mode).filter(
      ({ kind }) => kind === 'parameter',
    ),
  );
  // Each of the caller's parameters keeps its place.
  const unread = ['1 = 1', ...skipped.map(() => '? IS NULL')].join(' OR ');
  const where = write.where === null ? '' : ` AND (${text(write.where)})`;
  const image = imageExpression(named.qualifier, table, maxBytes / 4);
  return `${sql.slice(write.prefix.start, write.prefix.end)}SELECT ${image} FROM ${text(write.sources)} WHERE (${unread})${where} ${text(write.tail)} FOR UPDATE`;
}

/**
 * Has sub-selects lock what they read, as they do in a write: a plain one would read the transaction's snapshot, or make it.
 */
function sharing(sql: string, mode: TokenMode): string {
  const edits: Edit[] = [];
  const open: boolean[] = [];
  const tokens = tokenizeMysql(sql, mode);
  for (const [at, { kind, text, start }] of tokens.entries()) {
    if (kind !== 'punctuation') continue;
    if (text === '(') open.push(/^select$/i.test(tokens[at + 1]?.text ?? ''));
    if (text === ')' && open.pop() === true && !/^(?:mode|update|share)$/i.test(tokens[at - 1]?.text ?? '')) {
      edits.push({ at: start, text: ' LOCK IN SHARE MODE' });
    }
  }
  return edit(sql, edits);
}

export function edit(sql: string, edits: readonly Edit[]): string {
  let text = '';
  let from = 0;
  for (const { at, until = at, text: added } of edits) {
    text += sql.slice(from, at) + added;
    from = until;
  }
  return text + sql.slice(from);
}
