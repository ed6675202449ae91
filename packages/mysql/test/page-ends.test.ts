import { createSealBatch, type PendingEvent } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../src/mysql-store.js';
import { withRaw } from './raw-connection.js';
import { pastGuards } from './raw-database.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

/** A page has 500 rows: behind its last one a second row of the same id or index would be passed over. */
const COUNT = 600;
/** The columns that an event must have; the server makes some of the others. */
const EVENT = 'id, log, body, leaf, time, action, category, outcome, actor_type, actor_id';

describeMysql('pages', (server) => {
  let database: TestDatabase;
  let store: ReturnType<typeof createMysqlStore>;
  beforeEach(async () => {
    database = await server.createDatabase();
    store = createMysqlStore({ url: database.url });
    await store.migrate();
    await store.append(makeEvents(1, 0, COUNT));
  });
  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  async function count(batches: AsyncIterable<readonly unknown[]>): Promise<number> {
    let rows = 0;
    for await (const batch of batches) rows += batch.length;
    return rows;
  }

  /** Takes the keys of a table away, as its owner can, and puts a second row beside the last one of the first page. */
  async function double(table: string, keys: string, columns: string, order: string): Promise<void> {
    await withRaw(database.url, (raw) => raw.all('DROP TABLE IF EXISTS audit_guard'));
    await pastGuards(database.url, `ALTER TABLE ${table} ${keys}`);
    await pastGuards(
      database.url,
      `INSERT INTO ${table} (${columns}) SELECT * FROM
        (SELECT ${columns} FROM ${table} ORDER BY ${order} LIMIT 1 OFFSET 499) AS last`,
    );
  }

  test('every entry is read where audit_entry has one of them twice', async () => {
    await store.seal({ log: LOG, limit: COUNT, compute: createSealBatch() });
    expect(await count(store.entries(LOG))).toBe(COUNT);
    const columns = 'log, idx, event_id, leaf, hash, sealed_at';
    await double('audit_entry', 'DROP PRIMARY KEY, DROP KEY audit_entry_event', columns, 'idx');
    expect(await count(store.entries(LOG))).toBe(COUNT + 1);
    expect(await count(store.entries(LOG, { from: 499, to: 501 }))).toBe(3);
  });

  test('every entry and every pending row is read where audit_event has one of them twice', async () => {
    expect(await count(store.pending(LOG))).toBe(COUNT);
    await double('audit_event', 'DROP PRIMARY KEY', EVENT, 'id');
    expect(await count(store.pending(LOG))).toBe(COUNT + 1);
  });

  test('an event without an id, or at an index that no entry has, does not hide', async () => {
    // More than one look at the events takes.
    await store.append(makeEvents(2, 0, 5_000));
    await withRaw(database.url, (raw) => raw.all('DROP TABLE audit_guard'));
    await pastGuards(
      database.url,
      'ALTER TABLE audit_event DROP PRIMARY KEY, MODIFY id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin',
    );
    await pastGuards(
      database.url,
      `INSERT INTO audit_event (${EVENT}) SELECT NULL, ${EVENT.slice(4)} FROM (SELECT * FROM audit_event LIMIT 1) AS first`,
    );
    expect(await count(store.orphans(LOG))).toBe(1);
    await pastGuards(
      database.url,
      `INSERT INTO audit_entry VALUES ('${LOG}', -9223372036854775808, 'first', '', '', 0),
        ('${LOG}', 9223372036854775807, 'last', '', '', 0)`,
    );
    expect(await count(store.entries(LOG))).toBe(2);
  });

  test('a sealer is given each pending event with its own id, log, bytes and leaf, whatever is odd about others', async () => {
    const [gone, moved, cut] = makeEvents(1, 3, 6);
    if (gone === undefined || moved === undefined || cut === undefined) throw new Error('no events');
    await pastGuards(database.url, 'DELETE FROM audit_event WHERE id = ?', [gone.id]);
    await pastGuards(database.url, "UPDATE audit_event SET log = 'audit/elsewhere' WHERE id = ?", [moved.id]);
    await pastGuards(database.url, 'UPDATE audit_event SET leaf = SUBSTR(leaf, 1, 31) WHERE id = ?', [
      cut.id,
    ]);
    const given: PendingEvent[] = [];
    await store.seal({
      log: LOG,
      limit: 10,
      compute: (_head, pending) => {
        given.push(...pending);
        return { entries: [], head: null };
      },
    });
    const expected = makeEvents(1, 0, 10)
      .filter(({ id }) => id !== gone.id)
      .map(({ id, log, body, leaf }) => ({
        id,
        log: id === moved.id ? 'audit/elsewhere' : log,
        body: Buffer.from(body),
        leaf: Buffer.from(leaf).subarray(0, id === cut.id ? 31 : 32),
      }));
    expect(
      given.map(({ id, log, body, leaf }) => ({ id, log, body: Buffer.from(body), leaf: Buffer.from(leaf) })),
    ).toEqual(expected);
  });
});
