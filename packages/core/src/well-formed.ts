// In every Node from 20 on; TypeScript's library for the target does not name them yet.
interface WellFormed {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

/** True if a string has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return (text as string & WellFormed).isWellFormed();
}

/** The string with U+FFFD in the place of lone surrogates. */
export function toWellFormed(text: string): string {
  return (text as string & WellFormed).toWellFormed();
}

/** At most `length` UTF-16 units of the beginning, no surrogate pair cut in two. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
