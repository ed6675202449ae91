/** A line's end, also one that is escaped as in JSON. */
const BLANK_LINE = /(?:\r?\n|\\r\\n|\\n){2}/g;
const MAX_HEADERS = 1_024;
const BOUNDARY = /(?:\r?\n|\\r\\n|\\n)--/g;
const FORM_DATA = /form-data;[^\r\n]{0,256}$/i;
const BLOCK_SCALAR = /[|>][+\-\d]{0,2}[ \t]*(?:#[^\r\n]{0,200})?\r?\n/y;
const LIST_ITEM = /-[ \t]/y;
const MAPPING = /["']?[\w.$-]+["']?:(?=\s|$)/y;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The value of the part whose header says `form-data; name="…"`, from the blank line to the boundary (RFC 7578). */
export function partValue(text: string, nameAt: number): Span | undefined {
  if (!FORM_DATA.test(text.slice(Math.max(0, nameAt - 300), nameAt))) return undefined;
  const headers = text.slice(nameAt, nameAt + MAX_HEADERS);
  BLANK_LINE.lastIndex = 0;
  if (!BLANK_LINE.test(headers)) return undefined;
  const from = nameAt + BLANK_LINE.lastIndex;
  BOUNDARY.lastIndex = from;
  return { from, to: BOUNDARY.exec(text)?.index ?? text.length };
}

/**
 * The lines that belong to a key as in YAML: a block scalar (`key: |`), a list, or a mapping below it. Undefined where the
 * value is none of these.
 *
 * @param keyAt where the name of the key begins
 * @param from behind the colon and the blanks and line ends that follow it
 */
export function blockValue(text: string, keyAt: number, from: number): Span | undefined {
  const isScalar = matchesAt(BLOCK_SCALAR, text, from);
  const scalarStart = BLOCK_SCALAR.lastIndex;
  if (!isScalar && !text.slice(keyAt, from).includes('\n')) return undefined;
  const keyColumn = columnOf(text, keyAt);
  const isBelow = matchesAt(LIST_ITEM, text, from) || matchesAt(MAPPING, text, from);
  if (!isScalar && !isBelow) return undefined;
  const start = isScalar ? scalarStart : from - columnOf(text, from);
  let end = start;
  while (end < text.length) {
    const newline = text.indexOf('\n', end);
    const lineEnd = newline === -1 ? text.length : newline + 1;
    const column = indentOf(text, end, lineEnd);
    const isBlank = column === -1;
    const belongs =
      isBlank || column > keyColumn || (column === keyColumn && matchesAt(LIST_ITEM, text, end + column));
    if (!belongs) break;
    end = lineEnd;
  }
  const to = start + text.slice(start, end).trimEnd().length;
  const first = Math.max(from, start + Math.max(0, indentOf(text, start, end)));
  return to > first ? { from: first, to } : undefined;
}

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf('\n', at - 1) + 1);
}

/** The number of blanks before what stands in a line, or -1 for one that holds nothing. */
function indentOf(text: string, lineStart: number, lineEnd: number): number {
  for (let at = lineStart; at < lineEnd; at++) {
    const unit = text.charCodeAt(at);
    if (unit !== 32 && unit !== 9) return unit === 13 || unit === 10 ? -1 : at - lineStart;
  }
  return -1;
}
