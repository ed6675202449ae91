/** A page of what is read in batches, and where the next one starts; `next` undefined: that was all. */
export interface Page<T, Cursor> {
  readonly items: readonly T[];
  readonly next: Cursor | undefined;
}

/** Reads page after page, each in a statement of its own: a slow reader holds nothing open in the database. */
export async function* readByPages<T, Cursor>(
  start: Cursor,
  read: (after: Cursor) => Promise<Page<T, Cursor>>,
): AsyncGenerator<readonly T[]> {
  for (let cursor: Cursor = start; ; ) {
    const page: Page<T, Cursor> = await read(cursor);
    if (page.items.length > 0) yield page.items;
    if (page.next === undefined) return;
    cursor = page.next;
  }
}
