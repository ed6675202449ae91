/** A page of what is read in batches, and where the next one starts; `next` undefined: that was all. */
export interface Page<T, Cursor> {
  readonly items: readonly T[];
  readonly next: Cursor | undefined;
}

/**
 * Reads page after page. Between two pages the event loop gets its turn: the drivers are synchronous, and a consumer that
 * only awaits would hold it for as long as the log is.
 */
export async function* readByPages<T, Cursor>(
  start: Cursor,
  read: (after: Cursor) => Promise<Page<T, Cursor>>,
): AsyncGenerator<readonly T[]> {
  for (let cursor: Cursor = start; ; ) {
    const page: Page<T, Cursor> = await read(cursor);
    if (page.items.length > 0) yield page.items;
    if (page.next === undefined) return;
    cursor = page.next;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
