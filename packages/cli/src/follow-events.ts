import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditStore, ListedEvent, StoredEntry } from '@indelible/core';
import { type Narrowing, passesFilter } from './event-filter.js';

const POLL_MS = 500;
const DISCOVER_MS = 5_000;

/**
 * Gives the events that come to be after this point, each once, until the signal. It follows what is pending and the
 * indexes of each log rather than ids or times: an event whose transaction commits late has an old id.
 */
export class EventFollower {
  /** Per log the index that comes next. */
  private readonly next = new Map<string, number>();
  /** Given while they were pending: their entry is not news. */
  private readonly given = new Set<string>();
  private discovered = 0;

  constructor(
    private readonly store: AuditStore,
    private readonly filter: Narrowing,
  ) {}

  /** Everything that stands in the store when this resolves is old. Call it before listing what is to be shown first. */
  async start(): Promise<void> {
    for (const log of await this.logNames()) {
      this.next.set(log, (await this.store.head(log))?.size ?? 0);
      for await (const batch of this.store.pending(log)) for (const { id } of batch) this.given.add(id);
    }
  }

  /** These were shown already. */
  skip(events: readonly ListedEvent[]): void {
    for (const { id } of events) this.given.add(id);
  }

  async *follow(signal: AbortSignal): AsyncIterable<readonly ListedEvent[]> {
    while (!signal.aborted) {
      const events = await this.poll();
      if (events.length > 0) yield events;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async poll(): Promise<readonly ListedEvent[]> {
    const events: ListedEvent[] = [];
    for (const log of await this.logNames()) {
      for await (const batch of this.store.entries(log, { from: this.next.get(log) ?? 0 })) {
        for (const entry of batch) {
          this.next.set(log, entry.index + 1);
          const event = sealed(entry);
          if (!this.given.delete(entry.eventId) && event !== null) events.push(event);
        }
      }
      for await (const batch of this.store.pending(log)) {
        for (const event of batch) {
          if (this.given.has(event.id)) continue;
          this.given.add(event.id);
          events.push({ ...event, index: null, sealedAt: null });
        }
      }
    }
    return events.filter((event) => passesFilter(event, this.filter));
  }

  private async logNames(): Promise<readonly string[]> {
    if (this.filter.log !== undefined) return [this.filter.log];
    const names = new Set(this.next.keys());
    for (const log of await this.store.pendingLogs()) names.add(log);
    // Counts every table: seldom. It finds a new log whose events were sealed between two polls.
    if (Date.now() - this.discovered > DISCOVER_MS) {
      for (const { log } of await this.store.logs()) names.add(log);
      this.discovered = Date.now();
    }
    return [...names];
  }
}

function sealed({ event, index, sealedAt }: StoredEntry): ListedEvent | null {
  return event === null ? null : { ...event, index, sealedAt };
}
