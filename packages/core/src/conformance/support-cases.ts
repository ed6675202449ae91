import assert from 'node:assert/strict';
import { sampleEvent, sampleEvents, sampleId } from './sample-event.js';
import { GUARDED } from './store-harness.js';
import {
  assertChain,
  collect,
  pause,
  type StoreCases,
  sameBytes,
  sealAll,
  sealSome,
} from './store-session.js';

export const durableCases: StoreCases = {
  'what an append resolved for is there after the store was closed and opened again': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    await sealSome(store, 'audit', 2);
    await store.close();
    const again = await session.open();
    await again.check();
    assert.equal((await collect(again.entries('audit'))).length, 2);
    assert.equal((await collect(again.pending('audit'))).length, 1);
    assert.equal((await again.head('audit'))?.size, 2);
    await again.append([sampleEvent(3)]);
    await sealAll(again, 'audit');
    assertChain(await session.snapshot(), 'audit', 4);
  },
};

export const notDurableCases: StoreCases = {
  'a store that is not durable is empty when it is opened again, not half there': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    await sealSome(store, 'audit', 2);
    await store.close();
    const again = await session.ready();
    assert.deepEqual(await again.logs(), []);
    assert.equal(await again.head('audit'), null);
  },
};

/** The longest time that the event loop stood still while `run` ran, in milliseconds. */
async function longestPause(run: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  try {
    await run();
    await pause(6);
  } finally {
    clearInterval(timer);
  }
  return longest;
}

export const processCases: StoreCases = {
  'one store sees at once what another has appended and sealed': async (session) => {
    const store = await session.ready();
    const other = await session.open();
    await store.append([sampleEvent(1)]);
    assert.deepEqual(await other.pendingLogs(), ['audit']);
    await sealAll(other, 'audit');
    assert.deepEqual(await store.pendingLogs(), []);
    assert.equal((await store.head('audit'))?.size, 1);
  },

  'a seal answers `busy` instead of waiting while another holds the lock': async (session) => {
    const { lock } = session.harness;
    assert.ok(lock);
    const store = await session.ready();
    await store.append([sampleEvent(0)]);
    await sealAll(store, 'audit');
    await store.append(sampleEvents(1, 4));
    const unlock = await lock('audit');
    try {
      const outcome = await Promise.race([sealSome(store, 'audit'), pause(1_000)]);
      assert.deepEqual(outcome, { sealed: 0, busy: true });
    } finally {
      await unlock();
    }
    assert.equal(await sealAll(store, 'audit'), 3);
    assertChain(await session.snapshot(), 'audit', 4);
  },

  'a lock held elsewhere for half a second neither stalls the event loop nor loses an append': async (
    session,
  ) => {
    const { lock } = session.harness;
    assert.ok(lock);
    const store = await session.ready();
    await store.append([sampleEvent(0)]);
    await sealAll(store, 'audit');
    const unlock = await lock('audit');
    const longest = await longestPause(async () => {
      const append = store.append(sampleEvents(1, 6));
      const seal = sealSome(store, 'audit');
      await pause(500);
      await unlock();
      await Promise.all([append, seal]);
    });
    // The bound leaves room for a busy machine; waiting inside the driver would show as the whole 500 ms and more.
    assert.ok(longest < 250, `the event loop stood still for ${Math.round(longest)} ms`);
    await sealAll(store, 'audit');
    assertChain(await session.snapshot(), 'audit', 6);
  },
};

export const oneProcessCases: StoreCases = {
  'a store for one process shares nothing with a second one': async (session) => {
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    const other = await session.ready();
    assert.deepEqual(await other.logs(), []);
    await other.append([sampleEvent(2)]);
    assert.equal(await store.find(sampleEvent(2).id), null);
  },
};

export const guardCases: StoreCases = {
  'the database refuses to change or delete what the log holds': async (session) => {
    const { guards } = session.harness;
    assert.ok(guards);
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    await sealSome(store, 'audit', 2);
    for (const size of [0, 1]) {
      const note = Buffer.from(`${size}`);
      await store.checkpoints?.add({ log: 'audit', size, note, range: new Uint8Array(), madeAt: 1n });
    }
    const before = await session.snapshot();
    const names = new Set<string>();
    for (const [at, eventId] of [sampleEvent(0).id, sampleEvent(1).id].entries()) {
      for (const guard of guards({ log: 'audit', eventId, index: at })) {
        names.add(guard.name);
        await assert.rejects(
          async () => guard.attempt(),
          (error) => error instanceof Error && error.message.length > 10,
          `${guard.name} was let through`,
        );
        assert.deepEqual(await session.snapshot(), before, `${guard.name} left a trace`);
      }
    }
    for (const name of GUARDED) assert.ok(names.has(name), `the harness does not try to ${name}`);
  },

  'an event that still waits is as protected as a sealed one': async (session) => {
    const { guards } = session.harness;
    assert.ok(guards);
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    const before = await session.snapshot();
    for (const guard of guards({ log: 'audit', eventId: sampleEvent(1).id, index: 0 })) {
      if (!guard.name.includes('event')) continue;
      await assert.rejects(async () => guard.attempt(), `${guard.name} was let through`);
      assert.deepEqual(await session.snapshot(), before);
    }
  },
};

/** The counter-test for insert-only databases that can be emptied all the same. */
export const truncateCases: StoreCases = {
  'where TRUNCATE gets past the guards, each table that it left alone shows what is gone': async (
    session,
  ) => {
    const { truncate } = session.harness;
    assert.ok(truncate);
    const store = await session.ready();
    await store.append(sampleEvents(0, 5));
    await sealSome(store, 'audit', 3);
    await truncate();
    assert.equal((await session.snapshot()).events.length, 0, 'it was not let through');
    const entries = await collect(store.entries('audit'));
    assert.deepEqual(
      entries.map(({ event }) => event),
      [null, null, null],
    );
    assert.deepEqual([...(await collect(store.strayPending('audit')))].sort(), [3, 4].map(sampleId));
    assert.deepEqual(await store.logs(), [
      { log: 'audit', events: 0, pending: 2, entries: 3, hasHead: true },
    ]);
    assert.equal((await store.head('audit'))?.size, 3);
  },
};

export const noGuardCases: StoreCases = {
  'where nothing refuses a change, the leaf that was written with the event stays to show it': async (
    session,
  ) => {
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    await sealAll(store, 'audit');
    await session.harness.raw.setBody(sampleEvent(1).id, Uint8Array.of(0x7b, 0x7d));
    const [entry] = await collect(store.entries('audit'));
    assert.ok(entry?.event);
    sameBytes(entry.event.body, Uint8Array.of(0x7b, 0x7d), 'the altered body');
    sameBytes(entry.event.leaf, sampleEvent(1).leaf, 'the leaf of the event');
    sameBytes(entry.leaf, sampleEvent(1).leaf, 'the leaf of the entry');
  },
};
