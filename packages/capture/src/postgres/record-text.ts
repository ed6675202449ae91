/** The values of an array: NULL is null, and the rows of an array of more dimensions are arrays themselves. */
export type ArrayItems = readonly (string | null | ArrayItems)[];

const RECORD_SPECIAL = /[",)]/g;
const QUOTE_OR_BACKSLASH = /["\\]/g;

/**
 * The fields of a composite value as record output writes them; null for NULL. A value without any column looks like one
 * of a single NULL.
 *
 * @throws TypeError where the text is no record; it holds nothing of the text
 */
export function parseRecord(text: string): readonly (string | null)[] {
  if (!text.startsWith('(')) throw new TypeError('this is no record');
  const fields: (string | null)[] = [];
  for (let at = 1; ; ) {
    const end = plainEnd(text, at);
    const mark = text.charAt(end);
    if (mark === '"') {
      const quoted = readQuoted(text, end);
      fields.push(quoted.value);
      at = quoted.end;
    } else {
      fields.push(end === at ? null : text.slice(at, end));
      at = end;
    }
    const delimiter = text.charAt(at);
    at += 1;
    if (delimiter === ')' && at === text.length) return fields;
    if (delimiter !== ',') throw new TypeError('this is no record');
  }
}

function plainEnd(text: string, at: number): number {
  RECORD_SPECIAL.lastIndex = at;
  return RECORD_SPECIAL.exec(text)?.index ?? text.length;
}

/**
 * The values of an array as array output writes them.
 *
 * @param delimiter of the type of its items: `,` for all that PostgreSQL brings along but `box`
 * @throws TypeError where the text is no array; it holds nothing of the text
 */
export function parseArray(text: string, delimiter = ','): ArrayItems {
  // Bounds other than 1 are told first: `[0:1]={a,b}`.
  const start = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  const { items, end } = readItems(text, start, delimiter);
  if (end !== text.length) throw new TypeError('this is no array');
  return items;
}

interface Items {
  readonly items: ArrayItems;
  /** Behind the closing brace. */
  readonly end: number;
}

function readItems(text: string, start: number, delimiter: string): Items {
  if (text.charAt(start) !== '{') throw new TypeError('this is no array');
  if (text.charAt(start + 1) === '}') return { items: [], end: start + 2 };
  const items: (string | null | ArrayItems)[] = [];
  for (let at = start + 1; ; ) {
    const first = text.charAt(at);
    if (first === '{') {
      const inner = readItems(text, at, delimiter);
      items.push(inner.items);
      at = inner.end;
    } else if (first === '"') {
      const quoted = readQuoted(text, at);
      items.push(quoted.value);
      at = quoted.end;
    } else {
      const end = itemEnd(text, at, delimiter);
      const item = text.slice(at, end);
      items.push(item === 'NULL' ? null : item);
      at = end;
    }
    const next = text.charAt(at);
    at += 1;
    if (next === '}') return { items, end: at };
    if (next !== delimiter) throw new TypeError('this is no array');
  }
}

function itemEnd(text: string, start: number, delimiter: string): number {
  let at = start;
  while (at < text.length && text.charAt(at) !== delimiter && text.charAt(at) !== '}') at += 1;
  return at;
}

/** From an opening quote: a quote within is doubled or stands behind a backslash. */
function readQuoted(text: string, start: number): { readonly value: string; readonly end: number } {
  let value = '';
  for (let at = start + 1; ; ) {
    QUOTE_OR_BACKSLASH.lastIndex = at;
    const mark = QUOTE_OR_BACKSLASH.exec(text)?.index ?? text.length;
    value += text.slice(at, mark);
    const isDoubled = text.charAt(mark) === '"' && text.charAt(mark + 1) === '"';
    if (text.charAt(mark) === '\\' || isDoubled) {
      value += text.charAt(mark + 1);
      at = mark + 2;
    } else if (text.charAt(mark) === '"') {
      return { value, end: mark + 1 };
    } else {
      throw new TypeError('a quoted value does not end');
    }
  }
}
