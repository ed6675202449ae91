/** What one page of stored events may take of memory. */
export interface PageRoom {
  readonly rows: number;
  /** Of all its bodies together. */
  readonly bytes: number;
}

/**
 * What a store reads at once. Bodies are in memory several times while a page is made, in the driver and in the store, and the
 * garbage of the pages before it is still there.
 */
export const PAGE_ROOM: PageRoom = { rows: 500, bytes: 4 * 2 ** 20 };

/** How many of the first bodies are one page: at least one, however long it is. */
export function countFitting(lengths: readonly number[], { bytes }: PageRoom): number {
  let sum = 0;
  const over = lengths.findIndex((length) => {
    sum += length;
    return sum > bytes;
  });
  return over === -1 ? lengths.length : Math.max(1, over);
}

/** How the rows behind a cursor are read, by a database that is asked and answers. */
export interface PageQuery<Page, Cursor> {
  /** All rows that a page may have. A body of more than `longest` bytes MUST be left out, and `isCut` then be true. */
  readonly whole: (longest: number) => Promise<{ readonly page: Page; readonly isCut: boolean }>;
  /** The cursor and the bytes of each of these rows; a cursor that is undefined can end no page. */
  readonly measure: () => Promise<readonly { readonly cursor: Cursor | undefined; readonly bytes: number }[]>;
  /** The rows up to this cursor and with it, and where to go on behind it. */
  readonly upTo: (cursor: Cursor) => Promise<Page>;
}

/**
 * Reads pages that hold so many rows and so many bytes. While bodies are short a page is one question; once one was long their
 * lengths are asked for before they are.
 */
export class FittingPages {
  #hasLong = false;
  readonly #room: PageRoom;

  constructor(room: PageRoom = PAGE_ROOM) {
    this.#room = room;
  }

  get rows(): number {
    return this.#room.rows;
  }

  async read<Page, Cursor>({ whole, measure, upTo }: PageQuery<Page, Cursor>): Promise<Page> {
    const { rows, bytes } = this.#room;
    const longest = Math.floor(bytes / rows);
    if (!this.#hasLong) {
      const { page, isCut } = await whole(longest);
      if (!isCut) return page;
    }
    const measured = await measure();
    const lengths = measured.map((row) => row.bytes);
    this.#hasLong = lengths.some((length) => length > longest);
    const fitting = countFitting(lengths, this.#room);
    const end = measured.slice(Math.max(0, fitting - 1), -1).find(({ cursor }) => cursor !== undefined);
    return end?.cursor === undefined ? (await whole(Number.MAX_SAFE_INTEGER)).page : upTo(end.cursor);
  }
}
