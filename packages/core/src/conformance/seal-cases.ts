import assert from 'node:assert/strict';
import type { PendingEvent, StoredHead } from '../store.js';
import { chainSeal } from './chain-seal.js';
import { sampleEvent, sampleEvents, sampleId } from './sample-event.js';
import {
  assertChain,
  assertNoneAstray,
  entriesOf,
  pause,
  type StoreCases,
  sameBytes,
  sealAll,
  sealSome,
} from './store-session.js';

export const sealCases: StoreCases = {
  'a seal writes entries and head and empties pending': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 5));
    assert.deepEqual(await sealSome(store, 'audit'), { sealed: 5, busy: false });
    const snapshot = await session.snapshot();
    assertChain(snapshot, 'audit', 5);
    assert.equal(snapshot.pending.length, 0);
    assert.equal(snapshot.events.length, 5);
    assert.deepEqual(await store.pendingLogs(), []);
  },

  'a seal without anything pending writes nothing': async (session) => {
    const store = await session.ready();
    assert.deepEqual(await sealSome(store, 'audit'), { sealed: 0, busy: false });
    await store.append([sampleEvent(1)]);
    await sealAll(store, 'audit');
    const before = await session.snapshot();
    assert.deepEqual(await sealSome(store, 'audit'), { sealed: 0, busy: false });
    assert.deepEqual(await session.snapshot(), before);
  },

  'a seal gets the head as it was written, and null for a new log': async (session) => {
    const store = await session.ready();
    const heads: (StoredHead | null)[] = [];
    const written: (StoredHead | null)[] = [];
    for (let n = 0; n < 4; n += 1) {
      await store.append([sampleEvent(n)]);
      await store.seal({
        log: 'audit',
        limit: 10,
        compute: (head, pending) => {
          heads.push(head);
          const batch = chainSeal('audit')(head, pending);
          written.push(batch.head);
          return batch;
        },
      });
    }
    assert.equal(heads[0], null);
    for (let n = 1; n < 4; n += 1) {
      const head = heads[n];
      const expected = written[n - 1];
      assert.ok(head && expected);
      assert.equal(head.log, 'audit');
      assert.equal(head.size, expected.size);
      sameBytes(head.hash, expected.hash, 'the hash');
      sameBytes(head.range, expected.range, 'the range');
      if (expected.mac === null) assert.equal(head.mac, null);
      else sameBytes(head.mac ?? new Uint8Array(0), expected.mac, 'the mac');
    }
    const head = await store.head('audit');
    assert.equal(head?.size, 4);
    assert.equal(await store.head('audit/elsewhere'), null);
  },

  'a seal gets at most `limit` events, in the order of their ids': async (session) => {
    const store = await session.ready();
    await store.append([7, 2, 9, 4, 1, 8].map((n) => sampleEvent(n)));
    const batches: string[][] = [];
    for (let round = 0; round < 3; round += 1) {
      await store.seal({
        log: 'audit',
        limit: 4,
        compute: (head, pending) => {
          batches.push(pending.map((event) => event.id));
          return chainSeal('audit')(head, pending);
        },
      });
    }
    assert.deepEqual(batches[0], [1, 2, 4, 7].map(sampleId));
    assert.deepEqual(batches[1], [8, 9].map(sampleId));
    assertChain(await session.snapshot(), 'audit', 6);
  },

  'events that a seal leaves out stay pending': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 4));
    const outcome = await store.seal({
      log: 'audit',
      limit: 10,
      compute: (head, pending) =>
        chainSeal('audit')(
          head,
          pending.filter((event) => event.id !== sampleId(1)),
        ),
    });
    assert.equal(outcome.sealed, 3);
    const snapshot = await session.snapshot();
    assert.deepEqual(
      snapshot.pending.map((row) => row.id),
      [sampleId(1)],
    );
    assertNoneAstray(snapshot);
  },

  'an event with an id smaller than those that are sealed is sealed later all the same': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(10, 13));
    await sealAll(store, 'audit');
    await store.append([sampleEvent(2)]);
    assert.equal(await sealAll(store, 'audit'), 1);
    const snapshot = await session.snapshot();
    assertChain(snapshot, 'audit', 4);
    assert.equal(entriesOf(snapshot, 'audit')[3]?.eventId, sampleId(2));
  },

  'what compute throws reaches the caller and rolls everything back': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 2));
    await sealAll(store, 'audit');
    await store.append(sampleEvents(2, 6));
    const before = await session.snapshot();
    const failure = new Error('the head is not to be trusted');
    await assert.rejects(
      store.seal({
        log: 'audit',
        limit: 10,
        compute: () => {
          throw failure;
        },
      }),
      (error) => error === failure,
    );
    assert.deepEqual(await session.snapshot(), before);
    assert.equal(await sealAll(store, 'audit'), 4);
    assertChain(await session.snapshot(), 'audit', 6);
  },

  'a seal that would fork the log is refused and leaves nothing behind': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    await sealAll(store, 'audit');
    await store.append(sampleEvents(3, 6));
    const before = await session.snapshot();
    // A sealer that lost sight of the head would give these events the indexes of the ones before them.
    await assert.rejects(
      store.seal({ log: 'audit', limit: 10, compute: (_head, pending) => chainSeal('audit')(null, pending) }),
    );
    assert.deepEqual(await session.snapshot(), before);
  },

  'an event can not be sealed twice': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 2));
    const kept: PendingEvent[] = [];
    await store.seal({
      log: 'audit',
      limit: 10,
      compute: (head, pending) => {
        kept.push(...pending);
        return chainSeal('audit')(head, pending);
      },
    });
    await store.append([sampleEvent(2)]);
    const before = await session.snapshot();
    await assert.rejects(
      store.seal({
        log: 'audit',
        limit: 10,
        compute: (head, pending) => chainSeal('audit')(head, [...pending, ...kept]),
      }),
    );
    assert.deepEqual(await session.snapshot(), before);
  },

  'sealing one log leaves the others alone': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3, { log: 'audit/north' }));
    await store.append(sampleEvents(3, 5, { log: 'audit/south' }));
    await sealAll(store, 'audit/north');
    const snapshot = await session.snapshot();
    assertChain(snapshot, 'audit/north', 3);
    assertChain(snapshot, 'audit/south', 0);
    assert.deepEqual(
      snapshot.pending.map((row) => row.log),
      ['audit/south', 'audit/south'],
    );
    assert.deepEqual(await store.pendingLogs(), ['audit/south']);
    await sealAll(store, 'audit/south');
    assertChain(await session.snapshot(), 'audit/south', 2);
  },

  'two sealers at once make one chain without a gap and without a fork': async (session) => {
    const store = await session.ready();
    const other = await session.beside(store);
    await store.append(sampleEvents(0, 150));
    const sealed = await Promise.all([sealAll(store, 'audit', 7), sealAll(other, 'audit', 5)]);
    assert.equal(sealed[0] + sealed[1], 150);
    const snapshot = await session.snapshot();
    assertChain(snapshot, 'audit', 150);
    assert.equal(snapshot.pending.length, 0);
  },

  'each event is pending or an entry at every moment that another reader can see': async (session) => {
    const store = await session.ready();
    const other = await session.beside(store);
    let done = false;
    const write = async () => {
      for (let n = 0; n < 300; n += 10) await store.append(sampleEvents(n, n + 10));
      done = true;
    };
    const seal = async () => {
      while (!done) {
        await sealAll(other, 'audit', 9);
        await pause(0);
      }
      await sealAll(other, 'audit', 9);
    };
    const watch = async () => {
      let looks = 0;
      while (!done) {
        assertNoneAstray(await session.snapshot());
        looks += 1;
        await pause(0);
      }
      return looks;
    };
    const [looks] = await Promise.all([watch(), write(), seal()]);
    assert.ok(looks > 0);
    const snapshot = await session.snapshot();
    assertNoneAstray(snapshot);
    assertChain(snapshot, 'audit', 300);
  },
};
