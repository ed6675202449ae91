import type { Token } from '../tokenize.js';
import type { NamedTable } from './write-shape.js';

const JOINS = new Set(['JOIN', 'STRAIGHT_JOIN']);
const NO_ALIAS = new Set([
  ...JOINS,
  'INNER',
  'CROSS',
  'LEFT',
  'RIGHT',
  'NATURAL',
  'ON',
  'USING',
  'SET',
  'WHERE',
  'ORDER',
  'LIMIT',
  'RETURNING',
  'PARTITION',
  'USE',
  'FORCE',
  'IGNORE',
  'FOR',
  'VALUES',
  'VALUE',
  'SELECT',
  'TABLE',
  'WITH',
]);

export interface ReadTables {
  readonly tables: readonly NamedTable[];
  /** A join, a list, or parentheses. */
  readonly isMulti: boolean;
}

/** Reads the tables of a FROM clause, those of sub-selects left out. @returns undefined where it can not be read */
export function readTables(sql: string, tokens: readonly Token[]): ReadTables | undefined {
  const tables: NamedTable[] = [];
  let isMulti = false;
  let isExpected = true;
  let depth = 0;
  let at = 0;
  while (at < tokens.length) {
    const token = tokens[at];
    const text = token?.kind === 'punctuation' ? token.text : '';
    const word = token?.kind === 'word' ? token.text.toUpperCase() : '';
    if (isExpected && text === '(') {
      isMulti = true;
      if (/^(?:SELECT|VALUES|WITH|TABLE)$/i.test(tokens[at + 1]?.text ?? '')) {
        at = readAlias(sql, tokens, closing(tokens, at) + 1).next;
        isExpected = false;
      } else {
        depth += 1;
        at += 1;
      }
    } else if (isExpected) {
      const named = readTable(sql, tokens, at);
      if (named === undefined) return undefined;
      tables.push(named.table);
      at = named.next;
      isExpected = false;
    } else if (JOINS.has(word) || text === ',') {
      isMulti = true;
      isExpected = true;
      at += 1;
    } else if (text === '(') {
      at = closing(tokens, at) + 1;
    } else {
      if (text === ')') depth -= 1;
      at += 1;
    }
  }
  return depth === 0 && tables.length > 0 ? { tables, isMulti } : undefined;
}

/** One table with its alias. */
export function readTable(
  sql: string,
  tokens: readonly Token[],
  from: number,
): { readonly table: NamedTable; readonly next: number } | undefined {
  let schema: string | null = null;
  let at = from;
  for (;;) {
    const token = tokens[at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    at += 1;
    if (tokens[at]?.text !== '.' || tokens[at]?.kind !== 'punctuation') {
      const name = token.text;
      if (tokens[at]?.kind === 'word' && tokens[at]?.text.toUpperCase() === 'PARTITION') {
        at = closing(tokens, at + 1) + 1;
      }
      const { alias, next } = readAlias(sql, tokens, at);
      const written = sql.slice(token.start, token.end);
      const table = { schema, name, qualifier: alias?.written ?? written, alias: alias?.name ?? name };
      return { table, next };
    }
    at += 1;
    schema = token.text;
  }
}

function readAlias(
  sql: string,
  tokens: readonly Token[],
  from: number,
): { readonly alias?: { readonly written: string; readonly name: string }; readonly next: number } {
  const hasAs = tokens[from]?.kind === 'word' && tokens[from].text.toUpperCase() === 'AS';
  const token = tokens[hasAs ? from + 1 : from];
  const isName =
    token?.kind === 'quoted' ||
    (token?.kind === 'word' && (hasAs || !NO_ALIAS.has(token.text.toUpperCase())));
  if (token === undefined || !isName) return { next: hasAs ? from + 1 : from };
  const alias = { written: sql.slice(token.start, token.end), name: token.text };
  return { alias, next: (hasAs ? from + 1 : from) + 1 };
}

/** The index of the parenthesis that closes the one at `open`; the number of tokens where none does. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token?.kind !== 'punctuation') continue;
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
}
