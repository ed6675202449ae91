import type { Token } from '../tokenize.js';
import { tokenizePostgres } from './postgres-tokens.js';

/**
 * An expression that gives NULL where the condition holds, and otherwise what the assigned expression gives. Its type is that
 * of the assigned expression, so that it is cast in the assignment as it would have been; a literal or a parameter, which has
 * none of its own, takes that of the column.
 *
 * @param type of the column that it is assigned to
 */
export function unassigned(condition: string, expression: string, type: string): string {
  const nothing = isUntyped(expression) ? `NULL::${type}` : 'NULL';
  return `(CASE WHEN ${condition} THEN ${nothing} ELSE (${expression}) END)`;
}

/** False for ROW(…), which becomes a composite value only where it is assigned itself. */
export function canBeUnassigned(expression: string): boolean {
  const tokens = withoutParentheses(tokenizePostgres(expression));
  let depth = 0;
  for (const { kind, text } of tokens) {
    if (kind !== 'punctuation') continue;
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (text === ',' && depth === 0) return false;
  }
  return tokens[0]?.text.toUpperCase() !== 'ROW';
}

function isUntyped(expression: string): boolean {
  const [token, more] = withoutParentheses(tokenizePostgres(expression));
  if (token === undefined || more !== undefined) return false;
  if (token.kind === 'parameter') return true;
  if (token.kind === 'word') return token.text.toUpperCase() === 'NULL';
  return token.kind === 'literal' && /^(?:'|\$|[eE]'|[uU]&')/.test(token.text);
}

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens;
  while (isWrapped(inner)) inner = inner.slice(1, -1);
  return inner;
}

function isWrapped(tokens: readonly Token[]): boolean {
  if (tokens[0]?.text !== '(' || tokens[0].kind !== 'punctuation') return false;
  let depth = 0;
  return tokens.every(({ kind, text }, at) => {
    if (kind === 'punctuation' && text === '(') depth += 1;
    if (kind === 'punctuation' && text === ')') depth -= 1;
    return depth > 0 || at === tokens.length - 1;
  });
}
