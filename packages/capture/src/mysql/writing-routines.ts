import type { Token } from '../tokenize.js';
import { type TokenMode, tokenizeMysql } from './mysql-tokens.js';

const WRITES = new Set([
  'INSERT',
  'REPLACE',
  'UPDATE',
  'DELETE',
  'TRUNCATE',
  'CALL',
  'EXECUTE',
  'LOAD',
  'DO',
  'CREATE',
  'DROP',
  'ALTER',
]);

/**
 * True if the body of a trigger or a routine may write rows: it holds a statement that does, or calls a function of which
 * that is not known. `REPLACE(…)` and `INSERT(…)` are functions too.
 */
export function mayWriteRows(
  body: string,
  mode: TokenMode,
  isOwnFunction: (name: string) => boolean = () => false,
): boolean {
  if (body === '') return true;
  const tokens = tokenizeMysql(body, mode);
  return tokens.some((token, at) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return false;
    const isCall = tokens[at + 1]?.text === '(' && tokens[at + 1]?.kind === 'punctuation';
    if (isCall && isOwnFunction(token.text.toLowerCase())) return true;
    // A function of a database, or one that is quoted, is none of the server's own.
    if (isCall && (token.kind === 'quoted' || tokens[at - 1]?.text === '.')) return true;
    return token.kind === 'word' && WRITES.has(token.text.toUpperCase()) && !isFunction(tokens, at, isCall);
  });
}

function isFunction(tokens: readonly Token[], at: number, isCall: boolean): boolean {
  const before = tokens[at - 1];
  const isColumn = before?.text === '.' && before.kind === 'punctuation';
  if (isColumn) return true;
  const word = tokens[at]?.text.toUpperCase();
  // FOR UPDATE locks, and ON DUPLICATE KEY UPDATE stands behind an INSERT.
  if (word === 'UPDATE' && /^(?:FOR|ON|KEY)$/i.test(before?.text ?? '')) return true;
  return isCall && (word === 'REPLACE' || word === 'INSERT' || word === 'TRUNCATE');
}

/** The functions of these that the statement calls. */
export function callsOf(tokens: readonly Token[], functions: ReadonlySet<string>): readonly string[] {
  if (functions.size === 0) return [];
  const called = tokens.flatMap(({ kind, text }, at) => {
    const isName = kind === 'word' || kind === 'quoted';
    return isName && tokens[at + 1]?.text === '(' && functions.has(text.toLowerCase()) ? [text] : [];
  });
  return [...new Set(called)];
}
