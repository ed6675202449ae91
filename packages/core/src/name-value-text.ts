import { blockValue, partValue } from './text-blocks.js';

const MAX_NAME = 256;
const MAX_GAP = 32;
const LITERAL = /^(?:true|false|null|undefined)$/;
const LINE_NAME = /authorization|cookie/i;

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Replaces the values of secret names in text that is no JSON, or no whole JSON: `password=x&…`, `"token":"x"`,
 * `apiKey: x`, `Cookie: a=b; c=d`, `<pin>1</pin>`, blocks of YAML, parts of forms, also with the backslashes of JSON within JSON. Where the end of a value
 * can not be told, more is replaced rather than less. Linear in the length of the text.
 *
 * @param isSecret judges a name
 * @param replace is given the value as it stands there, percent-decoded
 */
export function replaceNamedValues(
  text: string,
  isSecret: (name: string) => boolean,
  replace: (value: string) => string,
): string {
  // The names in resource names (RFC 8141) are no names of values.
  if (/^\s*(?:arn|urn):/i.test(text)) return text;
  let out = '';
  let done = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    let span: Span | undefined;
    if (unit === 61 || unit === 58) span = namedValue(text, at, done, isSecret);
    else if (unit === 62) span = elementValue(text, at, done, isSecret);
    if (span === undefined || span.to <= span.from) continue;
    const value = text.slice(span.from, span.to);
    if (LITERAL.test(value.trim()) || value.startsWith('[masked]')) continue;
    out += text.slice(done, span.from) + replace(decode(value));
    done = span.to;
    at = span.to - 1;
  }
  return done === 0 ? text : out + text.slice(done);
}

/** The value behind the `=` or `:` at a position, if the name before it is secret. */
function namedValue(
  text: string,
  at: number,
  done: number,
  isSecret: (name: string) => boolean,
): Span | undefined {
  const isColon = text[at] === ':';
  if (isColon && text.startsWith('//', at + 1)) return undefined;
  let end = at;
  while (end > done && at - end < MAX_GAP && isBlank(text.charCodeAt(end - 1))) end--;
  const quote = text[end - 1];
  const isQuoted = quote === '"' || quote === "'" || quote === '`';
  let name: string;
  let nameAt: number;
  if (isQuoted) {
    let nameEnd = end - 1;
    while (nameEnd > done && at - nameEnd < MAX_NAME && text[nameEnd - 1] === '\\') nameEnd--;
    const floor = Math.max(done, nameEnd - MAX_NAME);
    const open = nameEnd > floor ? text.slice(floor, nameEnd).lastIndexOf(quote) : -1;
    nameAt = floor + open;
    name = text.slice(nameAt + 1, nameEnd);
  } else {
    let start = end;
    const floor = Math.max(done, end - MAX_NAME);
    let blanks = 0;
    // In prose a name has several words, `card number: …`.
    while (
      start > floor &&
      (isNameUnit(text.charCodeAt(start - 1)) || (isColon && text[start - 1] === ' ' && ++blanks < 3))
    )
      start--;
    name = text.slice(start, end);
    nameAt = start;
  }
  if (name === 'name' && !isColon) {
    const part = namedPart(text, at, isSecret);
    if (part !== undefined) return part;
  }
  if (!hasLetters(name) || !isSecret(decodeName(name))) return undefined;
  const value = valueAfter(text, at, isColon, isQuoted, LINE_NAME.test(name));
  if (!isColon) return value;
  return blockValue(text, nameAt + name.search(/[^\s-]|$/), value.from) ?? value;
}

/** The value of a part of a form whose `name="…"` is secret. */
function namedPart(text: string, at: number, isSecret: (name: string) => boolean): Span | undefined {
  const name = /^\\?"([^"\\]{3,256})\\?"|^([\w.[\]-]{3,256})/.exec(text.slice(at + 1, at + 1 + MAX_NAME));
  const said = name?.[1] ?? name?.[2];
  return said !== undefined && isSecret(decodeName(said)) ? partValue(text, at) : undefined;
}

function valueAfter(text: string, at: number, isColon: boolean, isQuoted: boolean, isLine: boolean): Span {
  let from = at + 1;
  // `:=`, `==`, `=>`
  if (text[from] === '=' || (!isColon && text[from] === '>')) from++;
  const limit = from + MAX_GAP;
  while (from < limit && isSpace(text.charCodeAt(from))) from++;
  let open = from;
  while (text[open] === '\\') open++;
  const quote = text[open];
  if (quote === '"' || quote === "'" || quote === '`') {
    return { from: open + 1, to: closingQuote(text, open, open - from) };
  }
  if (quote === '{' || quote === '[') return { from, to: closingBracket(text, open) };
  const stop =
    isLine && isColon ? /[\r\n]/g : isQuoted ? /[,}\]\s]/g : isColon ? /[,;](?=\s)|[\r\n"<>&]/g : /[&\s"<>]/g;
  stop.lastIndex = from;
  return { from, to: stop.exec(text)?.index ?? text.length };
}

/** The position of the quote that closes a string, which has as many backslashes before it as the opening one. */
function closingQuote(text: string, open: number, backslashes: number): number {
  const quote = text[open] as string;
  for (let at = text.indexOf(quote, open + 1); at !== -1; at = text.indexOf(quote, at + 1)) {
    let before = at;
    while (before > open + 1 && text[before - 1] === '\\') before--;
    const count = at - before;
    // An even number more are escaped backslashes of the value itself.
    if (count === backslashes || (backslashes === 0 && count % 2 === 0)) return at - backslashes;
  }
  return text.length;
}

function closingBracket(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const unit = text[at];
    if (unit === '{' || unit === '[') depth++;
    else if ((unit === '}' || unit === ']') && --depth === 0) return at + 1;
  }
  return text.length;
}

/** The text of the XML element whose start tag ends at a position. */
function elementValue(
  text: string,
  at: number,
  done: number,
  isSecret: (name: string) => boolean,
): Span | undefined {
  const floor = Math.max(done, at - MAX_NAME);
  const open = floor + text.slice(floor, at).lastIndexOf('<');
  if (text[open] !== '<' || text[open + 1] === '/' || text[at - 1] === '/') return undefined;
  const name = /^[\w:.-]+/.exec(text.slice(open + 1, at))?.[0];
  if (name === undefined || name.length < 3 || !isSecret(name)) return undefined;
  const end = text.indexOf('</', at);
  return { from: at + 1, to: end === -1 ? text.length : end };
}

/** Three at least, as the shortest secret name: times and numbers are no names. */
function hasLetters(name: string): boolean {
  let letters = 0;
  for (let index = 0; index < name.length && letters < 3; index++) {
    const unit = name.charCodeAt(index);
    if ((unit | 32) >= 97 && unit !== 123 && unit !== 124 && unit !== 125) letters++;
  }
  return letters >= 3;
}

function decodeName(name: string): string {
  const unescaped = name.includes('\\u')
    ? name.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : name;
  return decode(unescaped);
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isBlank(unit: number): boolean {
  return unit === 32 || unit === 9;
}

function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13);
}

/** Letters, digits, `_ - . + $ % [ ] \`, and whatever is not ASCII. */
function isNameUnit(unit: number): boolean {
  return (
    (unit >= 97 && unit <= 122) ||
    (unit >= 65 && unit <= 93) ||
    (unit >= 48 && unit <= 57) ||
    unit === 95 ||
    unit === 45 ||
    unit === 46 ||
    unit === 36 ||
    unit === 37 ||
    unit === 43 ||
    unit > 127
  );
}
