import type { RawDatabase, StoreHarness } from '../src/conformance/index.js';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import type { MemoryTables } from '../src/memory-tables.js';
import type { AuditStore } from '../src/store.js';

/** The newest of the stores that were opened is the one that `raw` looks into. */
export function createMemoryHarness(
  wrap: (store: AuditStore) => AuditStore = (store) => store,
): StoreHarness {
  let tables: MemoryTables | undefined;
  const get = (): MemoryTables => {
    if (tables === undefined) throw new Error('no store was opened yet');
    return tables;
  };
  return {
    open: async () => {
      const store = createMemoryStore();
      tables = getMemoryTables(store);
      return wrap(store);
    },
    raw: rawAccess(get),
    schema: null,
    guards: null,
    lock: null,
    foreign: null,
    outbox: null,
    dispose: async () => {},
  };
}

function rawAccess(get: () => MemoryTables): RawDatabase {
  return {
    snapshot: async () => {
      const { events, pending, entries, heads, checkpoints } = get();
      return structuredClone({
        events: [...events.values()].sort((one, other) => (one.id < other.id ? -1 : 1)),
        pending: [...pending].flatMap(([log, ids]) => [...ids].map((id) => ({ log, id }))),
        entries: [...entries].flatMap(([log, rows]) => [...rows.values()].map((row) => ({ log, ...row }))),
        heads: [...heads.values()],
        checkpoints: [...checkpoints.values()].flat(),
      });
    },
    insertPending: async (log, id) => {
      const ids = get().pending.get(log) ?? new Set<string>();
      get().pending.set(log, ids.add(id));
    },
    deletePending: async (log, id) => {
      get().pending.get(log)?.delete(id);
    },
    deleteEvent: async (id) => {
      get().events.delete(id);
    },
    setBody: async (id, body) => {
      const event = get().events.get(id);
      if (event !== undefined) get().events.set(id, { ...event, body });
    },
  };
}
