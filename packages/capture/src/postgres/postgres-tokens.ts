import type { Token } from '../tokenize.js';

// https://www.postgresql.org/docs/current/sql-syntax-lexical.html
const SPACE = /[ \t\n\r\f\v]/;
// A carriage return alone ends a comment too: a statement could hide behind it.
const LINE_END = /[\n\r]/g;
const WORD = /[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_$\u0080-\uFFFF]*/y;
const NUMBER =
  /(?:0[xXoObB][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\u0080-\uFFFF]*)?\$/y;
const PARAMETER = /\$[0-9]+/y;
/** A letter or two right before a quote: escapes, bits, Unicode. */
const PREFIX = /[eEbBxXnN]|[uU]&/y;

/**
 * Splits SQL as PostgreSQL does, with standard_conforming_strings on, in linear time. It never throws: what is not closed
 * runs to the end of the text, as the database will say itself.
 */
export function tokenizePostgres(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = skipSpace(sql, at);
    if (at >= sql.length) return tokens;
    const token = readToken(sql, at);
    tokens.push(token);
    at = token.end;
  }
}

function skipSpace(sql: string, from: number): number {
  let at = from;
  for (;;) {
    const char = sql.charAt(at);
    if (char !== '' && SPACE.test(char)) {
      at += 1;
    } else if (char === '-' && sql.charAt(at + 1) === '-') {
      LINE_END.lastIndex = at;
      at = LINE_END.test(sql) ? LINE_END.lastIndex : sql.length;
    } else if (char === '/' && sql.charAt(at + 1) === '*') {
      at = commentEnd(sql, at + 2);
    } else {
      return at;
    }
  }
}

/** Comments nest. */
function commentEnd(sql: string, from: number): number {
  let depth = 1;
  let at = from;
  while (depth > 0) {
    const close = sql.indexOf('*/', at);
    if (close === -1) return sql.length;
    const open = sql.indexOf('/*', at);
    const opens = open !== -1 && open < close;
    depth += opens ? 1 : -1;
    at = (opens ? open : close) + 2;
  }
  return at;
}

function readToken(sql: string, start: number): Token {
  const char = sql.charAt(start);
  if (char === "'") return literal(sql, start, quotedEnd(sql, start, "'", false));
  if (char === '"') return quoted(sql, start, start);
  const prefix = match(PREFIX, sql, start);
  if (prefix !== undefined) {
    const quote = sql.charAt(prefix);
    if (quote === "'") return literal(sql, start, quotedEnd(sql, prefix, "'", char === 'e' || char === 'E'));
    if (quote === '"' && prefix - start === 2) return quoted(sql, start, prefix);
  }
  const word = match(WORD, sql, start);
  if (word !== undefined) return { kind: 'word', text: sql.slice(start, word), start, end: word };
  const number = match(NUMBER, sql, start);
  if (number !== undefined) return literal(sql, start, number);
  if (char === '$') {
    const parameter = match(PARAMETER, sql, start);
    if (parameter !== undefined) {
      return { kind: 'parameter', text: sql.slice(start, parameter), start, end: parameter };
    }
    const tag = match(DOLLAR_QUOTE, sql, start);
    if (tag !== undefined) {
      const close = sql.indexOf(sql.slice(start, tag), tag);
      return literal(sql, start, close === -1 ? sql.length : close + (tag - start));
    }
  }
  return { kind: 'punctuation', text: char, start, end: start + 1 };
}

function match(pattern: RegExp, sql: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}

/** The index behind the closing quote; a doubled quote does not close, nor does one behind a backslash in `E'…'`. */
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

/** `U&"…"` is read with the backslash as its escape; with another one (UESCAPE) no table is found by it. */
function quoted(sql: string, start: number, quote: number): Token {
  const end = quotedEnd(sql, quote, '"', false);
  const text = sql.slice(quote + 1, end - 1).replaceAll('""', '"');
  return { kind: 'quoted', text: quote === start ? text : withoutEscapes(text), start, end };
}

function withoutEscapes(text: string): string {
  return text.replace(
    /\\(?:\\|\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4}))/g,
    (all, long?: string, short?: string) => {
      if (long === undefined && short === undefined) return '\\';
      const code = Number.parseInt(long ?? short ?? '', 16);
      return code > 0x10ffff ? all : String.fromCodePoint(code);
    },
  );
}

/** Unquoted names are folded to lower case; PostgreSQL folds ASCII letters and leaves the others in a UTF-8 database. */
export function foldIdentifier(word: string): string {
  return word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
