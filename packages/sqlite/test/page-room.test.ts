import { countFitting, type PageRoom } from '@indelible/core';
import { describe, expect, it, test } from 'vitest';
import type { SqliteDriver } from '../src/driver.js';
import { createLibsqlDriver } from '../src/libsql-driver.js';
import { readEntryColumns } from '../src/read-entries.js';
import { type IdCursor, readOrphanPage, readPendingPage } from '../src/read-waiting.js';
import { LOG } from './child/events.mjs';
import { openLibsql, type RawConnection } from './raw-connection.js';
import { byPages, COUNT, connected, file, hex, pagesOf, tampered, whole } from './sealed-log.js';

test.each([
  [[], 0],
  [[4], 1],
  [[4, 4], 2],
  [[4, 4, 3], 2],
  [[11], 1],
  [[11, 1], 1],
  [[1, 11], 1],
])('of bodies of %j bytes, a page of 10 bytes has the first %i', (lengths, rows) => {
  expect(countFitting(lengths, { rows: 500, bytes: 10 })).toBe(rows);
});

/** Body after body of so many bytes, as the last step of whoever owns the file. */
const setLengths =
  (...lengths: number[]) =>
  (raw: RawConnection) => {
    for (const [index, length] of lengths.entries()) {
      raw.exec(`UPDATE audit_event SET body = zeroblob(${length})
        WHERE id = (SELECT event_id FROM audit_entry WHERE idx = ${index})`);
    }
  };
const MIXED = [10, 10, 900, 10, 10, 400, 400, 10];

function bodyBytes(page: readonly unknown[]): number {
  return page.reduce<number>((sum, item) => {
    const body = (item as { event?: { body: string } | null; body?: string }).event?.body ?? '';
    return sum + body.length / 2;
  }, 0);
}

describe('entries', () => {
  it.each([
    ['short', Array(COUNT).fill(10)],
    ['long', Array(COUNT).fill(700)],
    ['of all lengths', MIXED],
    ['empty', Array(COUNT).fill(0)],
  ])('whose bodies are %s come once each, no more to a page than it may hold', async (_, lengths) => {
    await tampered(setLengths(...lengths));
    const all = whole(readEntryColumns);
    for (const rows of [2, 3, 8, 9, 500]) {
      for (const bytes of [500, 1_000, 1_500, 4_000, 100_000]) {
        const pages = pagesOf({ rows, bytes });
        expect(pages.flat(), `${rows} rows, ${bytes} bytes`).toEqual(all);
        for (const page of pages) expect(page.length <= 2 || bodyBytes(page) <= bytes).toBe(true);
      }
    }
  });

  it('come once each also where one of them is another than the store writes, or is there twice', async () => {
    await tampered((raw) => {
      setLengths(...MIXED)(raw);
      raw.exec(`UPDATE audit_event SET body = CAST(zeroblob(600) AS TEXT), ip = 5
        WHERE id = (SELECT event_id FROM audit_entry WHERE idx = 4)`);
    });
    expect(byPages(500, 1_000)).toEqual(whole(readEntryColumns));
    const raw = openLibsql(file);
    raw.exec('INSERT INTO audit_entry SELECT * FROM audit_entry WHERE idx IN (1, 2, 5, 7)');
    raw.close();
    for (const bytes of [500, 1_000, 1_500]) expect(byPages(500, bytes)).toEqual(whole(readEntryColumns));
    expect(byPages(500, 1_000)).toHaveLength(COUNT + 4);
  });

  it('of long bodies are read packed', async () => {
    await tampered(setLengths(...MIXED));
    const libsql = createLibsqlDriver();
    const withoutColumns: SqliteDriver = {
      library: 'libsql',
      open: (name, options) => {
        const connection = libsql.open(name, options);
        return { ...connection, prepare: (sql) => connection.prepare(sql.replaceAll('hex(', 'unknown(')) };
      },
    };
    expect(pagesOf({ rows: 500, bytes: 1_000 }, withoutColumns).flat()).toHaveLength(COUNT);
    const raw = openLibsql(file);
    raw.exec('UPDATE audit_event SET ip = 5');
    raw.close();
    expect(() => pagesOf({ rows: 500, bytes: 1_000 }, withoutColumns)).toThrow();
  });
});

/** Bodies, page by page, as the store reads them. */
function readAll(
  read: (
    connection: Parameters<typeof readPendingPage>[0],
    after: IdCursor,
  ) => ReturnType<typeof readPendingPage>,
): string[][] {
  return connected((connection) => {
    const pages: string[][] = [];
    for (let after: IdCursor, more = true; more; more = after !== undefined) {
      const page = read(connection, after);
      pages.push(page.items.map(({ id, body }) => `${id} ${hex(body)}`));
      after = page.next;
    }
    return pages;
  });
}
const orphans = (window: number, room: PageRoom) =>
  readAll((connection, after) => readOrphanPage(connection, LOG, after, window, room));
const pending = (room: PageRoom) =>
  readAll((connection, after) => readPendingPage(connection, LOG, after, room));

function stored(raw: RawConnection): string[] {
  return raw
    .all('SELECT id, hex(body) AS body FROM audit_event ORDER BY id')
    .map(({ id, body }) => `${id ?? ''} ${String(body).toLowerCase()}`);
}

describe('events that nobody waits for, also without an id or with one that is there twice,', () => {
  it.each([1, 2, 3, 5, 100])('come once each by windows of %i', async (window) => {
    await tampered((raw) => {
      setLengths(...MIXED)(raw);
      raw.exec(`DELETE FROM audit_entry WHERE idx <> 4; INSERT INTO audit_event SELECT * FROM audit_event ORDER BY id LIMIT 1 OFFSET 2;
        INSERT INTO audit_event SELECT NULL, log, body, leaf, time, action, category, outcome, actor_type, actor_id,
          resource_type, resource_id, tenant, request_id, transaction_id, ip FROM audit_event ORDER BY id LIMIT 3`);
      raw.exec(`DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_entry)`);
    });
    const raw = openLibsql(file);
    const all = stored(raw);
    raw.close();
    expect(all).toHaveLength(COUNT + 3);
    for (const bytes of [1, 500, 1_000, 100_000]) {
      const pages = orphans(window, { rows: 500, bytes });
      expect(pages.flat().toSorted(), `${bytes} bytes`).toEqual(all.toSorted());
    }
    expect(
      Math.max(
        ...orphans(100, { rows: 500, bytes: 500 })
          .slice(1)
          .map((page) => page.length),
      ),
    ).toBeLessThan(4);
  });
});

test('pending events come once each, no more to a page than it may hold', async () => {
  await tampered((raw) => {
    setLengths(...MIXED)(raw);
    raw.exec(`INSERT INTO audit_pending SELECT log, id FROM audit_event;
      INSERT INTO audit_event SELECT * FROM audit_event ORDER BY id LIMIT 1 OFFSET 2`);
  });
  const raw = openLibsql(file);
  const all = stored(raw);
  raw.close();
  for (const rows of [1, 2, 3, 9, 500]) {
    for (const bytes of [1, 500, 1_000, 100_000]) expect(pending({ rows, bytes }).flat()).toEqual(all);
  }
  const pages = pending({ rows: 500, bytes: 500 });
  expect(pages.map((page) => page.length)).toEqual([2, 2, 3, 2]);
});
