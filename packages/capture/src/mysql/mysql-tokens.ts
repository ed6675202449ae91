import type { Token } from '../tokenize.js';

/** What of `sql_mode` says how a text is split. */
export interface TokenMode {
  /** ANSI_QUOTES: double quotes are around names. */
  readonly hasQuotedNames: boolean;
  /** False under NO_BACKSLASH_ESCAPES. */
  readonly hasEscapes: boolean;
}

export const USUAL_MODE: TokenMode = { hasQuotedNames: false, hasEscapes: true };

/** The token that stands for the beginning of a comment whose content is run (`/*!`): what it does depends on the server. */
export const EXECUTABLE_COMMENT = '/*!';

// https://dev.mysql.com/doc/refman/8.0/en/identifiers.html, https://mariadb.com/kb/en/comment-syntax/
const SPACE = /[\t-\r ]/;
const WORD = /[0-9A-Za-z_$\u0080-\uFFFF]+/y;
const NUMBER =
  /(?:0[xX][0-9a-fA-F]+|0b[01]+|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?![0-9A-Za-z_$\u0080-\uFFFF])/y;
const PREFIXED = /[xXbBnN](?=')/y;
const VARIABLE = /@@?[0-9A-Za-z_$.\u0080-\uFFFF]*/y;
const RUN_COMMENT = /\/\*M?!/y;

/** Splits SQL as MySQL and MariaDB do, in linear time. It never throws: what is not closed runs to the end of the text. */
export function tokenizeMysql(sql: string, mode: TokenMode = USUAL_MODE): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = skipSpace(sql, at);
    if (at >= sql.length) return tokens;
    const token = readToken(sql, at, mode, tokens.at(-1));
    tokens.push(token);
    at = token.end;
  }
}

function skipSpace(sql: string, from: number): number {
  let at = from;
  for (;;) {
    const char = sql.charAt(at);
    if (char !== '' && SPACE.test(char)) at += 1;
    else if (char === '#' || (sql.startsWith('--', at) && isLineComment(sql.charAt(at + 2)))) {
      const end = sql.indexOf('\n', at);
      at = end === -1 ? sql.length : end + 1;
    } else if (sql.startsWith('/*', at) && match(RUN_COMMENT, sql, at) === undefined) {
      const end = sql.indexOf('*/', at + 2);
      at = end === -1 ? sql.length : end + 2;
    } else if (sql.startsWith('*/', at)) {
      // The end of a comment whose content is run.
      at += 2;
    } else return at;
  }
}

/** Two dashes alone are an operator. */
function isLineComment(next: string): boolean {
  return next === '' || SPACE.test(next) || next.charCodeAt(0) < 32;
}

function readToken(sql: string, start: number, mode: TokenMode, previous: Token | undefined): Token {
  const char = sql.charAt(start);
  const quotesName = char === '`' || (char === '"' && mode.hasQuotedNames);
  if (quotesName) {
    const end = quotedEnd(sql, start, char, false);
    const text = sql.slice(start + 1, end - 1).replaceAll(char + char, char);
    return { kind: 'quoted', text, start, end };
  }
  if (char === "'" || char === '"') return literal(sql, start, quotedEnd(sql, start, char, mode.hasEscapes));
  const comment = match(RUN_COMMENT, sql, start);
  if (comment !== undefined) return { kind: 'punctuation', text: EXECUTABLE_COMMENT, start, end: comment };
  if (char === '?') return { kind: 'parameter', text: char, start, end: start + 1 };
  if (char === '@') return literal(sql, start, variableEnd(sql, start));
  if (match(PREFIXED, sql, start) !== undefined) {
    return literal(sql, start, quotedEnd(sql, start + 1, "'", mode.hasEscapes));
  }
  // Behind a dot digits begin a name.
  const number = isName(previous, sql, start) ? undefined : match(NUMBER, sql, start);
  if (number !== undefined) return literal(sql, start, number);
  const word = match(WORD, sql, start);
  if (word !== undefined) return { kind: 'word', text: sql.slice(start, word), start, end: word };
  return { kind: 'punctuation', text: char, start, end: start + 1 };
}

function isName(previous: Token | undefined, sql: string, start: number): boolean {
  return previous?.text === '.' && previous.end === start && sql.charAt(start) !== '.';
}

function variableEnd(sql: string, start: number): number {
  const end = match(VARIABLE, sql, start) ?? start + 1;
  const quote = sql.charAt(end);
  const isQuoted = end === start + 1 && (quote === '`' || quote === "'" || quote === '"');
  return isQuoted ? quotedEnd(sql, end, quote, false) : end;
}

function match(pattern: RegExp, sql: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}

/** The index behind the closing quote; a doubled quote does not close, nor does one behind a backslash. */
function quotedEnd(sql: string, start: number, quote: string, hasEscapes: boolean): number {
  let at = start + 1;
  while (at < sql.length) {
    const char = sql.charAt(at);
    if (hasEscapes && char === '\\') at += 2;
    else if (char !== quote) at += 1;
    else if (sql.charAt(at + 1) === quote) at += 2;
    else return at + 1;
  }
  return sql.length;
}

function literal(sql: string, start: number, end: number): Token {
  return { kind: 'literal', text: sql.slice(start, end), start, end };
}

/** A name as it stands in a statement. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
