import { AuditError } from './audit-error.js';
import type { StoredCheckpoint } from './checkpoint-store.js';
import type { PreparedEvent } from './event.js';
import type {
  AppendOutcome,
  LogSummary,
  NewEntry,
  SealedBatch,
  SealOutcome,
  SealRequest,
  StoredEvent,
  StoredHead,
} from './store.js';

/** The tables of a log, in memory. Fields are public so that a test can read and tamper past the store. */
export class MemoryTables {
  readonly events = new Map<string, StoredEvent>();
  readonly pending = new Map<string, Set<string>>();
  readonly entries = new Map<string, Map<number, NewEntry>>();
  readonly heads = new Map<string, StoredHead>();
  /** By log, in the order of their sizes. */
  readonly checkpoints = new Map<string, readonly StoredCheckpoint[]>();
  /** Where an event is sealed: the log and the index. */
  readonly places = new Map<string, { readonly log: string; readonly entry: NewEntry }>();

  append(events: readonly PreparedEvent[]): AppendOutcome {
    const fresh = new Map<string, PreparedEvent>();
    let duplicates = 0;
    for (const event of events) {
      const there = this.events.get(event.id) ?? fresh.get(event.id);
      if (there === undefined) {
        fresh.set(event.id, event);
      } else if (there.log === event.log && Buffer.compare(there.body, event.body) === 0) {
        duplicates += 1;
      } else {
        throw new AuditError(
          'AUDIT_ID_CONFLICT',
          'core',
          `the event ${event.id} is stored with other contents`,
        );
      }
    }
    for (const event of fresh.values()) {
      this.events.set(event.id, copyEvent(event));
      this.waiting(event.log).add(event.id);
    }
    return { appended: fresh.size, duplicates };
  }

  /** The ids that wait, in order. */
  pendingIds(log: string): string[] {
    return [...(this.pending.get(log) ?? [])].sort();
  }

  seal(request: SealRequest): SealOutcome {
    const waiting: StoredEvent[] = [];
    for (const id of this.pendingIds(request.log)) {
      if (waiting.length >= request.limit) break;
      const event = this.events.get(id);
      if (event !== undefined) waiting.push(copyEvent(event));
    }
    const head = this.heads.get(request.log);
    const batch = request.compute(head === undefined ? null : copyHead(head), waiting);
    this.refuseFork(request.log, batch);
    const entries = this.entries.get(request.log) ?? new Map<number, NewEntry>();
    for (const entry of batch.entries) {
      const kept = copyEntry(entry);
      entries.set(kept.index, kept);
      this.places.set(entry.eventId, { log: request.log, entry: kept });
      this.pending.get(request.log)?.delete(entry.eventId);
    }
    this.entries.set(request.log, entries);
    if (batch.head !== null) this.heads.set(request.log, copyHead(batch.head));
    return { sealed: batch.entries.length, busy: false };
  }

  summaries(): LogSummary[] {
    const events = new Map<string, number>();
    for (const event of this.events.values()) events.set(event.log, (events.get(event.log) ?? 0) + 1);
    const names = new Set([...events.keys(), ...this.heads.keys(), ...this.checkpoints.keys()]);
    for (const [log, ids] of this.pending) if (ids.size > 0) names.add(log);
    for (const [log, entries] of this.entries) if (entries.size > 0) names.add(log);
    return [...names].sort().map((log) => ({
      log,
      events: events.get(log) ?? 0,
      pending: this.pending.get(log)?.size ?? 0,
      entries: this.entries.get(log)?.size ?? 0,
      hasHead: this.heads.has(log),
    }));
  }

  addCheckpoint(checkpoint: StoredCheckpoint): boolean {
    const there = this.checkpoints.get(checkpoint.log) ?? [];
    if (there.some(({ size }) => size === checkpoint.size)) return false;
    const all = [...there, copyCheckpoint(checkpoint)].sort((one, other) => one.size - other.size);
    this.checkpoints.set(checkpoint.log, all);
    return true;
  }

  private waiting(log: string): Set<string> {
    const ids = this.pending.get(log) ?? new Set<string>();
    this.pending.set(log, ids);
    return ids;
  }

  /** What the primary keys of a database refuse. */
  private refuseFork(log: string, batch: SealedBatch): void {
    const there = this.entries.get(log);
    const taken = new Set<number>();
    const sealed = new Set<string>();
    for (const { index, eventId } of batch.entries) {
      if (there?.has(index) || taken.has(index) || sealed.has(eventId) || this.places.has(eventId)) {
        throw new AuditError(
          'AUDIT_INSERT_ONLY',
          'core',
          `the log ${log} has an entry ${index} or an entry of ${eventId} already`,
        );
      }
      taken.add(index);
      sealed.add(eventId);
    }
  }
}

export function copyEvent(event: StoredEvent): StoredEvent {
  const { id, log, body, leaf, columns } = event;
  return { id, log, body: body.slice(), leaf: leaf.slice(), columns: { ...columns } };
}

export function copyHead(head: StoredHead): StoredHead {
  const { log, size, hash, range, mac } = head;
  return { log, size, hash: hash.slice(), range: range.slice(), mac: mac === null ? null : mac.slice() };
}

export function copyCheckpoint(checkpoint: StoredCheckpoint): StoredCheckpoint {
  const { log, size, note, range, madeAt } = checkpoint;
  return { log, size, note: note.slice(), range: range.slice(), madeAt };
}

function copyEntry(entry: NewEntry): NewEntry {
  const { index, eventId, leaf, hash, sealedAt } = entry;
  return { index, eventId, leaf: leaf.slice(), hash: hash.slice(), sealedAt };
}
