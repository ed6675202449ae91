/** A token of SQL that matters to capturing; white space and comments are dropped. */
export interface Token {
  /** `word`: an unquoted identifier or keyword; `quoted`: a quoted identifier; `literal`: a string, blob or number. */
  readonly kind: 'word' | 'quoted' | 'literal' | 'parameter' | 'punctuation';
  /** The text without its quotes; a literal's text is the source text. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

// Databases take ASCII space only: a no-break space is part of a name. A byte order mark before a token is passed over.
const SPACE = /[\t-\r \uFEFF]/;
const WORD_START = /[A-Za-z_\u0080-\uFFFF]/;
const WORD_PART = /[A-Za-z0-9_$\u0080-\uFFFF]/;
const NUMBER = /(?:0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\u0080-\uFFFF]*)?\$/y;
const PARAMETER = /\?[0-9]*|[:@$][A-Za-z0-9_]+/y;

/**
 * Splits SQL of SQLite, PostgreSQL and MySQL into tokens, in linear time. It never throws: an unterminated string or
 * comment runs to the end of the text, as the database will say itself.
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let token = nextToken(sql, 0); token !== undefined; token = nextToken(sql, token.end))
    tokens.push(token);
  return tokens;
}

/** The first token that begins at `from` or behind it. */
export function nextToken(sql: string, from: number): Token | undefined {
  let at = from;
  while (at < sql.length) {
    const char = sql.charAt(at);
    if (SPACE.test(char)) {
      at += 1;
    } else if (char === '-' && sql.charAt(at + 1) === '-') {
      const end = sql.indexOf('\n', at);
      at = end === -1 ? sql.length : end + 1;
    } else if (char === '/' && sql.charAt(at + 1) === '*') {
      const end = sql.indexOf('*/', at + 2);
      at = end === -1 ? sql.length : end + 2;
    } else {
      return readToken(sql, at, char);
    }
  }
  return undefined;
}

/** Folds ASCII letters only, as SQLite does: `ä` and `Ä` are two names, and so are `K` and the Kelvin sign. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function readToken(sql: string, start: number, char: string): Token {
  if (char === "'") return literal(sql, start, quotedEnd(sql, start, "'"));
  if (char === '"' || char === '`') return quoted(sql, start, quotedEnd(sql, start, char), char);
  if (char === '[') {
    const close = sql.indexOf(']', start);
    const end = close === -1 ? sql.length : close + 1;
    return { kind: 'quoted', text: sql.slice(start + 1, close === -1 ? end : close), start, end };
  }
  if ((char === 'x' || char === 'X') && sql.charAt(start + 1) === "'") {
    return literal(sql, start, quotedEnd(sql, start + 1, "'"));
  }
  if (WORD_START.test(char)) {
    let end = start + 1;
    while (end < sql.length && WORD_PART.test(sql.charAt(end))) end += 1;
    return { kind: 'word', text: sql.slice(start, end), start, end };
  }
  const number = match(NUMBER, sql, start);
  if (number !== undefined) return literal(sql, start, number);
  if (char === '$') {
    const tag = match(DOLLAR_QUOTE, sql, start);
    if (tag !== undefined) {
      const close = sql.indexOf(sql.slice(start, tag), tag);
      return literal(sql, start, close === -1 ? sql.length : close + (tag - start));
    }
  }
  const parameter = match(PARAMETER, sql, start);
  if (parameter !== undefined) {
    return { kind: 'parameter', text: sql.slice(start, parameter), start, end: parameter };
  }
  return { kind: 'punctuation', text: char, start, end: start + 1 };
}

function match(pattern: RegExp, sql: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}

/** The index behind the closing quote; a doubled quote does not close. */
function quotedEnd(sql: string, start: number, quote: string): number {
  let at = start + 1;
  for (;;) {
    const close = sql.indexOf(quote, at);
    if (close === -1) return sql.length;
    if (sql.charAt(close + 1) !== quote) return close + 1;
    at = close + 2;
  }
}

function literal(sql: string, start: number, end: number): Token {
  return { kind: 'literal', text: sql.slice(start, end), start, end };
}

function quoted(sql: string, start: number, end: number, quote: string): Token {
  const isClosed = end - start > 1 && sql.charAt(end - 1) === quote;
  const inner = sql.slice(start + 1, isClosed ? end - 1 : end).replaceAll(quote + quote, quote);
  return { kind: 'quoted', text: inner, start, end };
}
