import { AuditError } from './audit-error.js';
import { type ErrorReporter, toStoreError } from './error-reporter.js';
import type { PreparedEvent } from './event.js';
import { tryReadPrepared } from './read-prepared.js';
import { findLateEvents } from './replay-notice.js';
import type { Spool } from './spool.js';
import type { StoreConnection } from './store-connection.js';

export interface RecoveryOptions {
  readonly connection: StoreConnection;
  readonly spool: Spool;
  readonly reporter: ErrorReporter;
  /** Makes the event that says how many were lost since when. */
  readonly prepareGap: (lost: number, since: Date) => PreparedEvent;
  /** Makes the events that say that these waited for long. */
  readonly prepareNotices: (late: readonly PreparedEvent[]) => readonly PreparedEvent[];
  readonly onStored: (events: readonly PreparedEvent[]) => void;
}

const BATCH = 500;
/** What can be the fault of one event, which must not hold up all that are behind it. */
const BY_ONE_EVENT: ReadonlySet<string> = new Set([
  'AUDIT_ID_CONFLICT',
  'AUDIT_INSERT_ONLY',
  'AUDIT_STORE_UNAVAILABLE',
]);
/**
 * So often the first event must have failed while the one behind it was stored before it counts as refused. A database that
 * comes and goes looks the same once or twice.
 */
const STRIKES = 6;
const STRIKE_MS = 25;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
/** How often a living process looks for what others left that are gone. */
const ADOPT_MS = 60_000;

/** Brings back what a failing store left behind: the spool in order, then a gap event for what was lost. */
export class Recovery {
  /** True while the store is known to fail: events that may be spooled go there at once. */
  active = false;
  /** Events that were kept nowhere, in all. */
  lost = 0;
  /** Events that came from the spool to the store. */
  replayed = 0;
  private unreported = 0;
  private since = new Date();
  private gap: PreparedEvent | null = null;
  private noticed: { ids: string; notices: readonly PreparedEvent[] } = { ids: '', notices: [] };
  private delay = FIRST_DELAY_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running: Promise<void> | null = null;
  private watcher: ReturnType<typeof setInterval> | null = null;
  private adopting: Promise<void> | null = null;
  private stopped = false;

  constructor(private readonly options: RecoveryOptions) {}

  get isDone(): boolean {
    return this.options.spool.isEmpty && this.unreported === 0 && this.gap === null;
  }

  /** The store failed, and something goes to the spool for it. */
  failed(): void {
    this.active = true;
    this.wake();
  }

  /** Something was stored: the store is back. */
  succeeded(): void {
    if (this.active || this.options.reporter.last !== null) this.options.reporter.recovered();
    this.active = false;
    this.delay = FIRST_DELAY_MS;
    if (this.isDone || this.running !== null) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.wake();
  }

  lose(count: number, cause: unknown): void {
    if (this.unreported === 0) this.since = new Date();
    this.unreported += count;
    this.lost += count;
    const error = new AuditError('AUDIT_EVENT_LOST', 'core', 'an event could be kept nowhere', { cause });
    this.options.reporter.report(error);
    this.wake();
  }

  /** Tries again after a while. */
  wake(): void {
    if (this.timer !== null || this.running !== null || this.stopped) return;
    const wait = this.delay * (0.5 + Math.random());
    this.delay = Math.min(this.delay * 2, MAX_DELAY_MS);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.attempt().catch((error: unknown) => this.options.reporter.report(toStoreError(error)));
    }, wait).unref();
  }

  /** Takes over what processes left that are gone: now, which it resolves after, and once a minute. */
  watch(): Promise<void> {
    this.watcher ??= setInterval(() => {
      this.adopt().catch((error: unknown) => this.options.reporter.report(toStoreError(error)));
    }, ADOPT_MS).unref();
    return this.adopt();
  }

  private adopt(): Promise<void> {
    this.adopting ??= this.options.spool
      .adopt()
      .then((files) => {
        if (files > 0) this.wake();
      })
      .finally(() => {
        this.adopting = null;
      });
    return this.adopting;
  }

  /** Replays all that there is now. @throws AuditError the failure of the store or of the spool */
  attempt(): Promise<void> {
    this.running ??= this.replay().finally(() => {
      this.running = null;
      if (!this.isDone) this.wake();
    });
    return this.running;
  }

  /** No more tries. What could not be told of a gap goes to the spool. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.watcher !== null) clearInterval(this.watcher);
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    // What is taken over now the spool lets go of when it is closed.
    await this.adopting?.catch(() => {});
    await this.running?.catch(() => {});
    for (let gap = this.takeGap(); gap !== null; gap = this.takeGap()) {
      await this.options.spool.write([gap.body]);
      this.gap = null;
    }
  }

  private async replay(): Promise<void> {
    const { spool } = this.options;
    let limit = BATCH;
    for (;;) {
      const bodies = await spool.peek(limit);
      if (bodies.length === 0) break;
      const events = readable(bodies);
      if (events.length === 0) {
        await this.reject(new AuditError('AUDIT_EVENT_INVALID', 'core', 'a spooled event can not be read'));
        continue;
      }
      try {
        await this.store(events);
      } catch (thrown) {
        const error = toStoreError(thrown);
        if (!BY_ONE_EVENT.has(error.code)) throw error;
        if (events.length > 1) limit = 1;
        else if (error.code === 'AUDIT_ID_CONFLICT' || (await this.isRefused(events)))
          await this.reject(error);
        continue;
      }
      this.replayed += events.length;
      spool.confirm(events.length);
      limit = Math.min(limit * 2, BATCH);
    }
    const gap = this.takeGap();
    if (gap === null) {
      // Nothing is left that could find out: the next event tries the store itself.
      this.active = false;
      return;
    }
    await this.store([gap]);
    this.gap = null;
  }

  private async store(events: readonly PreparedEvent[]): Promise<void> {
    const all = [...events, ...this.noticesOf(events)];
    await this.options.connection.append(all);
    this.succeeded();
    this.options.onStored(all);
  }

  /** The same notices as long as they are to tell of the same events: the append before may have stored them. */
  private noticesOf(events: readonly PreparedEvent[]): readonly PreparedEvent[] {
    const late = findLateEvents(events, Date.now());
    if (late.length === 0) return late;
    const ids = late.map(({ id }) => id).join();
    if (this.noticed.ids !== ids) this.noticed = { ids, notices: this.options.prepareNotices(late) };
    return this.noticed.notices;
  }

  /**
   * True where the first event alone is at fault: again and again it fails, and the next one does not.
   *
   * @throws AuditError the failure of the first, where the next one fails too: the store is away
   */
  private async isRefused(first: readonly PreparedEvent[]): Promise<boolean> {
    for (let strike = 1; ; strike += 1) {
      try {
        await this.store(first);
        return false;
      } catch (thrown) {
        if (!(await this.isNextStored())) throw toStoreError(thrown);
      }
      if (strike === STRIKES) return true;
      await pause(STRIKE_MS * 2 ** strike);
    }
  }

  private async isNextStored(): Promise<boolean> {
    const [next] = readable((await this.options.spool.peek(2)).slice(1));
    if (next === undefined) return false;
    try {
      await this.store([next]);
      return true;
    } catch {
      return false;
    }
  }

  private async reject(error: AuditError): Promise<void> {
    await this.options.spool.reject();
    this.lose(1, error);
  }

  /** The same event until it is stored, so that a retry after an unknown outcome does not double it. */
  private takeGap(): PreparedEvent | null {
    if (this.gap === null && this.unreported > 0) {
      this.gap = this.options.prepareGap(this.unreported, this.since);
      this.unreported = 0;
    }
    return this.gap;
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The events up to the first that can not be read. The spool keeps bodies only: everything else follows from them. */
function readable(bodies: readonly Uint8Array[]): PreparedEvent[] {
  const events: PreparedEvent[] = [];
  for (const body of bodies) {
    const event = tryReadPrepared(body);
    if (event === undefined) break;
    events.push(event);
  }
  return events;
}
