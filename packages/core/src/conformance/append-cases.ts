import assert from 'node:assert/strict';
import { sampleEvent, sampleEvents, sampleId } from './sample-event.js';
import { assertNoneAstray, rejectsWith, type StoreCases, sameBytes, sealAll } from './store-session.js';

export const appendCases: StoreCases = {
  'an appended event stands in the database with its bytes, its leaf and its columns, and is pending': async (
    session,
  ) => {
    const store = await session.ready();
    const event = sampleEvent(1, {
      columns: { tenant: 'north', requestId: 'r-1', transactionId: 't-1', ip: '::1' },
    });
    assert.deepEqual(await store.append([event]), { appended: 1, duplicates: 0 });
    const { events, pending, entries } = await session.snapshot();
    assert.equal(events.length, 1);
    const [row] = events;
    assert.ok(row !== undefined);
    assert.equal(row.id, event.id);
    assert.equal(row.log, event.log);
    sameBytes(row.body, event.body, 'the body');
    sameBytes(row.leaf, event.leaf, 'the leaf');
    assert.deepEqual({ ...row.columns }, { ...event.columns });
    assert.deepEqual(
      pending.map(({ log, id }) => ({ log, id })),
      [{ log: event.log, id: event.id }],
    );
    assert.equal(entries.length, 0);
  },

  'an append of nothing does nothing': async (session) => {
    const store = await session.ready();
    assert.deepEqual(await store.append([]), { appended: 0, duplicates: 0 });
    assert.equal((await session.snapshot()).events.length, 0);
  },

  'an append of 3,000 events keeps every one of them': async (session) => {
    const store = await session.ready();
    const events = sampleEvents(0, 3_000);
    assert.deepEqual(await store.append(events), { appended: 3_000, duplicates: 0 });
    const ids = (await session.snapshot()).events.map((row) => row.id).sort();
    assert.deepEqual(
      ids,
      events.map((event) => event.id),
    );
  },

  'one append may hold events of several logs': async (session) => {
    const store = await session.ready();
    await store.append([
      sampleEvent(1, { log: 'audit/north' }),
      sampleEvent(2, { log: 'audit/south%20east' }),
    ]);
    assert.deepEqual([...(await store.pendingLogs())].sort(), ['audit/north', 'audit/south%20east']);
  },

  'a retry with the same bytes changes nothing': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    assert.deepEqual(await store.append(sampleEvents(1, 5)), { appended: 2, duplicates: 2 });
    assert.deepEqual(await store.append([sampleEvent(9), sampleEvent(9)]), { appended: 1, duplicates: 1 });
    const snapshot = await session.snapshot();
    assert.equal(snapshot.events.length, 6);
    assert.equal(snapshot.pending.length, 6);
  },

  'a retry of an event that is sealed already does not make it pending again': async (session) => {
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    await sealAll(store, 'audit');
    assert.deepEqual(await store.append([sampleEvent(1)]), { appended: 0, duplicates: 1 });
    const snapshot = await session.snapshot();
    assert.equal(snapshot.pending.length, 0);
    assert.equal(snapshot.entries.length, 1);
  },

  'an id that is stored with other bytes is refused, and nothing of that append is kept': async (session) => {
    const store = await session.ready();
    await store.append([sampleEvent(5)]);
    const other = sampleEvent(5, { body: new TextEncoder().encode('{"forged":true}') });
    await rejectsWith('AUDIT_ID_CONFLICT', () =>
      store.append([...sampleEvents(0, 4), other, sampleEvent(7)]),
    );
    const snapshot = await session.snapshot();
    assert.deepEqual(
      snapshot.events.map((row) => row.id),
      [sampleId(5)],
    );
    assert.equal(snapshot.pending.length, 1);
    const [row] = snapshot.events;
    assert.ok(row !== undefined);
    sameBytes(row.body, sampleEvent(5).body, 'the body that was there first');
  },

  'an append is all or nothing also when the conflict comes after 1,200 good events, or within itself':
    async (session) => {
      const store = await session.ready();
      const twin = sampleEvent(3, { body: Uint8Array.of(1) });
      await rejectsWith('AUDIT_ID_CONFLICT', () => store.append([...sampleEvents(0, 1_200), twin]));
      const snapshot = await session.snapshot();
      assert.equal(snapshot.events.length, 0);
      assert.equal(snapshot.pending.length, 0);
      assert.deepEqual(await store.append(sampleEvents(0, 4)), { appended: 4, duplicates: 0 });
    },

  'forty appends at once are all kept, through two stores where there can be two': async (session) => {
    const store = await session.ready();
    const other = await session.beside(store);
    await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        (at % 2 === 0 ? store : other).append(sampleEvents(at * 10, at * 10 + 10)),
      ),
    );
    const snapshot = await session.snapshot();
    assert.equal(snapshot.events.length, 400);
    assertNoneAstray(snapshot);
  },

  'the same events appended by two at once are stored once': async (session) => {
    const store = await session.ready();
    const other = await session.beside(store);
    const outcomes = await Promise.all([
      store.append(sampleEvents(0, 50)),
      other.append(sampleEvents(0, 50)),
    ]);
    assert.equal(outcomes[0].appended + outcomes[1].appended, 50);
    assert.equal(outcomes[0].duplicates + outcomes[1].duplicates, 50);
    const snapshot = await session.snapshot();
    assert.equal(snapshot.events.length, 50);
    assert.equal(snapshot.pending.length, 50);
  },
};
