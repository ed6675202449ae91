const OPTION = /(?<![^\s"'`=([;|&])--?([A-Za-z][\w.-]*)\s+(?=[^\s-])/g;
const QUOTED = /\\"[\s\S]*?(?:\\"|$)|"(?:[^"\\]|\\[\s\S])*"?|'[^']*'?/y;
const WORD = /\S*[^\s"'`)]/y;

const NEAR = 128;
const USER_BEFORE = /(?:^|\s)(?:-u|--user(?:name)?)[\s=]*[^\s=]+\s+$/;
const SSHPASS_BEFORE = /(?<![\w-])sshpass\s+$/;
const USER_BEHIND = /^\\?["']?\s+(?:-u|--user)/;
const PORTS = /^(?:\d{1,5}|[\d.]*:?\d+:\d+(?:\/\w+)?)$/;
const DIGITS = /^\d+$/;
const MYSQL = /(?<![\w.-])(?:mysql|mariadb)[\w.-]*\s/;
const GLUED_PASSWORD = /(?<=\s)-p(?=[^\s-])/g;

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Replaces the values of secret options in a command line: `--password x`, `--token "x y"`. The short `-p` says password
 * only beside a user (`-u ada -p x`), behind `sshpass` and glued to its value behind `mysql`, for elsewhere it is a port, a
 * path or a process; of `-u ada:x` the part behind the colon goes. What has `=` is found by its name elsewhere.
 */
export function replaceOptionValues(
  text: string,
  isSecret: (name: string) => boolean,
  replace: (value: string) => string,
): string {
  const spans: Span[] = [];
  OPTION.lastIndex = 0;
  for (let match = OPTION.exec(text); match !== null; match = OPTION.exec(text)) {
    const span = optionValue(text, match.index, OPTION.lastIndex, match[1] ?? '', isSecret);
    if (span !== undefined) spans.push(span);
  }
  if (MYSQL.test(text)) {
    for (const { index } of text.matchAll(GLUED_PASSWORD)) spans.push(...valueAt(text, index + 2));
    spans.sort((one, other) => one.from - other.from);
  }
  return replaceSpans(text, spans, replace);
}

function optionValue(
  text: string,
  at: number,
  valueStart: number,
  name: string,
  isSecret: (name: string) => boolean,
): Span | undefined {
  if (name !== 'p' && name !== 'u' && name !== 'user') {
    return isSecret(name) ? valueAt(text, valueStart)[0] : undefined;
  }
  const [span] = valueAt(text, valueStart);
  if (span === undefined) return undefined;
  const value = text.slice(span.from, span.to);
  if (name === 'p') return isPassword(text, at, span) && !PORTS.test(value) ? span : undefined;
  const colon = value.indexOf(':');
  const password = value.slice(colon + 1);
  // Numbers are the ids of a user and a group.
  if (colon <= 0 || password === '' || DIGITS.test(password)) return undefined;
  return { from: span.from + colon + 1, to: span.to };
}

function isPassword(text: string, at: number, value: Span): boolean {
  const before = text.slice(Math.max(0, at - NEAR), at);
  if (USER_BEFORE.test(before) || SSHPASS_BEFORE.test(before)) return true;
  return USER_BEHIND.test(text.slice(value.to, value.to + NEAR));
}

/** Without its quotes; one that is cut ends with the text. At most one. */
function valueAt(text: string, at: number): Span[] {
  QUOTED.lastIndex = at;
  if (QUOTED.test(text)) {
    const quote = text[at] === '\\' ? '\\"' : text.slice(at, at + 1);
    const from = at + quote.length;
    const end = QUOTED.lastIndex;
    return [{ from, to: end - quote.length >= from && text.endsWith(quote, end) ? end - quote.length : end }];
  }
  WORD.lastIndex = at;
  return WORD.test(text) ? [{ from: at, to: WORD.lastIndex }] : [];
}

function replaceSpans(text: string, spans: readonly Span[], replace: (value: string) => string): string {
  let out = '';
  let done = 0;
  for (const { from, to } of spans) {
    const value = text.slice(from, to);
    if (from < done || value === '' || value.startsWith('[masked]')) continue;
    out += text.slice(done, from) + replace(value);
    done = to;
  }
  return done === 0 ? text : out + text.slice(done);
}
