import type { Token } from '../tokenize.js';
import type { PostgresTable } from './postgres-table.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';
import type { RowLimit } from './row-limit.js';
import type { RowWrite } from './write-shape.js';

/** What the text alone tells. */
interface Bound {
  /** The rows of VALUES. */
  readonly given: number;
  /** The columns of the target that WHERE holds to one value. */
  readonly pinned: ReadonlySet<string>;
}

const known = new WeakMap<RowWrite, Bound>();

/**
 * How many rows the write can touch, as far as its text tells: those that it gives, or one where it names its key.
 * What is infinite may still be few rows.
 */
export function rowBound(sql: string, write: RowWrite, table: Pick<PostgresTable, 'key'>): number {
  const { given, pinned } = boundOf(sql, write);
  if (table.key.length > 0 && table.key.every((name) => pinned.has(name))) return 1;
  return given;
}

/** @returns undefined for a write that can not touch more rows than are imaged */
export function rowLimitOf(
  sql: string,
  write: RowWrite,
  table: Pick<PostgresTable, 'key'>,
  { maxRows, strict }: { readonly maxRows: number; readonly strict: boolean },
): RowLimit | undefined {
  return rowBound(sql, write, table) <= maxRows ? undefined : { maxRows, refuses: strict };
}

function boundOf(sql: string, write: RowWrite): Bound {
  let bound = known.get(write);
  if (bound === undefined) {
    bound = { given: rowsGiven(sql, write), pinned: pinnedColumns(sql, write) };
    known.set(write, bound);
  }
  return bound;
}

function rowsGiven(sql: string, { verb, targetText, end }: RowWrite): number {
  if (verb !== 'insert') return Number.POSITIVE_INFINITY;
  let depth = 0;
  let rows = Number.POSITIVE_INFINITY;
  for (const { kind, text } of tokenizePostgres(sql.slice(targetText.end, end))) {
    if (kind === 'punctuation') {
      if (text === '(' && depth === 0 && Number.isFinite(rows)) rows += 1;
      if (text === '(') depth += 1;
      if (text === ')') depth -= 1;
      continue;
    }
    if (kind !== 'word' || depth > 0) continue;
    const word = text.toUpperCase();
    if (word === 'VALUES') rows = 0;
    // VALUES of several queries, and what follows the rows.
    else if (word === 'UNION') return Number.POSITIVE_INFINITY;
    else if (word === 'ON' || word === 'RETURNING') break;
  }
  // DEFAULT VALUES gives one without parentheses.
  return Math.max(rows, 1);
}

function pinnedColumns(sql: string, { where, qualifier, sources }: RowWrite): ReadonlySet<string> {
  if (where === null) return new Set();
  const owner = nameOf(tokenizePostgres(qualifier)[0]);
  // Behind FROM or USING a name without a qualifier may be another table's.
  const isAlone = sources === null || /^where\b/i.test(sql.slice(sources.start, sources.end));
  const names = new Set<string>();
  for (const condition of conjuncts(tokenizePostgres(sql.slice(where.start, where.end)))) {
    const equals = condition.findIndex(({ kind, text }) => kind === 'punctuation' && text === '=');
    const value = condition[equals + 1];
    const name = nameOf(condition[equals - 1]);
    if (name === undefined || (value?.kind !== 'parameter' && value?.kind !== 'literal')) continue;
    const isPath = condition
      .slice(0, equals)
      .every((token, at) => (at % 2 === 0 ? nameOf(token) !== undefined : token.text === '.'));
    // `$1` alone, or with a cast.
    const isPlain = condition
      .slice(equals + 2)
      .every((token) => token.text === ':' || nameOf(token) !== undefined);
    if (!isPath || !isPlain) continue;
    if (equals === 1 ? isAlone : nameOf(condition[equals - 3]) === owner) names.add(name);
  }
  return names;
}

/** What AND joins outside of parentheses, and inside of those around all of it. */
function conjuncts(tokens: readonly Token[]): readonly (readonly Token[])[] {
  let depth = 0;
  let start = 0;
  const parts: (readonly Token[])[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'punctuation' && token.text === '(') depth += 1;
    if (token.kind === 'punctuation' && token.text === ')') depth -= 1;
    if (depth > 0) continue;
    if (isWord(token, 'OR')) return [];
    if (!isWord(token, 'AND')) continue;
    parts.push(tokens.slice(start, at));
    start = at + 1;
  }
  if (start > 0) return [...parts, tokens.slice(start)].flatMap(conjuncts);
  const isWrapped = tokens[0]?.text === '(' && tokens.at(-1)?.text === ')';
  return isWrapped ? conjuncts(tokens.slice(1, -1)) : [tokens];
}

function isWord({ kind, text }: Token, word: string): boolean {
  return kind === 'word' && text.toUpperCase() === word;
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'quoted') return token.text;
  return token?.kind === 'word' ? foldIdentifier(token.text) : undefined;
}
