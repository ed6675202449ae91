import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';

/**
 * What each column of a view that the database writes through is of its base table, by position; null for what is computed.
 *
 * @param definition as `pg_get_viewdef` writes it
 */
export function viewColumns(definition: string): readonly (string | null)[] {
  const [first, ...tokens] = tokenizePostgres(definition);
  if (first?.text !== 'SELECT') return [];
  const columns: (string | null)[] = [];
  let item: Token[] = [];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'punctuation' && /[([]/.test(token.text)) depth += 1;
    if (token.kind === 'punctuation' && /[)\]]/.test(token.text)) depth -= 1;
    const isEnd = depth === 0 && token.kind === 'word' && token.text === 'FROM';
    if (isEnd || (depth === 0 && token.kind === 'punctuation' && token.text === ',')) {
      columns.push(columnOf(item));
      item = [];
      if (isEnd) return columns;
    } else item.push(token);
  }
  return [];
}

/** `name`, `table.name`, or one of them with AS. */
function columnOf(item: readonly Token[]): string | null {
  const as = item.at(-2);
  const path = as?.kind === 'word' && as.text === 'AS' ? item.slice(0, -2) : item;
  const isPath =
    path.length % 2 === 1 &&
    path.every((token, at) => (at % 2 === 0 ? nameOf(token) !== undefined : token.text === '.'));
  return isPath ? (nameOf(path.at(-1)) ?? null) : null;
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'quoted') return token.text;
  return token?.kind === 'word' ? foldIdentifier(token.text) : undefined;
}
