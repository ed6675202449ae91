import assert from 'node:assert/strict';
import type { PreparedEvent } from '../event.js';
import type { Outbox, OutboxRow } from '../outbox.js';
import type { AuditStore } from '../store.js';
import { uuidTime } from '../uuid.js';
import { sampleEvent, sampleEvents, sampleId } from './sample-event.js';
import type { ForeignConnection, RawOutboxRow } from './store-harness.js';
import { pause, type StoreCases, type StoreSession, sameBytes } from './store-session.js';

const EVERYTHING = { limit: 10_000, except: [] };
/** Nobody may be held up for as long by a relay that delivers. */
const PATIENCE_MS = 5_000;
/** So often at most a relay may ask for the 20 rows of a case. */
const MOST_ROUNDS = 20;

interface OutboxBench {
  readonly store: AuditStore;
  readonly outbox: Outbox;
  readonly connection: ForeignConnection;
  /** Writes the events in a transaction of the application that commits. */
  write(events: readonly PreparedEvent[]): Promise<void>;
  rows(): Promise<readonly RawOutboxRow[]>;
}

/** For stores with an `outbox`. */
export const outboxCases: StoreCases = {
  'events written to the outbox are there once their transaction commits, as they are, and not in the log': (
    session,
  ) =>
    withOutbox(session, async ({ outbox, connection, rows }) => {
      const body = Uint8Array.from({ length: 256 }, (_, at) => at);
      const events = [sampleEvent(0, { body }), ...sampleEvents(1, 1_200)];
      await connection.begin();
      for (const statement of outbox.transactional.statements(events, { isFresh: true }))
        await connection.execute(statement);
      assert.deepEqual(await rows(), []);
      await connection.commit();
      const found = await rows();
      assert.deepEqual(
        found.map(({ id }) => id),
        events.map(({ id }) => id),
      );
      sameBytes(found[0]?.body ?? new Uint8Array(), body, 'the body in the outbox');
      const { events: stored, pending } = await session.snapshot();
      assert.deepEqual({ stored, pending }, { stored: [], pending: [] });
    }),

  'events written to the outbox leave with the rollback of their transaction': (session) =>
    withOutbox(session, async ({ outbox, connection, rows }) => {
      await connection.begin();
      for (const statement of outbox.transactional.statements(sampleEvents(0, 3)))
        await connection.execute(statement);
      await connection.rollback();
      assert.deepEqual(await rows(), []);
      assert.deepEqual(await outbox.inspect(), { waiting: 0, oldest: null });
    }),

  "the caller's session functions answer as they did before the outbox was written": (session) =>
    withOutbox(session, async ({ outbox, connection }) => {
      for (const isFresh of [true, false]) {
        await connection.begin();
        const before = await connection.sessionFunctions();
        const events = isFresh ? sampleEvents(0, 5) : sampleEvents(3, 8);
        for (const statement of outbox.transactional.statements(events, { isFresh }))
          await connection.execute(statement);
        assert.deepEqual(await connection.sessionFunctions(), before);
        await connection.rollback();
      }
    }),

  'the outbox is named as its database is': (session) =>
    withOutbox(session, async ({ store, outbox: { transactional } }) => {
      assert.equal(transactional.database, store.transactional?.database);
      assert.equal(transactional.dialect, store.transactional?.dialect);
      assert.equal(transactional.nameSql, store.transactional?.nameSql);
      assert.equal(await transactional.identify?.(), await store.transactional?.identify?.());
    }),

  'the oldest rows are handed out first, so many as were asked for, and leave once they are delivered': (
    session,
  ) =>
    withOutbox(session, async ({ outbox, write, rows }) => {
      await write(sampleEvents(5, 10));
      await write(sampleEvents(0, 5));
      assert.deepEqual(await outbox.inspect(), { waiting: 10, oldest: uuidTime(sampleId(0)) });
      const handed: OutboxRow[] = [];
      const deliver = async (given: readonly OutboxRow[]) => {
        assert.equal((await rows()).length, 10 - handed.length, 'gone before they were delivered');
        handed.push(...given);
        return given;
      };
      assert.deepEqual(await outbox.drain({ limit: 4, except: [], deliver }), {
        taken: 4,
        removed: 4,
        busy: false,
      });
      assert.deepEqual(
        (await rows()).map(({ id }) => id),
        sampleEvents(4, 10).map(({ id }) => id),
      );
      assert.deepEqual(await outbox.drain({ limit: 100, except: [], deliver }), {
        taken: 6,
        removed: 6,
        busy: false,
      });
      assert.deepEqual(
        handed.map(({ id }) => id),
        sampleEvents(0, 10).map(({ id }) => id),
      );
      for (const [at, { body }] of handed.entries()) sameBytes(body, sampleEvent(at).body, 'a body');
      const none = await outbox.drain({
        limit: 100,
        except: [],
        deliver: () => assert.fail('nothing is there'),
      });
      assert.deepEqual(none, { taken: 0, removed: 0, busy: false });
    }),

  'what could not be delivered stays, the error is that of the delivery, and the next one gets it all': (
    session,
  ) =>
    withOutbox(session, async ({ outbox, write, rows }) => {
      await write(sampleEvents(0, 3));
      const failure = new Error('the other database is away');
      await assert.rejects(
        outbox.drain({ ...EVERYTHING, deliver: () => Promise.reject(failure) }),
        (error) => error === failure,
      );
      assert.equal((await rows()).length, 3);
      assert.equal((await outbox.drain({ ...EVERYTHING, deliver: async (given) => given })).removed, 3);
      assert.deepEqual(await rows(), []);
    }),

  'only what was delivered leaves, and what is to be passed over is not handed out': (session) =>
    withOutbox(session, async ({ outbox, write, rows }) => {
      await write(sampleEvents(0, 6));
      const first = await outbox.drain({
        ...EVERYTHING,
        deliver: async (given) => given.filter((_, at) => at % 2 === 0),
      });
      assert.deepEqual(first, { taken: 6, removed: 3, busy: false });
      const handed: string[] = [];
      await outbox.drain({
        limit: 1,
        except: [sampleId(1), sampleId(5)],
        deliver: async (given) => {
          handed.push(...given.map(({ id }) => id));
          return given;
        },
      });
      assert.deepEqual(handed, [sampleId(3)]);
      assert.deepEqual(
        (await rows()).map(({ id }) => id),
        [sampleId(1), sampleId(5)],
      );
    }),

  'an event that was written twice is delivered as itself, and none of it is left': (session) =>
    withOutbox(session, async ({ outbox, write, rows }) => {
      await write(sampleEvents(0, 3));
      await write(sampleEvents(1, 4));
      await write([sampleEvent(2), sampleEvent(2)]);
      const handed = new Set<string>();
      await outbox.drain({
        ...EVERYTHING,
        deliver: async (given) => {
          for (const { id, body } of given) {
            handed.add(id);
            sameBytes(body, sampleEvent(Number.parseInt(id.slice(24), 16)).body, 'a body');
          }
          return given;
        },
      });
      assert.deepEqual(
        [...handed],
        sampleEvents(0, 4).map(({ id }) => id),
      );
      assert.deepEqual(await rows(), []);
    }),

  'an application writes while a relay delivers, and what it writes is not lost with what was delivered': (
    session,
  ) =>
    withOutbox(session, async ({ outbox, write, rows }) => {
      await write(sampleEvents(10, 13));
      await outbox.drain({
        ...EVERYTHING,
        deliver: async (given) => {
          await inTime(write(sampleEvents(0, 3)), 'a write waits for the relay');
          return given;
        },
      });
      assert.deepEqual(
        (await rows()).map(({ id }) => id),
        sampleEvents(0, 3).map(({ id }) => id),
      );
    }),

  'what an open transaction has written is not waited for, and comes once it commits': (session) =>
    withOutbox(session, async ({ outbox, connection, write }) => {
      await write([sampleEvent(5)]);
      await connection.begin();
      for (const statement of outbox.transactional.statements([sampleEvent(1)], { isFresh: true }))
        await connection.execute(statement);
      const handed: string[] = [];
      const deliver = async (given: readonly OutboxRow[]) => {
        handed.push(...given.map(({ id }) => id));
        return given;
      };
      // Where one writer excludes all others the rows may stay until it has ended.
      await inTime(
        outbox.drain({ ...EVERYTHING, deliver }).catch(() => undefined),
        'the relay waits for the transaction',
      );
      assert.deepEqual([...new Set(handed)], [sampleId(5)]);
      await connection.commit();
      await outbox.drain({ ...EVERYTHING, deliver });
      assert.ok(handed.includes(sampleId(1)));
      assert.deepEqual(await outbox.inspect(), { waiting: 0, oldest: null });
    }),

  'two relays at once neither wait for one another nor lose a row': (session) =>
    withOutbox(session, async ({ outbox, write, rows }) => {
      await write(sampleEvents(0, 20));
      const other = (await session.open()).outbox;
      assert.ok(other);
      const handed = new Set<string>();
      const take = async (given: readonly OutboxRow[]) => {
        for (const { id } of given) handed.add(id);
        return given;
      };
      await outbox.drain({
        limit: 10,
        except: [],
        deliver: async (given) => {
          await inTime(
            other.drain({ limit: 10, except: [], deliver: take }),
            'one relay waits for the other',
          );
          return take(given);
        },
      });
      for (let rounds = 0; ; rounds += 1) {
        assert.ok(rounds < MOST_ROUNDS, 'rows are handed out for ever');
        if ((await other.drain({ limit: 10, except: [], deliver: take })).taken === 0) break;
      }
      assert.equal(handed.size, 20);
      assert.deepEqual(await rows(), []);
    }),
};

/** The counter-test for stores without an outbox. */
export const noOutboxCases: StoreCases = {
  'a store that has no outbox does not offer one': async (session) => {
    const store = await session.ready();
    assert.equal(store.outbox, undefined);
  },
};

async function withOutbox(session: StoreSession, run: (bench: OutboxBench) => Promise<void>): Promise<void> {
  const { foreign, outbox: rows } = session.harness;
  const store = await session.ready();
  const { outbox } = store;
  assert.ok(foreign && rows && outbox, 'the harness or the store has no outbox');
  const connection = await foreign();
  const writer = await foreign();
  const write = async (events: readonly PreparedEvent[]): Promise<void> => {
    await writer.begin();
    for (const statement of outbox.transactional.statements(events)) await writer.execute(statement);
    await writer.commit();
  };
  try {
    await run({ store, outbox, connection, write, rows });
  } finally {
    await connection.close();
    await writer.close();
  }
}

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  const late = pause(PATIENCE_MS).then(() => assert.fail(what));
  late.catch(() => {});
  return Promise.race([work, late]);
}
