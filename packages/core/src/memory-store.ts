import { AuditError } from './audit-error.js';
import { copyCheckpoint, copyEvent, copyHead, MemoryTables } from './memory-tables.js';
import type { AuditStore, EventFilter, ListedEvent, StoredEntry, StoredEvent } from './store.js';
import { isUuidV7, uuidTime } from './uuid.js';

const BATCH = 500;
const tablesOf = new WeakMap<AuditStore, MemoryTables>();

/**
 * A store that lives and dies with the process: for tests and for trying things out. It needs no migration.
 *
 * @example
 * const audit = configureAudit({ store: createMemoryStore() });
 */
export function createMemoryStore(): AuditStore {
  const tables = new MemoryTables();
  let closed = false;
  const open = (): MemoryTables => {
    if (closed) throw new AuditError('AUDIT_CLOSED', 'core', 'the memory store is closed');
    return tables;
  };
  const store: AuditStore = {
    name: 'memory',
    supports: { durable: false, processes: false, insertOnly: false, truncateGuard: false },
    checkpoints: {
      add: async (checkpoint) => open().addCheckpoint(checkpoint),
      latest: async (log) => {
        const last = open().checkpoints.get(log)?.at(-1);
        return last === undefined ? null : copyCheckpoint(last);
      },
      list: (log, { from = Number.NEGATIVE_INFINITY } = {}) =>
        inBatches(() =>
          (open().checkpoints.get(log) ?? []).filter(({ size }) => size >= from).map(copyCheckpoint),
        ),
    },
    migrate: async () => {
      open();
      return { applied: [], version: 1 };
    },
    check: async () => {
      open();
    },
    append: async (events) => open().append(events),
    pendingLogs: async () => [...open().pending].filter(([, ids]) => ids.size > 0).map(([log]) => log),
    seal: async (request) => open().seal(request),
    logs: async () => open().summaries(),
    head: async (log) => {
      const head = open().heads.get(log);
      return head === undefined ? null : copyHead(head);
    },
    entries: (log, { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = {}) =>
      readEntries(open, log, from, to),
    pending: (log) => inBatches(() => pendingEvents(open(), log)),
    inspect: async () => {
      const waiting = [...open().pending.values()].flatMap((ids) => [...ids]);
      const [oldest] = waiting.sort();
      return { pending: waiting.length, oldestPending: isUuidV7(oldest) ? uuidTime(oldest) : null };
    },
    orphans: (log) => inBatches(() => orphans(open(), log)),
    strayPending: (log) => inBatches(() => strayIds(open(), log)),
    find: async (id) => {
      const event = open().events.get(id);
      return event === undefined ? null : listed(tables, event);
    },
    list: async (filter) => list(open(), filter ?? {}),
    close: async () => {
      closed = true;
    },
  };
  tablesOf.set(store, tables);
  return store;
}

/** The tables behind a memory store, for tests that read and tamper past it. */
export function getMemoryTables(store: AuditStore): MemoryTables {
  const tables = tablesOf.get(store);
  if (tables === undefined) throw new TypeError('not a memory store');
  return tables;
}

async function* readEntries(
  open: () => MemoryTables,
  log: string,
  from: number,
  to: number,
): AsyncGenerator<readonly StoredEntry[]> {
  const tables = open();
  const chosen = [...(tables.entries.get(log)?.values() ?? [])]
    .filter((entry) => entry.index >= from && entry.index < to)
    .sort((one, other) => one.index - other.index);
  for (let at = 0; at < chosen.length; at += BATCH) {
    yield chosen.slice(at, at + BATCH).map((entry) => {
      const event = tables.events.get(entry.eventId);
      return {
        log,
        index: entry.index,
        eventId: entry.eventId,
        leaf: entry.leaf.slice(),
        hash: entry.hash.slice(),
        sealedAt: entry.sealedAt,
        event: event === undefined ? null : copyEvent(event),
      };
    });
  }
}

async function* inBatches<T>(read: () => readonly T[]): AsyncGenerator<readonly T[]> {
  const all = read();
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
}

function pendingEvents(tables: MemoryTables, log: string): StoredEvent[] {
  return tables.pendingIds(log).flatMap((id) => {
    const event = tables.events.get(id);
    return event === undefined ? [] : [copyEvent(event)];
  });
}

function orphans(tables: MemoryTables, log: string): StoredEvent[] {
  const waiting = tables.pending.get(log);
  return [...tables.events.values()]
    .filter(
      (event) => event.log === log && !waiting?.has(event.id) && tables.places.get(event.id)?.log !== log,
    )
    .sort(byId)
    .map(copyEvent);
}

function strayIds(tables: MemoryTables, log: string): string[] {
  return tables.pendingIds(log).filter((id) => tables.events.get(id)?.log !== log || tables.places.has(id));
}

function list(tables: MemoryTables, filter: EventFilter): ListedEvent[] {
  const newest = filter.order === 'newest';
  const matching = [...tables.events.values()].filter((event) => matches(event, filter, newest)).sort(byId);
  if (newest) matching.reverse();
  return matching.slice(0, filter.limit ?? 100).map((event) => listed(tables, event));
}

function matches(event: StoredEvent, filter: EventFilter, newest: boolean): boolean {
  const { log, after, order: _order, limit: _limit, ...columns } = filter;
  if (log !== undefined && event.log !== log) return false;
  if (after !== undefined && (newest ? event.id >= after : event.id <= after)) return false;
  const values: Readonly<Record<string, string | null>> = { ...event.columns };
  return Object.entries(columns).every(([name, value]) => value === undefined || values[name] === value);
}

function listed(tables: MemoryTables, event: StoredEvent): ListedEvent {
  const entry = tables.places.get(event.id)?.entry;
  return { ...copyEvent(event), index: entry?.index ?? null, sealedAt: entry?.sealedAt ?? null };
}

function byId(one: StoredEvent, other: StoredEvent): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
