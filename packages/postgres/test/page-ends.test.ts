import { createSealBatch, type PendingEvent } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG, makeEvent, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createPostgresStore } from '../src/postgres-store.js';
import { withRaw } from './raw-connection.js';
import { pastGuards } from './raw-database.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

/** A page has 500 rows: behind its last one a second row of the same id or index would be passed over. */
const COUNT = 600;

describePostgres('pages', (server) => {
  let database: TestDatabase;
  let store: ReturnType<typeof createPostgresStore>;
  beforeEach(async () => {
    database = await server.createDatabase();
    store = createPostgresStore({ url: database.url, roles: false });
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
  async function double(table: string, keys: readonly string[], order: string): Promise<void> {
    for (const key of keys)
      await pastGuards(database.url, `ALTER TABLE audit.${table} DROP CONSTRAINT ${key}`);
    await pastGuards(
      database.url,
      `INSERT INTO audit.${table} SELECT * FROM audit.${table} ORDER BY ${order} OFFSET 499 LIMIT 1`,
    );
  }

  test('every entry is read where audit_entry has one of them twice', async () => {
    await store.seal({ log: LOG, limit: COUNT, compute: createSealBatch() });
    expect(await count(store.entries(LOG))).toBe(COUNT);
    await double('audit_entry', ['audit_entry_pkey', 'audit_entry_event_id_key'], 'idx');
    expect(await count(store.entries(LOG))).toBe(COUNT + 1);
    expect(await count(store.entries(LOG, { from: 499, to: 501 }))).toBe(3);
  });

  test('every entry and every pending row is read where audit_event has one of them twice', async () => {
    expect(await count(store.pending(LOG))).toBe(COUNT);
    await double('audit_event', ['audit_event_pkey'], 'id');
    expect(await count(store.pending(LOG))).toBe(COUNT + 1);
  });

  test('an event without an id, or at an index that no entry has, does not hide', async () => {
    // More than one look at the events takes.
    await store.append(makeEvents(2, 0, 5_000));
    await pastGuards(database.url, 'ALTER TABLE audit.audit_event DROP CONSTRAINT audit_event_pkey');
    await pastGuards(database.url, 'ALTER TABLE audit.audit_event ALTER COLUMN id DROP NOT NULL');
    await pastGuards(
      database.url,
      `INSERT INTO audit.audit_event SELECT NULL, log, body, leaf, time, action, category, outcome, actor_type, actor_id
        FROM audit.audit_event LIMIT 1`,
    );
    expect(await count(store.orphans(LOG))).toBe(1);
    await pastGuards(
      database.url,
      `INSERT INTO audit.audit_entry SELECT log, g, gen_random_uuid(), leaf, leaf, 0
        FROM audit.audit_event, unnest(ARRAY[-9223372036854775808, 9223372036854775807]) AS g WHERE id IS NULL`,
    );
    expect(await count(store.entries(LOG))).toBe(2);
  });

  test('a sealer is given each pending event with its own id, log, bytes and leaf, whatever is odd about others', async () => {
    const [gone, moved, cut] = makeEvents(1, 3, 6);
    if (gone === undefined || moved === undefined || cut === undefined) throw new Error('no events');
    await pastGuards(database.url, 'DELETE FROM audit.audit_event WHERE id = $1', [gone.id]);
    await pastGuards(database.url, "UPDATE audit.audit_event SET log = 'audit/größer' WHERE id = $1", [
      moved.id,
    ]);
    await pastGuards(database.url, 'UPDATE audit.audit_event SET leaf = substr(leaf, 1, 31) WHERE id = $1', [
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
        log: id === moved.id ? 'audit/größer' : log,
        body: Buffer.from(body),
        leaf: Buffer.from(leaf).subarray(0, id === cut.id ? 31 : 32),
      }));
    expect(
      given.map(({ id, log, body, leaf }) => ({ id, log, body: Buffer.from(body), leaf: Buffer.from(leaf) })),
    ).toEqual(expected);
  });

  test('bodies of more bytes than one answer takes are all given', async () => {
    const large = [20, 1, 25, 40, 2].map((megabytes, at) => ({
      ...makeEvent(0, at),
      body: Buffer.alloc(megabytes * 1_048_576, at + 1),
    }));
    for (const event of large) await store.append([event]);
    const sizes: number[] = [];
    await store.seal({
      log: LOG,
      limit: 6,
      compute: (_head, pending) => {
        for (const { body } of pending) sizes.push(body.every((byte) => byte === body[0]) ? body.length : 0);
        return { entries: [], head: null };
      },
    });
    expect(sizes.slice(0, 5)).toEqual(large.map(({ body }) => body.length));
    expect(sizes).toHaveLength(6);
  });

  test('a log of which the planner knows too little is read once, and not again for each page or batch', async () => {
    const rows = 6_000 + COUNT;
    for (const table of ['audit_pending', 'audit_entry', 'audit_event_default']) {
      await pastGuards(database.url, `ALTER TABLE audit.${table} SET (autovacuum_enabled = off)`);
    }
    await store.append(makeEvents(3, 0, 6_000));
    for (let sealed = 0; sealed < rows; ) {
      sealed += (await store.seal({ log: LOG, limit: 500, compute: createSealBatch() })).sealed;
      // What it knows is that of a small log, and that no index is greater.
      if (sealed === 500) await pastGuards(database.url, 'ANALYZE audit.audit_entry');
    }
    expect(await count(store.entries(LOG))).toBe(rows);
    expect(await count(store.orphans(LOG))).toBe(0);
    // A connection tells what it has read when it ends.
    await store.close();
    const [read] = await withRaw(database.url, (raw) =>
      raw.all(`SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
          FILTER (WHERE relname = 'audit_pending')::int AS pending,
        sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FILTER (WHERE relname = 'audit_entry')::int AS entries
        FROM pg_stat_user_tables WHERE schemaname = 'audit'`),
    );
    expect(Number(read?.pending)).toBeLessThan(3 * rows);
    expect(Number(read?.entries)).toBeLessThan(4 * rows);
  });
});
