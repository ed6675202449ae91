import { createSealBatch, type SealedBatch, type SealRequest } from '@indelible/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG, makeEvents } from '../../sqlite/test/child/events.mjs';
import { createPostgresStore } from '../src/postgres-store.js';
import { withRaw } from './raw-connection.js';
import { describePostgres, type TestDatabase } from './test-postgres.js';

/** A seal reads and writes 500 events at a time. */
const COUNT = 1_200;
const LIMIT = 5_000;

describePostgres('a seal of several pages', (server) => {
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

  const rows = (sql: string): Promise<readonly Record<string, unknown>[]> =>
    withRaw(database.url, (raw) => raw.all(sql));
  const heads = (): Promise<readonly Record<string, unknown>[]> =>
    rows(`SELECT h.size::int, h.hash = (SELECT hash FROM audit.audit_entry ORDER BY idx DESC LIMIT 1) AS is_last,
      (SELECT count(*)::int FROM audit.audit_entry) AS entries, (SELECT max(idx)::int FROM audit.audit_entry) AS greatest,
      (SELECT count(*)::int FROM audit.audit_pending) AS pending FROM audit.audit_head AS h`);
  const seal = (compute: SealRequest['compute']) => store.seal({ log: LOG, limit: LIMIT, compute });

  test('makes the entries that a seal of one page after the other makes', async () => {
    const clock = (): bigint => 1_790_000_000_000_000n;
    expect(await seal(createSealBatch({ clock }))).toEqual({ sealed: COUNT, busy: false });
    expect(await heads()).toEqual([
      { size: COUNT, is_last: true, entries: COUNT, greatest: COUNT - 1, pending: 0 },
    ]);
    const entries = 'SELECT idx::int, event_id, leaf, hash FROM audit.audit_entry ORDER BY idx';
    const together = await rows(entries);
    await database.drop();
    database = await server.createDatabase();
    await store.close();
    store = createPostgresStore({ url: database.url, roles: false });
    await store.migrate();
    await store.append(makeEvents(1, 0, COUNT));
    for (let made = 0; made < COUNT; made += 400) {
      await store.seal({ log: LOG, limit: 400, compute: createSealBatch({ clock }) });
    }
    expect(await rows(entries)).toEqual(together);
  });

  test('goes on behind the head that stands there, and writes it once', async () => {
    await store.seal({ log: LOG, limit: 100, compute: createSealBatch() });
    await rows('CREATE TABLE written (size bigint)');
    await rows(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO public.written VALUES (NEW.size); RETURN NEW; END'`);
    await rows('CREATE TRIGGER note AFTER UPDATE ON audit.audit_head FOR EACH ROW EXECUTE FUNCTION note()');
    expect((await seal(createSealBatch())).sealed).toBe(COUNT - 100);
    expect(await rows('SELECT size::int FROM written')).toEqual([{ size: COUNT }]);
    expect((await heads())[0]).toMatchObject({ size: COUNT, is_last: true, greatest: COUNT - 1 });
  });

  test('leaves nothing where a later page can not be computed', async () => {
    let calls = 0;
    const compute = createSealBatch();
    const failing = (...given: Parameters<typeof compute>): SealedBatch => {
      calls += 1;
      if (calls === 2) throw new RangeError('no further');
      return compute(...given);
    };
    await expect(seal(failing)).rejects.toThrow('no further');
    expect(await heads()).toEqual([]);
    expect(await rows('SELECT count(*)::int AS count FROM audit.audit_entry')).toEqual([{ count: 0 }]);
    expect((await seal(compute)).sealed).toBe(COUNT);
  });

  test('passes over what is refused, on any of its pages, and tells of it', async () => {
    const compute = createSealBatch();
    const picky = (...[head, pending]: Parameters<typeof compute>): SealedBatch => {
      const [first] = pending;
      if (first === undefined) return compute(head, pending);
      // All of the last page, and one of each other.
      const left = pending.length < 500 ? pending : [first];
      const taken = pending.filter((event) => !left.includes(event));
      return {
        ...(taken.length === 0 ? { entries: [], head: null } : compute(head, taken)),
        refused: left.map(({ id }) => ({ id, reason: 'a test' })),
      };
    };
    const outcome = await seal(picky);
    expect(outcome.sealed).toBe(998);
    expect(outcome.refused).toHaveLength(202);
    expect(await heads()).toEqual([{ size: 998, is_last: true, entries: 998, greatest: 997, pending: 202 }]);
  });

  test('reads what does not fit into one answer in several, and passes over what is no event', async () => {
    const huge = ['f0', 'f1', 'f2'].map((end) => `01ffffff-ffff-7fff-bfff-ffffffffff${end}`);
    await rows(`DO $$ BEGIN
      CREATE TEMP TABLE huge AS SELECT * FROM audit.audit_event LIMIT 1;
      UPDATE huge SET body = convert_to(repeat('x', 20000000), 'UTF8');
      ${huge.map((id) => `UPDATE huge SET id = '${id}'; INSERT INTO audit.audit_event SELECT * FROM huge;`).join('\n')}
    END $$`);
    const refused: string[] = [];
    const compute = createSealBatch({ onRefused: ({ id }) => refused.push(id) });
    expect((await seal(compute)).sealed).toBe(COUNT);
    expect(refused).toEqual(huge);
    expect((await heads())[0]).toMatchObject({ size: COUNT, entries: COUNT, pending: huge.length });
  });
});
