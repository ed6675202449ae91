/** Something that waits for a write: some events that stand and fall together. */
export interface CommitItem {
  readonly events: readonly unknown[];
  /** True once nobody waits for it any more: it is left out. */
  readonly settled: boolean;
}

export interface GroupCommitOptions<T extends CommitItem> {
  /** Writes one batch, and settles its items whatever happens. MUST NOT reject. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /** Events in memory at most, those that are being written included. */
  readonly maxBuffered: number;
  /** Events in one write, unless one item alone has more. */
  readonly maxBatch: number;
}

/**
 * How long items that nobody waits for wait for company, in milliseconds: what a process that is killed loses of them at
 * most. A transaction for every few of them costs more than they do.
 */
const LATER_MS = 40;

/**
 * Lets concurrent writers share one write: what arrives while one is on makes up the next. One timer or immediate a
 * batch, none an event.
 */
export class GroupCommit<T extends CommitItem> {
  private queue: T[] = [];
  /** Of those in the queue, how many somebody waits for. */
  private urgent = 0;
  private count = 0;
  private running = false;
  private immediate: ReturnType<typeof setImmediate> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: GroupCommitOptions<T>) {}

  /** The number of events in memory. */
  get buffered(): number {
    return this.count;
  }

  get queued(): readonly T[] {
    return this.queue;
  }

  /** @param soon false: nobody waits, so that it may wait for others. @returns false where the buffer is full */
  add(item: T, soon: boolean): boolean {
    if (this.count + item.events.length > this.options.maxBuffered) return false;
    this.queue.push(item);
    this.count += item.events.length;
    if (soon) this.urgent += 1;
    if (!this.running && this.immediate === undefined) this.next();
    return true;
  }

  /** Begins to write what waits. */
  hurry(): void {
    if (this.running || this.queue.length === 0) return;
    this.immediate ??= setImmediate(() => void this.run());
  }

  private next(): void {
    if (this.urgent > 0 || this.count >= this.options.maxBatch) this.hurry();
    else if (this.queue.length > 0) this.timer ??= setTimeout(() => this.hurry(), LATER_MS);
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.immediate = undefined;
    this.running = true;
    const batch = this.take();
    const waiting = batch.filter((item) => !item.settled);
    if (waiting.length > 0) await this.options.write(waiting);
    for (const item of batch) this.count -= item.events.length;
    this.running = false;
    // Not in a loop: where the driver is synchronous, writers that answer each other would never let a timer run.
    this.next();
  }

  private take(): readonly T[] {
    let events = 0;
    let items = 0;
    for (const item of this.queue) {
      if (items > 0 && events + item.events.length > this.options.maxBatch) break;
      events += item.events.length;
      items += 1;
    }
    // What is left over is written right behind: it does not matter then who waits.
    if (items === this.queue.length) {
      this.urgent = 0;
      const all = this.queue;
      this.queue = [];
      return all;
    }
    return this.queue.splice(0, items);
  }
}
