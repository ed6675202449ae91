/** A change of a text. */
export interface Edit {
  readonly at: number;
  /** What stands between is replaced. @default at */
  readonly until?: number;
  readonly text: string;
}

/** @param edits in the order of their places @param span what is left of the text. @default all of it */
export function edited(
  text: string,
  edits: readonly Edit[],
  { start, end }: { readonly start: number; readonly end: number } = { start: 0, end: text.length },
): string {
  let result = '';
  let from = start;
  for (const { at, until = at, text: added } of edits) {
    result += text.slice(from, at) + added;
    from = until;
  }
  return result + text.slice(from, end);
}
