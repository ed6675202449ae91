const VALUES = /values\s*\(/gi;
const MAX_COLUMNS = 8_192;
const QUOTES = /^[\s"'`[\]]+|[\s"'`[\]]+$/g;
/** What stands for a value and is none. */
const NO_VALUE = /^(?:null|default|true|false|\?\d*|[$:@]\w+|%s|%\(\w+\)s)$/i;
const SPACE = /\s*/y;

type IsSecret = (name: string) => boolean;

/**
 * Replaces the values of secret columns in the rows of a SQL text, `INSERT INTO t (name, password) VALUES ('ada', 'x')`.
 * Without the names of the columns nothing can be told. Linear in the length of the text.
 */
export function replaceSqlValues(
  text: string,
  isSecret: IsSecret,
  replace: (value: string) => string,
): string {
  let out = '';
  let done = 0;
  VALUES.lastIndex = 0;
  for (let match = VALUES.exec(text); match !== null; match = VALUES.exec(text)) {
    const secrets = secretColumns(text, match.index, isSecret);
    if (secrets === undefined) continue;
    let at = VALUES.lastIndex;
    for (let row = true; row; ) {
      for (let column = 0; ; column++) {
        const end = itemEnd(text, at);
        if (secrets.has(column)) {
          const masked = replaceItem(text.slice(at, end), replace);
          out += text.slice(done, at) + masked;
          done = end;
        }
        at = end + 1;
        if (text[end] !== ',') break;
      }
      const comma = skipSpace(text, at);
      const open = text[comma] === ',' ? skipSpace(text, comma + 1) : -1;
      row = open !== -1 && text[open] === '(';
      if (row) at = open + 1;
    }
    // The rows may hold the word themselves.
    VALUES.lastIndex = Math.min(at, text.length);
  }
  return done === 0 ? text : out + text.slice(done);
}

/** The places of secret columns in the list before `VALUES`; undefined where there is none. */
function secretColumns(text: string, valuesAt: number, isSecret: IsSecret): ReadonlySet<number> | undefined {
  const floor = Math.max(0, valuesAt - MAX_COLUMNS);
  const before = text.slice(floor, valuesAt).trimEnd();
  if (!before.endsWith(')')) return undefined;
  const open = before.lastIndexOf('(');
  if (open === -1) return undefined;
  const names = before.slice(open + 1, -1).split(',');
  const found = names.flatMap((name, at) => (isSecret(name.replace(QUOTES, '')) ? [at] : []));
  return found.length === 0 ? undefined : new Set(found);
}

/** The position of the `,` or `)` behind an item, or the end of a text that was cut. */
function itemEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const unit = text[at];
    if (unit === "'" || unit === '"' || unit === '`') at = stringEnd(text, at);
    else if (unit === '(' || unit === '[') depth++;
    else if (depth > 0 && (unit === ')' || unit === ']')) depth--;
    else if (depth === 0 && (unit === ',' || unit === ')')) return at;
  }
  return text.length;
}

/** The position of the closing quote; a doubled one, or one behind a backslash, closes nothing. */
function stringEnd(text: string, open: number): number {
  const quote = text[open];
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at;
      at++;
    }
  }
  return text.length;
}

/** Keeps the blanks and the quotes around a value. */
function replaceItem(item: string, replace: (value: string) => string): string {
  const value = item.trim();
  if (value === '' || NO_VALUE.test(value)) return item;
  const start = item.indexOf(value);
  const quote = value[0] === "'" || value[0] === '"' ? value[0] : '';
  const isString = quote !== '' && stringEnd(value, 0) >= value.length - 1;
  const inner = isString ? value.slice(1, value.endsWith(quote) && value.length > 1 ? -1 : undefined) : value;
  if (inner === '' || inner.startsWith('[masked]')) return item;
  const closing = isString && value.length > 1 && value.endsWith(quote) ? quote : '';
  return `${item.slice(0, start)}${isString ? quote : ''}${replace(inner)}${closing}${item.slice(start + value.length)}`;
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}
