import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FittingPages, type PageRoom } from '../src/page-room.js';

interface Page {
  readonly items: readonly number[];
  readonly next: number | undefined;
}

/** Rows, by their number, whose bodies have these lengths; odd ones can end no page, as those without an id. */
async function readAll(
  lengths: readonly number[],
  room: PageRoom,
  canEnd: (row: number) => boolean,
): Promise<readonly (readonly number[])[]> {
  const pages = new FittingPages(room);
  const found: (readonly number[])[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const first: number = from;
    const last = Math.min(first + room.rows, lengths.length) - 1;
    const upTo = (end: number): Page => ({
      items: lengths.map((_, at) => at).slice(first, end + 1),
      next: end + 1 < lengths.length ? end + 1 : undefined,
    });
    const rows = lengths.slice(first, last + 1);
    const page: Page = await pages.read<Page, number>({
      whole: async (longest) => ({ page: upTo(last), isCut: rows.some((bytes) => bytes > longest) }),
      measure: async () =>
        rows.map((bytes, at) => ({ cursor: canEnd(first + at) ? first + at : undefined, bytes })),
      upTo: async (end) => upTo(end),
    });
    found.push(page.items);
    from = page.next;
  }
  return found;
}

const rooms = fc.record({ rows: fc.integer({ min: 1, max: 9 }), bytes: fc.integer({ min: 1, max: 100 }) });
const bodies = fc.array(fc.oneof(fc.nat(10), fc.nat(200)), { minLength: 1, maxLength: 60 });
const sizeOf = (page: readonly number[], lengths: readonly number[]): number =>
  page.reduce((sum, row) => sum + (lengths[row] ?? 0), 0);

test('each row comes once, no more to a page than it may hold', async () => {
  await fc.assert(
    fc.asyncProperty(bodies, rooms, async (lengths, room) => {
      const pages = await readAll(lengths, room, () => true);
      expect(pages.flat()).toEqual(lengths.map((_, at) => at));
      for (const page of pages) {
        expect(page.length).toBeLessThanOrEqual(room.rows);
        expect(page.length === 1 || sizeOf(page, lengths) <= room.bytes).toBe(true);
      }
    }),
  );
});

test('each row comes once also where a page can not end with some of them', async () => {
  await fc.assert(
    fc.asyncProperty(bodies, rooms, fc.func(fc.boolean()), async (lengths, room, canEnd) => {
      expect((await readAll(lengths, room, (row) => canEnd(row))).flat()).toEqual(lengths.map((_, at) => at));
    }),
  );
});

test('short bodies are read with one question a page, and long ones are measured before they are read', async () => {
  const asked: string[] = [];
  const pages = new FittingPages({ rows: 2, bytes: 20 });
  const read = (...lengths: number[]) =>
    pages.read<string, number>({
      whole: async (longest) => {
        asked.push('whole');
        return { page: 'whole', isCut: lengths.some((length) => length > longest) };
      },
      measure: async () => {
        asked.push('measure');
        return lengths.map((bytes, cursor) => ({ bytes, cursor }));
      },
      upTo: async (end) => {
        asked.push('upTo');
        return `up to ${end}`;
      },
    });
  expect(await read(10, 10)).toBe('whole');
  expect(await read(15, 15)).toBe('up to 0');
  expect(await read(15, 15)).toBe('up to 0');
  expect(await read(1, 15)).toBe('whole');
  expect(await read(1, 1)).toBe('whole');
  expect(await read(1, 1)).toBe('whole');
  expect(asked.join(' ')).toBe('whole whole measure upTo measure upTo measure whole measure whole whole');
});
