import type { Token } from '../tokenize.js';
import { foldIdentifier } from './postgres-tokens.js';
import { type SplitQueries, type SplitQuery, splitQueries } from './split-queries.js';
import {
  isRowWrite,
  type RowWrite,
  type Span,
  type WriteShape,
  type WritingQuery,
  type WritingWith,
} from './write-shape.js';

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/**
 * Takes a statement apart of which queries of WITH write.
 *
 * @param read takes one statement apart that stands in it
 * @returns undefined where one of them can not be taken apart
 */
export function readWritingWith(
  sql: string,
  tokens: readonly Token[],
  read: (tokens: readonly Token[]) => WriteShape,
): WritingWith | undefined {
  const split = splitQueries(tokens);
  if (split === undefined) return undefined;
  const queries: WritingQuery[] = [];
  for (const query of split.queries) {
    const write = read(query.body);
    if (write.verb === 'query') continue;
    const found = isRowWrite(write) ? writingQuery(tokens, query, write) : undefined;
    if (found === undefined) return undefined;
    queries.push(found);
  }
  const main = isQuery(split.main) ? ({ verb: 'query' } as const) : read(split.main);
  if (main.verb !== 'query' && !isRowWrite(main)) return undefined;
  const lockPrefixes = new Map(
    [...queries.map(({ write }) => write), ...(main.verb === 'query' ? [] : [main])].flatMap((write) => {
      const prefix = lockPrefix(sql, tokens, split, write);
      return prefix === undefined ? [] : [[write, prefix] as const];
    }),
  );
  return { verb: 'with', queries, main, mainText: spanOf(split.main), lockPrefixes };
}

/**
 * What stands in front of a query that finds the rows of the write before anything runs.
 * @returns undefined where they follow from what another write gives
 */
function lockPrefix(
  sql: string,
  tokens: readonly Token[],
  { queries, isRecursive }: SplitQueries,
  write: RowWrite,
): string | undefined {
  const within = ({ start, end }: Span): readonly Token[] =>
    tokens.filter((token) => token.start >= start && token.end <= end);
  const readsNone = (some: readonly Token[], names: readonly Token[]): boolean =>
    !some.some((token) => names.some((name) => token !== name && isSameName(token, name)));
  let plain = queries.filter(({ body }) => !body.some(isWriteVerb));
  for (let count = -1; count !== plain.length; ) {
    count = plain.length;
    const others = queries.filter((query) => !plain.includes(query)).map(({ name }) => name);
    plain = plain.filter(({ body }) => readsNone(body, others));
  }
  const others = queries.filter((query) => !plain.includes(query)).map(({ name }) => name);
  if (!readsNone(within({ start: write.prefix.start, end: write.end }), others)) return undefined;
  const own = sql.slice(write.prefix.start, write.prefix.end);
  if (plain.length === 0) return own;
  if (own.trim() !== '') return undefined;
  const texts = plain.map(({ name, close }) => sql.slice(name.start, close.end));
  return `WITH ${isRecursive ? 'RECURSIVE ' : ''}${texts.join(', ')} `;
}

function isWriteVerb({ kind, text }: Token): boolean {
  return kind === 'word' && WRITES.has(text.toUpperCase());
}

/** A query in parentheses: it writes nothing, and what it gives goes nowhere else. */
function isQuery(tokens: readonly Token[]): boolean {
  const first = tokens.find(({ text }) => text !== '(');
  return (
    tokens[0]?.text === '(' && first?.kind === 'word' && /^(?:select|values|table|with)$/i.test(first.text)
  );
}

function writingQuery(
  tokens: readonly Token[],
  { name, columns, open, close }: SplitQuery,
  write: RowWrite,
): WritingQuery {
  const nameEnd = columns?.end ?? name.end;
  return {
    head: { start: name.start, end: open.end },
    name: { start: name.start, end: nameEnd },
    close: { start: close.start, end: close.end },
    write,
    isNamed: tokens.some((token) => token !== name && isSameName(token, name)),
  };
}

function isSameName(one: Token, other: Token): boolean {
  const name = ({ kind, text }: Token): string | undefined =>
    kind === 'quoted' ? text : kind === 'word' ? foldIdentifier(text) : undefined;
  return name(one) !== undefined && name(one) === name(other);
}

export function spanOf(tokens: readonly Token[]): Span {
  return { start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.end ?? 0 };
}
