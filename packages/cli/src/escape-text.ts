// C0 and C1 controls and DEL move the cursor, set titles or start escape sequences (U+009B is CSI by itself); the line
// and paragraph separators break lines; the bidirectional controls make text read as something else than it is
// (Trojan Source, CVE-2021-42574).
const UNSAFE = /[\p{Cc}\p{Surrogate}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Text from an event, made safe for a terminal and for one line: what could steer the terminal is written as an escape. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? unicodeEscape(character));
}

/** JSON of one line that is safe to show in a terminal as well: JSON itself leaves DEL, C1 and bidirectional controls as they are. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, unicodeEscape);
}
