import { auditErrorCode } from '../src/audit-error.js';
import type { PreparedEvent } from '../src/event.js';
import { getMemoryTables } from '../src/memory-store.js';
import type { AuditStore, StoredEvent } from '../src/store.js';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function throughText<T extends StoredEvent>(event: T): T {
  return { ...event, body: encoder.encode(decoder.decode(event.body)) };
}

async function* mapped<T, U>(
  batches: AsyncIterable<readonly T[]>,
  map: (one: T) => U,
): AsyncGenerator<readonly U[]> {
  for await (const batch of batches) yield batch.map(map);
}

async function* none(): AsyncGenerator<never[]> {}

/** Stores that break the contract in one point each. */
export const WRONG_STORES: Readonly<Record<string, (store: AuditStore) => AuditStore>> = {
  'drops the last event of an append': (store) => ({
    ...store,
    append: async (events) => {
      await store.append(events.slice(0, -1));
      return { appended: events.length, duplicates: 0 };
    },
  }),
  'drops an event of a large append only': (store) => ({
    ...store,
    append: async (events) => {
      await store.append(events.filter((_, at) => at !== 2_500));
      return { appended: events.length, duplicates: 0 };
    },
  }),
  'shows the events to the sealer in another order': (store) => ({
    ...store,
    seal: (request) =>
      store.seal({ ...request, compute: (head, pending) => request.compute(head, [...pending].reverse()) }),
  }),
  'forks: reads the head, and writes later without looking again': (store) => ({
    ...store,
    seal: async ({ log, limit, compute }) => {
      const tables = getMemoryTables(store);
      const head = await store.head(log);
      const pending = tables
        .pendingIds(log)
        .slice(0, limit)
        .flatMap((id) => tables.events.get(id) ?? []);
      const batch = compute(head, pending);
      await new Promise((resolve) => setImmediate(resolve));
      const entries = tables.entries.get(log) ?? new Map();
      tables.entries.set(log, entries);
      for (const entry of batch.entries) {
        entries.set(entry.index, entry);
        tables.places.set(entry.eventId, { log, entry });
        tables.pending.get(log)?.delete(entry.eventId);
      }
      if (batch.head !== null) tables.heads.set(log, batch.head);
      return { sealed: batch.entries.length, busy: false };
    },
  }),
  'fails after it has persisted': (store) => ({
    ...store,
    append: async (events) => {
      await store.append(events);
      throw new Error('the connection was cut');
    },
  }),
  'keeps bodies as text': (store) => ({
    ...store,
    find: async (id) => {
      const found = await store.find(id);
      return found === null ? null : throughText(found);
    },
  }),
  'gives the sealer bodies that went through text': (store) => ({
    ...store,
    pending: (log) => mapped(store.pending(log), throughText),
  }),
  'gives entries with bodies that went through text': (store) => ({
    ...store,
    entries: (log, range) =>
      mapped(store.entries(log, range), (entry) => ({
        ...entry,
        event: entry.event === null ? null : throughText(entry.event),
      })),
  }),
  'loses a pending row': (store) => ({
    ...store,
    append: async (events) => {
      const outcome = await store.append(events);
      const last = events.at(-1);
      if (last !== undefined && events.length > 4)
        getMemoryTables(store).pending.get(last.log)?.delete(last.id);
      return outcome;
    },
  }),
  'keeps what came before a conflict': (store) => ({
    ...store,
    append: async (events) => {
      let appended = 0;
      for (const event of events) appended += (await store.append([event])).appended;
      return { appended, duplicates: events.length - appended };
    },
  }),
  'replaces an event that has the same id': (store) => ({
    ...store,
    append: async (events) => {
      try {
        return await store.append(events);
      } catch (error) {
        if (auditErrorCode(error) !== 'AUDIT_ID_CONFLICT') throw error;
        for (const event of events) getMemoryTables(store).events.set(event.id, event);
        return { appended: events.length, duplicates: 0 };
      }
    },
  }),
  'refuses a retry': (store) => ({
    ...store,
    append: async (events) => {
      for (const { id } of events)
        if ((await store.find(id)) !== null) throw new Error('UNIQUE constraint failed');
      return store.append(events);
    },
  }),
  'makes a sealed event pending again when it is retried': (store) => ({
    ...store,
    append: async (events) => {
      const outcome = await store.append(events);
      const { pending } = getMemoryTables(store);
      for (const { log, id } of events) pending.set(log, (pending.get(log) ?? new Set()).add(id));
      return outcome;
    },
  }),
  'leaves sealed events in pending': (store) => ({
    ...store,
    seal: async (request) => {
      const tables = getMemoryTables(store);
      const before = [...(tables.pending.get(request.log) ?? [])];
      const outcome = await store.seal({
        ...request,
        compute: (head, pending) =>
          request.compute(
            head,
            pending.filter(({ id }) => !tables.places.has(id)),
          ),
      });
      for (const id of before) tables.pending.get(request.log)?.add(id);
      return outcome;
    },
  }),
  'does not roll back when compute throws': (store) => ({
    ...store,
    seal: (request) =>
      store.seal({
        ...request,
        compute: (head, pending) => {
          try {
            return request.compute(head, pending);
          } catch (error) {
            getMemoryTables(store).pending.get(request.log)?.clear();
            throw error;
          }
        },
      }),
  }),
  'hides what compute throws': (store) => ({
    ...store,
    seal: (request) => store.seal(request).catch(() => ({ sealed: 0, busy: false })),
  }),
  'empties the pending rows of all logs with one': (store) => ({
    ...store,
    seal: async (request) => {
      const outcome = await store.seal(request);
      if (outcome.sealed > 0) getMemoryTables(store).pending.clear();
      return outcome;
    },
  }),
  'ignores the limit of a seal': (store) => ({
    ...store,
    seal: (request) => store.seal({ ...request, limit: 1_000_000 }),
  }),
  'removes from pending what compute left out': (store) => ({
    ...store,
    seal: async (request) => {
      const outcome = await store.seal(request);
      getMemoryTables(store).pending.get(request.log)?.clear();
      return outcome;
    },
  }),
  'rounds the time of sealing to milliseconds': (store) => ({
    ...store,
    entries: (log, range) =>
      mapped(store.entries(log, range), (entry) => ({
        ...entry,
        sealedAt: (entry.sealedAt / 1000n) * 1000n,
      })),
  }),
  'drops the mac of the head': (store) => ({
    ...store,
    seal: (request) =>
      store.seal({
        ...request,
        compute: (head, pending) => request.compute(head === null ? null : { ...head, mac: null }, pending),
      }),
  }),
  'gives one entry too many of a range': (store) => ({
    ...store,
    entries: (log, range = {}) =>
      store.entries(log, range.to === undefined ? range : { ...range, to: range.to + 1 }),
  }),
  'leaves out entries whose event is gone': (store) => ({
    ...store,
    entries: (log, range) => {
      const all = store.entries(log, range);
      return (async function* () {
        for await (const batch of all) yield batch.filter((entry) => entry.event !== null);
      })();
    },
  }),
  'sees no orphans': (store) => ({ ...store, orphans: none }),
  'sees no stray pending rows': (store) => ({ ...store, strayPending: none }),
  'lists only logs that have events': (store) => ({
    ...store,
    logs: async () => (await store.logs()).filter((summary) => summary.events > 0),
  }),
  'forgets that an event is sealed': (store) => ({
    ...store,
    find: async (id) => {
      const found = await store.find(id);
      return found === null ? null : { ...found, index: null, sealedAt: null };
    },
  }),
  ...Object.fromEntries(
    (
      [
        'log',
        'action',
        'category',
        'outcome',
        'actorId',
        'resourceType',
        'resourceId',
        'requestId',
        'transactionId',
        'after',
        'order',
      ] as const
    ).map((name) => [
      `ignores the filter ${name}`,
      (store: AuditStore): AuditStore => ({
        ...store,
        list: async ({ [name]: _, ...filter } = {}) => store.list(filter),
      }),
    ]),
  ),
  'repeats the last event of a page': (store) => ({
    ...store,
    list: async (filter = {}) => {
      const page = await store.list(filter);
      const last = filter.after === undefined ? null : await store.find(filter.after);
      return last === null ? page : [last, ...page];
    },
  }),
  'turns the empty string into null': (store) => ({
    ...store,
    append: (events) => store.append(events.map(withoutEmpty)),
  }),
  'answers after it was closed': (store) => ({ ...store, close: async () => {} }),
  'does not close twice': (store) => {
    let closed = false;
    return {
      ...store,
      close: async () => {
        if (closed) throw new Error('closed already');
        closed = true;
        await store.close();
      },
    };
  },
  'claims more than it supports': (store) => ({ ...store, supports: { ...store.supports, durable: true } }),
};

function withoutEmpty(event: PreparedEvent): PreparedEvent {
  return { ...event, columns: { ...event.columns, tenant: event.columns.tenant || null } };
}
