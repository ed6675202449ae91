import type { StoredEntry, StoredEvent } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChild } from '../../postgres/test/run-child.js';
import { LOG, makeEvent } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { pastGuards } from './raw-database.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

const MIB = 2 ** 20;
/** Of the bodies of a page together. */
const ROOM = 4 * MIB;
/** More short ones than a page has rows, then ones that fill a page each, and among many others. */
const LENGTHS = [
  ...Array<number>(600).fill(100),
  5 * MIB,
  ...Array<number>(40).fill(300_000),
  10,
  6 * MIB,
  ...Array<number>(200).fill(60_000),
  ...Array<number>(600).fill(0),
];
const VERIFIER = new URL('./child/verifier.mjs', import.meta.url);

describeMysql('pages of long bodies', (server) => {
  let database: TestDatabase;
  let store: ReturnType<typeof createMysqlStore>;
  beforeEach(async () => {
    database = await server.createDatabase();
    store = createMysqlStore({ url: database.url, roles: false });
    await store.migrate();
  });
  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  /** All events, of which each page may hold so much. */
  async function read(pages: AsyncIterable<readonly (StoredEntry | StoredEvent)[]>): Promise<number[]> {
    const lengths: number[] = [];
    for await (const page of pages) {
      const bodies = page.flatMap((item) => ('event' in item ? (item.event ?? []) : item));
      const sizes = bodies.map(({ body, columns }) => {
        expect(body.every((byte) => byte === (Number(columns.resourceId) + 1) % 256)).toBe(true);
        return body.length;
      });
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      expect(page.length === 1 || bytes <= ROOM, `${page.length} rows of ${bytes} bytes`).toBe(true);
      lengths.push(...sizes);
    }
    return lengths;
  }

  test('hold four MiB or one body, and each event comes once: pending ones, entries, and those that are neither', async () => {
    await store.append(
      LENGTHS.map((length, at) => ({ ...makeEvent(1, at), body: Buffer.alloc(length, at + 1) })),
    );
    expect(await read(store.pending(LOG))).toEqual(LENGTHS);
    await pastGuards(
      database.url,
      `INSERT INTO audit_entry (log, idx, event_id, leaf, hash, sealed_at)
        SELECT log, ROW_NUMBER() OVER (ORDER BY id) - 1, id, leaf, leaf, 0 FROM audit_event`,
    );
    await pastGuards(database.url, 'DELETE FROM audit_pending');
    expect(await read(store.entries(LOG))).toEqual(LENGTHS);
    expect(await read(store.orphans(LOG))).toEqual([]);
    await pastGuards(database.url, 'DELETE FROM audit_entry');
    expect(await read(store.orphans(LOG))).toEqual(LENGTHS);
  }, 120_000);

  /** The memory at its highest, in MiB, of a process that verifies a log of so many events and does nothing else. */
  async function peakOf(events: number, bodyBytes: number): Promise<number> {
    const own = await server.createDatabase();
    try {
      await startChild(VERIFIER, ['fill', own.url, String(events), String(bodyBytes)]).done;
      const verifier = startChild(VERIFIER, ['verify', own.url]);
      await verifier.done;
      const told: unknown = JSON.parse(verifier.lines[0] ?? '');
      expect(told).toMatchObject({ result: 'valid', size: events });
      return Number(Reflect.get(Object(told), 'peakKiB')) / 1_024;
    } finally {
      await own.drop();
    }
  }

  // 500 of them, a page by the number of its rows, are 24 MiB, and several times that while the page is made.
  test('a log of them is verified in less than 96 MiB more memory than one of short bodies', async () => {
    const short = await peakOf(20_000, 0);
    expect(short).toBeGreaterThan(20);
    expect(await peakOf(3_000, 50_000)).toBeLessThan(short + 96);
  }, 240_000);
});
