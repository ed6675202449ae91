import assert from 'node:assert/strict';
import type { StoreCondition } from '../health.js';
import type { EventFilter } from '../store.js';
import { createUuidV7 } from '../uuid.js';
import { SEALED_AT } from './chain-seal.js';
import { sampleEvent, sampleEvents, sampleId } from './sample-event.js';
import { collect, type StoreCases, sealAll, sealSome } from './store-session.js';

function pick({ pending, oldestPending }: StoreCondition): StoreCondition {
  return { pending, oldestPending };
}

export const readCases: StoreCases = {
  'entries come in the order of their index, whole or by range': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 1_150));
    await sealAll(store, 'audit', 400);
    const all = await collect(store.entries('audit'));
    assert.deepEqual(
      all.map((entry) => entry.index),
      Array.from({ length: 1_150 }, (_, at) => at),
    );
    assert.equal(all[3]?.sealedAt, SEALED_AT + 3n);
    assert.equal(all[3]?.log, 'audit');
    assert.equal(all[3]?.eventId, sampleId(3));
    const indexes = async (range: { from?: number; to?: number }) =>
      (await collect(store.entries('audit', range))).map((entry) => entry.index);
    assert.deepEqual(await indexes({ from: 1_147 }), [1_147, 1_148, 1_149]);
    assert.deepEqual(await indexes({ to: 2 }), [0, 1]);
    assert.deepEqual(await indexes({ from: 499, to: 502 }), [499, 500, 501]);
    assert.deepEqual(await indexes({ from: 2_000 }), []);
    assert.deepEqual(await indexes({ from: 5, to: 5 }), []);
    assert.deepEqual(await collect(store.entries('audit/elsewhere')), []);
  },

  'an entry whose event was deleted has no event': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    await sealAll(store, 'audit');
    await session.harness.raw.deleteEvent(sampleId(1));
    const entries = await collect(store.entries('audit'));
    assert.deepEqual(
      entries.map((entry) => entry.event?.id ?? null),
      [sampleId(0), null, sampleId(2)],
    );
    assert.equal(await store.find(sampleId(1)), null);
  },

  'it tells how many events wait in all logs, and since when the oldest does': async (session) => {
    const store = await session.ready();
    assert.deepEqual(pick(await store.inspect()), { pending: 0, oldestPending: null });
    const second = (n: number) => new Date(1_700_000_000_000 + n * 1_000);
    const made = (n: number, log: string) => ({ ...sampleEvent(n, { log }), id: createUuidV7(second(n)) });
    await store.append([made(4, 'audit/west'), made(1, 'audit'), made(2, 'audit'), made(0, 'audit/north')]);
    assert.deepEqual(pick(await store.inspect()), { pending: 4, oldestPending: second(0) });
    await sealAll(store, 'audit/north');
    assert.deepEqual(pick(await store.inspect()), { pending: 3, oldestPending: second(1) });
    await sealSome(store, 'audit', 1);
    assert.deepEqual(pick(await store.inspect()), { pending: 2, oldestPending: second(2) });
    await sealAll(store, 'audit');
    assert.deepEqual(pick(await store.inspect()), { pending: 1, oldestPending: second(4) });
    await sealAll(store, 'audit/west');
    assert.deepEqual(pick(await store.inspect()), { pending: 0, oldestPending: null });
  },

  'pending events come in the order of their ids': async (session) => {
    const store = await session.ready();
    const order = [3, 1, 2, ...Array.from({ length: 1_100 }, (_, at) => 2_000 - at)];
    await store.append(order.map((n) => sampleEvent(n)));
    await store.append([sampleEvent(5_000, { log: 'audit/north' })]);
    const ids = (await collect(store.pending('audit'))).map((event) => event.id);
    assert.deepEqual(ids, [...order].sort((one, other) => one - other).map(sampleId));
  },

  'an event that lost its pending row is an orphan': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 4));
    await sealSome(store, 'audit', 2);
    assert.deepEqual(await collect(store.orphans('audit')), []);
    await session.harness.raw.deletePending('audit', sampleId(2));
    assert.deepEqual(
      (await collect(store.orphans('audit'))).map((event) => event.id),
      [sampleId(2)],
    );
    assert.deepEqual(await collect(store.orphans('audit/north')), []);
  },

  'a pending row without its event, or of a sealed one, is stray': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 3));
    await sealSome(store, 'audit', 1);
    assert.deepEqual(await collect(store.strayPending('audit')), []);
    await session.harness.raw.insertPending('audit', sampleId(0));
    await session.harness.raw.insertPending('audit', sampleId(77));
    assert.deepEqual([...(await collect(store.strayPending('audit')))].sort(), [sampleId(0), sampleId(77)]);
  },

  'summaries count each table, log by log': async (session) => {
    const store = await session.ready();
    assert.deepEqual(await store.logs(), []);
    await store.append(sampleEvents(0, 5, { log: 'audit/north' }));
    await store.append(sampleEvents(5, 7, { log: 'audit/south' }));
    await sealSome(store, 'audit/north', 3);
    await session.harness.raw.deleteEvent(sampleId(0));
    await session.harness.raw.insertPending('audit/west', sampleId(99));
    const summaries = [...(await store.logs())].sort((one, other) => (one.log < other.log ? -1 : 1));
    assert.deepEqual(
      summaries.map((summary) => ({ ...summary })),
      [
        { log: 'audit/north', events: 4, pending: 2, entries: 3, hasHead: true },
        { log: 'audit/south', events: 2, pending: 2, entries: 0, hasHead: false },
        { log: 'audit/west', events: 0, pending: 1, entries: 0, hasHead: false },
      ],
    );
  },

  'a found event knows its place, or that it has none yet': async (session) => {
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    const waiting = await store.find(sampleId(1));
    assert.equal(waiting?.index, null);
    assert.equal(waiting?.sealedAt, null);
    await sealAll(store, 'audit');
    const sealed = await store.find(sampleId(1));
    assert.equal(sealed?.index, 0);
    assert.equal(sealed?.sealedAt, SEALED_AT);
    assert.equal(sealed?.log, 'audit');
    assert.equal(await store.find(sampleId(2)), null);
    assert.equal(await store.find("' OR 1=1 --"), null);
  },

  'each filter narrows the list, and several narrow it together': async (session) => {
    const store = await session.ready();
    const special = {
      action: 'invoice.exported',
      category: 'billing',
      outcome: 'denied',
      actorId: 'grace',
      resourceType: 'Invoice',
      resourceId: 'i-1',
      requestId: 'r-1',
      transactionId: 't-1',
    };
    await store.append(sampleEvents(0, 3));
    await store.append([sampleEvent(50, { log: 'audit/north', columns: special }), sampleEvent(51)]);
    const ids = async (filter: EventFilter) => (await store.list(filter)).map((event) => event.id);
    for (const [name, value] of Object.entries({ ...special, log: 'audit/north' })) {
      assert.deepEqual(await ids({ [name]: value }), [sampleId(50)], name);
      assert.deepEqual(await ids({ [name]: `${value}x` }), [], `${name} with another value`);
    }
    assert.deepEqual(await ids({ ...special, log: 'audit/north' }), [sampleId(50)]);
    assert.deepEqual(await ids({ ...special, log: 'audit' }), []);
    assert.deepEqual(await ids({ actorId: 'ada', resourceId: '1' }), [sampleId(1)]);
    assert.deepEqual(await ids({ actorId: `' OR '1'='1` }), []);
  },

  'pages by id neither skip nor repeat, in both orders': async (session) => {
    const store = await session.ready();
    await store.append([5, 3, 8, 1, 9, 2].map((n) => sampleEvent(n)));
    await sealSome(store, 'audit', 2);
    for (const order of ['oldest', 'newest'] as const) {
      const seen: string[] = [];
      for (let page = await store.list({ order, limit: 2 }); page.length > 0; ) {
        seen.push(...page.map((event) => event.id));
        const after = page.at(-1)?.id;
        assert.ok(after !== undefined && seen.length < 20);
        page = await store.list({ order, limit: 2, after });
      }
      const expected = [1, 2, 3, 5, 8, 9].map(sampleId);
      assert.deepEqual(seen, order === 'oldest' ? expected : expected.reverse());
    }
    const [first] = await store.list();
    assert.equal(first?.index, 0);
    assert.equal(first?.sealedAt, SEALED_AT);
    assert.equal((await store.list({ order: 'newest' }))[0]?.index, null);
  },

  'a list has 100 events unless told otherwise': async (session) => {
    const store = await session.ready();
    await store.append(sampleEvents(0, 120));
    assert.equal((await store.list()).length, 100);
    assert.equal((await store.list({ limit: 110 })).length, 110);
  },
};
