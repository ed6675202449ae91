import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';
import type { Assignment } from './write-shape.js';

/**
 * The columns that an upsert assigns the very value by which it has found its row: those of
 * `ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id`. They are equal, and may still look different (1.0 and 1.00).
 *
 * @param clause from ON CONFLICT to its DO
 */
export function keptColumns(
  sql: string,
  clause: readonly Token[],
  assignments: readonly Assignment[],
): ReadonlySet<string> {
  const [, , open, ...rest] = clause;
  const close = rest.findIndex(({ text }) => text === ')');
  // Of an expression or another collation nobody knows what it is equal by.
  const isPlain = rest
    .slice(0, close)
    .every((token, at) => (at % 2 === 0 ? isName(token) : token.text === ','));
  if (open?.text !== '(' || close === -1 || !isPlain) return new Set();
  const found = new Set(rest.slice(0, close).filter(isName).map(nameOf));
  const kept = assignments.filter(({ column, expression }) => {
    const [excluded, dot, name, more] = tokenizePostgres(sql.slice(expression.start, expression.end));
    if (name === undefined || more !== undefined || dot?.text !== '.' || !isName(name)) return false;
    return excluded?.text.toLowerCase() === 'excluded' && nameOf(name) === column && found.has(column);
  });
  return new Set(kept.map(({ column }) => column));
}

function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'quoted';
}

function nameOf({ kind, text }: Token): string {
  return kind === 'quoted' ? text : foldIdentifier(text);
}
