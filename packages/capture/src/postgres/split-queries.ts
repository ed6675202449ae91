import type { Token } from '../tokenize.js';

/** One query of WITH. */
export interface SplitQuery {
  readonly name: Token;
  /** From the parenthesis that opens the names of its columns to the one that closes them. */
  readonly columns: { readonly start: number; readonly end: number } | undefined;
  readonly open: Token;
  readonly close: Token;
  readonly body: readonly Token[];
}

export interface SplitQueries {
  readonly queries: readonly SplitQuery[];
  readonly isRecursive: boolean;
  /** What stands behind them. */
  readonly main: readonly Token[];
}

/**
 * Parts a statement that begins with WITH: `WITH [RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (query)`, each but the
 * last with a comma behind it, and what follows.
 *
 * @returns undefined where it is not of this form: with SEARCH or CYCLE, which only queries have that write nothing
 */
export function splitQueries(tokens: readonly Token[]): SplitQueries | undefined {
  const queries: SplitQuery[] = [];
  const isRecursive =
    isWord(tokens[1], 'RECURSIVE') && !isPunctuation(tokens[2], '(') && !isWord(tokens[2], 'AS');
  let at = isRecursive ? 2 : 1;
  for (;;) {
    const name = tokens[at];
    if (name?.kind !== 'word' && name?.kind !== 'quoted') return undefined;
    at += 1;
    let columns: SplitQuery['columns'];
    if (isPunctuation(tokens[at], '(')) {
      const end = closing(tokens, at);
      columns = { start: tokens[at]?.start ?? 0, end: tokens[end]?.end ?? 0 };
      at = end + 1;
    }
    if (!isWord(tokens[at], 'AS')) return undefined;
    at += 1;
    if (isWord(tokens[at], 'NOT')) at += 1;
    if (isWord(tokens[at], 'MATERIALIZED')) at += 1;
    const [open, end] = [tokens[at], closing(tokens, at)];
    const close = tokens[end];
    if (!isPunctuation(open, '(') || close === undefined) return undefined;
    queries.push({ name, columns, open, close, body: tokens.slice(at + 1, end) });
    at = end + 1;
    if (!isPunctuation(tokens[at], ',')) break;
    at += 1;
  }
  const main = tokens.slice(at);
  // A second WITH is none of SQL's.
  return main.length === 0 || isWord(main[0], 'WITH') ? undefined : { queries, isRecursive, main };
}

/** Where the parenthesis closes that opens at `open`; the number of tokens where it does not. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (isPunctuation(tokens[at], '(')) depth += 1;
    if (isPunctuation(tokens[at], ')')) depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

function isPunctuation(token: Token | undefined, text: string): token is Token {
  return token?.kind === 'punctuation' && token.text === text;
}
