import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';
import type { ReturnedColumn } from './write-shape.js';

/**
 * The columns of a RETURNING list by the names that they have where somebody reads them.
 *
 * @param qualifier of the target's columns, as written
 * @param isAlone no other table is joined to the target
 * @returns null where the text does not tell them
 */
export function returnedColumns(
  list: readonly Token[],
  qualifier: string,
  isAlone: boolean,
): readonly ReturnedColumn[] | null {
  const owner = nameOf(tokenizePostgres(qualifier)[0]);
  const columns = itemsOf(list).map((item) => columnOf(item, owner, isAlone));
  return columns.includes(undefined) ? null : columns.filter((column) => column !== undefined);
}

function columnOf(
  item: readonly Token[],
  owner: string | undefined,
  isAlone: boolean,
): ReturnedColumn | undefined {
  const last = item.at(-1);
  if (isPunctuation(last, '*')) {
    if (item.length === 1) return isAlone ? { isAll: true } : undefined;
    return item.length === 3 && item[1]?.text === '.' && nameOf(item[0]) === owner
      ? { isAll: true }
      : undefined;
  }
  const name = nameOf(last);
  const before = item.at(-2);
  if (name !== undefined) {
    // A name alone, the last one of a path, or what stands behind AS; a word behind an expression may be a label or not.
    const isPath = item.every((token, at) =>
      at % 2 === 0 ? nameOf(token) !== undefined : token.text === '.',
    );
    if (isPath)
      return last?.kind === 'word' && isConstant(last.text) && item.length === 1 ? undefined : { name };
    return before?.kind === 'word' && before.text.toUpperCase() === 'AS' ? { name } : undefined;
  }
  return functionName(item);
}

/** A call of one function gives its column the function's name. */
function functionName(item: readonly Token[]): ReturnedColumn | undefined {
  const open = item.findIndex((token) => isPunctuation(token, '('));
  const name = nameOf(item[open - 1]);
  const isPath = item
    .slice(0, open)
    .every((token, at) => (at % 2 === 0 ? nameOf(token) !== undefined : token.text === '.'));
  if (name === undefined || !isPath || closing(item, open) !== item.length - 1) return undefined;
  // Some that look like functions are grammar, of which the column has another name.
  return /^(?:row|array|exists|cast|extract|overlay|position|substring|trim|normalize|treat|grouping|xml\w*|json\w*|not|merge_action)$/.test(
    name,
  )
    ? undefined
    : { name };
}

function isConstant(word: string): boolean {
  return /^(?:null|true|false|default|(?:current|session|system)_\w+|localtime\w*|user)$/i.test(word);
}

/** What commas part outside of parentheses and brackets. */
function itemsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const items: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'punctuation' && /[([]/.test(token.text)) depth += 1;
    if (token.kind === 'punctuation' && /[)\]]/.test(token.text)) depth -= 1;
    if (depth === 0 && isPunctuation(token, ',')) items.push([]);
    else items.at(-1)?.push(token);
  }
  return items;
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (isPunctuation(tokens[at], '(')) depth += 1;
    if (isPunctuation(tokens[at], ')')) depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

function isPunctuation(token: Token | undefined, text: string): boolean {
  return token?.kind === 'punctuation' && token.text === text;
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'quoted') return token.text;
  return token?.kind === 'word' ? foldIdentifier(token.text) : undefined;
}
