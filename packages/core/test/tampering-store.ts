import type { StoredCheckpoint } from '../src/checkpoint-store.js';
import type { EventColumns, PreparedEvent } from '../src/event.js';
import type {
  AuditStore,
  LogSummary,
  SealRequest,
  StoredEntry,
  StoredEvent,
  StoredHead,
} from '../src/store.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export interface EventRow extends Omit<Mutable<StoredEvent>, 'columns'> {
  columns: Mutable<EventColumns>;
}
export type EntryRow = Mutable<Omit<StoredEntry, 'event'>>;
export type HeadRow = Mutable<StoredHead>;

/** A store whose tables are arrays that a test edits as an attacker edits a database: without keys, checks or guards. */
export class TamperingStore implements AuditStore {
  readonly name = 'tampering';
  readonly supports = { durable: false, processes: false, insertOnly: false, truncateGuard: false };
  events: EventRow[] = [];
  pendingRows: { log: string; id: string }[] = [];
  entryRows: EntryRow[] = [];
  heads: HeadRow[] = [];
  checkpointRows: StoredCheckpoint[] = [];
  batch = 3;
  /** Called before each read of the head, for tests in which others work meanwhile. */
  beforeHead: (() => Promise<void> | void) | null = null;

  readonly checkpoints = {
    add: async (checkpoint: StoredCheckpoint) => {
      this.checkpointRows.push(checkpoint);
      return true;
    },
    latest: async (log: string) =>
      this.checkpointRows
        .filter((row) => row.log === log)
        .sort((one, other) => one.size - other.size)
        .at(-1) ?? null,
    list: (log: string) => this.#checkpoints(log),
  };

  async migrate() {
    return { applied: [], version: 1 };
  }
  async check() {}
  async close() {}

  async append(events: readonly PreparedEvent[]) {
    for (const { id, log, body, leaf, columns } of events) {
      this.events.push({ id, log, body: body.slice(), leaf: leaf.slice(), columns: { ...columns } });
      this.pendingRows.push({ log, id });
    }
    return { appended: events.length, duplicates: 0 };
  }

  async pendingLogs() {
    return [...new Set(this.pendingRows.map(({ log }) => log))];
  }

  async inspect() {
    return { pending: this.pendingRows.length, oldestPending: null };
  }

  async seal({ log, limit, compute }: SealRequest) {
    const waiting = this.#pendingEvents(log).slice(0, limit);
    const { entries, head } = compute(this.heads.find((row) => row.log === log) ?? null, waiting);
    for (const entry of entries) {
      this.entryRows.push({ ...entry, log, leaf: entry.leaf.slice(), hash: entry.hash.slice() });
      this.pendingRows = this.pendingRows.filter(({ id }) => id !== entry.eventId);
    }
    if (head !== null) this.heads = [...this.heads.filter((row) => row.log !== log), { ...head }];
    return { sealed: entries.length, busy: false };
  }

  async logs(): Promise<readonly LogSummary[]> {
    const names = [this.events, this.pendingRows, this.entryRows, this.heads].flatMap((rows) =>
      rows.map(({ log }) => log),
    );
    const count = (rows: readonly { log: string }[], log: string) =>
      rows.filter((row) => row.log === log).length;
    return [...new Set(names)].map((log) => ({
      log,
      events: count(this.events, log),
      pending: count(this.pendingRows, log),
      entries: count(this.entryRows, log),
      hasHead: count(this.heads, log) > 0,
    }));
  }

  async head(log: string) {
    await this.beforeHead?.();
    const head = this.heads.find((row) => row.log === log);
    return head === undefined ? null : { ...head };
  }

  async *entries(log: string, range: { from?: number; to?: number } = {}) {
    const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = range;
    // Each batch is a read of its own: what is written meanwhile is seen.
    for (let at = 0; ; at += this.batch) {
      const rows = this.entryRows
        .filter((row) => row.log === log && row.index >= from && row.index < to)
        .sort((one, other) => one.index - other.index)
        .slice(at, at + this.batch);
      if (rows.length === 0) return;
      yield rows.map((row) => ({ ...row, event: this.events.find(({ id }) => id === row.eventId) ?? null }));
    }
  }

  async *pending(log: string) {
    const rows = this.#pendingEvents(log);
    for (let at = 0; at < rows.length; at += this.batch) yield rows.slice(at, at + this.batch);
  }

  async *orphans(log: string) {
    const known = new Set([
      ...this.pendingRows.map(({ id }) => id),
      ...this.entryRows.map((row) => row.eventId),
    ]);
    const rows = this.events.filter((row) => row.log === log && !known.has(row.id));
    if (rows.length > 0) yield rows;
  }

  async *strayPending(log: string) {
    const sealed = new Set(this.entryRows.map((row) => row.eventId));
    const stored = new Set(this.events.map(({ id }) => id));
    const ids = this.pendingRows
      .filter((row) => row.log === log && (sealed.has(row.id) || !stored.has(row.id)))
      .map(({ id }) => id);
    if (ids.length > 0) yield ids;
  }

  async find() {
    return null;
  }
  async list() {
    return [];
  }

  async *#checkpoints(log: string) {
    const rows = this.checkpointRows.filter((row) => row.log === log);
    rows.sort((one, other) => one.size - other.size);
    for (let at = 0; at < rows.length; at += this.batch) yield rows.slice(at, at + this.batch);
  }

  #pendingEvents(log: string) {
    const ids = new Set(this.pendingRows.filter((row) => row.log === log).map(({ id }) => id));
    return this.events.filter(({ id }) => ids.has(id)).sort((one, other) => (one.id < other.id ? -1 : 1));
  }
}
