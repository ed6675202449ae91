import type { FailurePolicy, Recorded } from './audit.js';
import { AuditError } from './audit-error.js';
import { type ErrorReporter, toError, toStoreError } from './error-reporter.js';
import type { PreparedEvent } from './event.js';
import { type CommitItem, GroupCommit } from './group-commit.js';
import type { Recovery } from './recovery.js';
import type { Spool } from './spool.js';
import type { StoreConnection } from './store-connection.js';

export interface DeliveryOptions {
  readonly connection: StoreConnection;
  readonly spool: Spool;
  readonly recovery: Recovery;
  readonly reporter: ErrorReporter;
  readonly maxBuffered: number;
  readonly timeoutMs: number;
  /** The events are in the store. */
  readonly onStored: (events: readonly PreparedEvent[]) => void;
}

type Where = Recorded['where'];

/** Events of one call, on their way. */
interface Item extends CommitItem {
  readonly events: readonly PreparedEvent[];
  readonly policy: FailurePolicy;
  settled: boolean;
  readonly resolve: ((where: Where) => void) | null;
  readonly reject: ((error: Error) => void) | null;
}

const MAX_BATCH = 500;

/**
 * A write that takes this long may wait for a lock that its own caller holds, inside a transaction that waits for the
 * event: those that may go to the spool stop waiting. In milliseconds.
 */
const PATIENCE_MS = 500;

/** Brings events to the store, many to one append, and where that fails to where their policy says. */
export class Delivery {
  private readonly commit: GroupCommit<Item>;
  private readonly idlers: (() => void)[] = [];
  private open = 0;
  private openEvents = 0;
  /** True while a write takes longer than anybody should wait. */
  private slow = false;
  /** Events that are durable: in the store or in the spool. */
  recorded = 0;

  constructor(private readonly options: DeliveryOptions) {
    this.commit = new GroupCommit<Item>({
      write: (items) => this.write(items),
      maxBuffered: options.maxBuffered,
      maxBatch: MAX_BATCH,
    });
  }

  /** The number of events that are not durable yet. */
  get buffered(): number {
    return this.openEvents;
  }

  /** Resolves when the events are durable, with what `result` makes of where they are. All of them go the same way. */
  deliver<T>(
    events: readonly PreparedEvent[],
    policy: FailurePolicy,
    result: (where: Where) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (where: Where) => resolve(result(where));
      this.accept({ events, policy, settled: false, resolve: done, reject }, true);
    });
  }

  /** As `deliver`, for events that nobody waits for. */
  post(events: readonly PreparedEvent[], policy: FailurePolicy): void {
    this.accept({ events, policy, settled: false, resolve: null, reject: null }, false);
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.open > 0) {
      this.commit.hurry();
      await new Promise<void>((resolve) => this.idlers.push(resolve));
    }
  }

  private accept(item: Item, soon: boolean): void {
    this.open += 1;
    this.openEvents += item.events.length;
    if (item.policy !== 'spool' || !(this.slow || this.options.recovery.active)) {
      this.enqueue(item, soon);
      return;
    }
    this.toSpool(item).catch(() => this.enqueue(item, soon));
  }

  private enqueue(item: Item, soon: boolean): void {
    if (this.commit.add(item, soon)) return;
    const message = `${this.commit.buffered} events wait for the store, which is the limit \`maxBuffered\``;
    this.fail(item, new AuditError('AUDIT_STORE_UNAVAILABLE', 'core', message));
  }

  private async write(items: readonly Item[]): Promise<void> {
    const patience = setTimeout(
      () => this.losePatience(items),
      Math.min(PATIENCE_MS, this.options.timeoutMs),
    );
    try {
      await this.append(items);
    } finally {
      clearTimeout(patience);
      this.slow = false;
    }
  }

  private async append(items: readonly Item[]): Promise<void> {
    const events = items.flatMap((item) => item.events);
    try {
      await this.options.connection.append(events);
    } catch (thrown) {
      const error = toStoreError(thrown);
      const isConflict = error.code === 'AUDIT_ID_CONFLICT';
      if (!isConflict && error.code !== 'AUDIT_INSERT_ONLY') {
        for (const item of items) this.fail(item, error);
      } else if (items.length === 1) {
        for (const item of items) isConflict ? this.refuse(item, error) : this.fail(item, error);
      } else {
        // One event that the database refuses must not take its neighbours along.
        const middle = Math.ceil(items.length / 2);
        await this.append(items.slice(0, middle));
        await this.append(items.slice(middle));
      }
      return;
    }
    this.options.recovery.succeeded();
    this.options.onStored(events);
    for (const item of items) this.settle(item, 'store');
  }

  /** Those that may be spooled are, also those that still queue. The write itself goes on: what it stores is a duplicate. */
  private losePatience(items: readonly Item[]): void {
    this.slow = true;
    for (const item of [...items, ...this.commit.queued]) {
      if (item.policy === 'spool' && !item.settled) this.toSpool(item).catch(() => {});
    }
  }

  private async toSpool(item: Item): Promise<void> {
    await this.options.spool.write(item.events.map((event) => event.body));
    if (item.settled) return;
    this.options.recovery.wake();
    this.settle(item, 'spool');
  }

  private fail(item: Item, error: AuditError): void {
    if (item.settled) return;
    if (item.policy === 'strict') {
      this.options.reporter.note(error);
      this.refuse(item, error);
      return;
    }
    this.options.reporter.report(error);
    if (item.policy === 'continue') {
      this.lose(item, error);
      return;
    }
    this.options.recovery.failed();
    this.toSpool(item).catch((spoolError: unknown) => this.lose(item, spoolError));
  }

  /** Tells whoever waits; where nobody does, the event is lost. */
  private refuse(item: Item, error: AuditError): void {
    if (item.reject === null) {
      this.options.recovery.lose(item.events.length, error);
    } else {
      item.reject(error);
    }
    this.finish(item);
  }

  private lose(item: Item, cause: unknown): void {
    if (item.settled) return;
    this.options.recovery.lose(item.events.length, cause);
    if (item.policy === 'continue') item.resolve?.('lost');
    else item.reject?.(toError(cause));
    this.finish(item);
  }

  private settle(item: Item, where: Where): void {
    if (item.settled) return;
    this.recorded += item.events.length;
    item.resolve?.(where);
    this.finish(item);
  }

  private finish(item: Item): void {
    item.settled = true;
    this.open -= 1;
    this.openEvents -= item.events.length;
    if (this.open === 0) for (const idler of this.idlers.splice(0)) idler();
  }
}
