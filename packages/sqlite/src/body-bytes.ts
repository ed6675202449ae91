/** What one page may take of memory. */
export interface PageRoom {
  readonly rows: number;
  /** Of all its bodies together. */
  readonly bytes: number;
}

/**
 * Rows that one tick reads. Bodies are in memory several times while a page is made, in SQLite, in its library and here, and
 * the garbage of the pages before it is still there.
 */
export const PAGE_ROOM: PageRoom = { rows: 500, bytes: 4 * 2 ** 20 };

/** The bytes of an event's body, under the alias `e`; also where tampering made it a text, of which `length` counts characters. */
export const BODY_BYTES =
  "CASE typeof(e.body) WHEN 'blob' THEN length(e.body) ELSE length(CAST(e.body AS BLOB)) END";

/** How many of the first bodies are one page: at least one, however long it is. */
export function countFitting(lengths: readonly number[], { bytes }: PageRoom): number {
  let sum = 0;
  const over = lengths.findIndex((length) => {
    sum += length;
    return sum > bytes;
  });
  return over === -1 ? lengths.length : Math.max(1, over);
}
