import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';

const QUERIES = new Set(['SELECT', 'VALUES', 'TABLE', 'WITH']);

/**
 * The names in a condition that can mean a column of the target and of nothing else. Those in sub-selects are left out.
 *
 * @param qualifier of the target's columns, as written
 * @param isAlone no other table is there whose column a name without a qualifier could mean
 */
export function columnNames(
  condition: readonly Token[],
  qualifier: string,
  isAlone: boolean,
): ReadonlySet<string> {
  const owner = nameOf(tokenizePostgres(qualifier)[0]);
  const names = new Set<string>();
  let depth = 0;
  let queryDepth = Number.POSITIVE_INFINITY;
  for (const [at, token] of condition.entries()) {
    if (token.kind === 'punctuation') {
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
      if (depth < queryDepth) queryDepth = Number.POSITIVE_INFINITY;
      continue;
    }
    if (token.kind === 'word' && QUERIES.has(token.text.toUpperCase()))
      queryDepth = Math.min(queryDepth, depth);
    const name = nameOf(token);
    if (name === undefined || depth >= queryDepth || isFollowed(condition[at + 1])) continue;
    const isQualified = condition[at - 1]?.text === '.';
    if (isQualified ? nameOf(condition[at - 2]) === owner : isAlone) names.add(name);
  }
  return names;
}

/** By arguments or by more of the name. */
function isFollowed(next: Token | undefined): boolean {
  return next?.kind === 'punctuation' && (next.text === '(' || next.text === '.');
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'quoted') return token.text;
  return token?.kind === 'word' ? foldIdentifier(token.text) : undefined;
}
