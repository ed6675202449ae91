import { AgeQueue } from './age-queue.js';
import { AuditError } from './audit-error.js';
import { type ErrorReporter, toStoreError } from './error-reporter.js';
import type { PreparedEvent } from './event.js';
import { type KeyedFrom, keyedFromOf } from './keyed-from.js';
import type { AuditKeys } from './keys.js';
import { describeSealBatch } from './portable-seal.js';
import { createSealBatch } from './seal-batch.js';
import type { PortableCompute, SealOutcome, SealRequest } from './store.js';
import type { StoreConnection } from './store-connection.js';

export interface SealerOptions {
  readonly connection: StoreConnection;
  readonly reporter: ErrorReporter;
  readonly keys: AuditKeys | undefined;
  readonly keyedFrom: KeyedFrom | undefined;
  /** False: another process seals, and what waits for it is not known here. */
  readonly own: boolean;
  /** False: only when it is asked for. */
  readonly sealAfterMs: number | false;
  /** How long `drain` tries where others hold the lock. */
  readonly drainTimeoutMs: number;
}

/** Events in one transaction: so few that the event loop of a synchronous driver is never held for long. */
const BATCH = 250;
/** Where that is not enough: as many as one append writes at most, so that sealing keeps up with it. */
const LOADED_BATCH = 500;
const SWEEP_MS = 60_000;
const RETRY_MS = 20;
const MAX_RETRY_MS = 5_000;

/** What the next try meets again. An insertion that is refused would fork the log: its head is gone or an older one. */
const HOPELESS: ReadonlySet<string> = new Set([
  'AUDIT_HEAD_INVALID',
  'AUDIT_INSERT_ONLY',
  'AUDIT_KEY_MISSING',
]);

interface LogState {
  readonly compute: SealRequest['compute'];
  /** The same for a store that writes in a thread of its own. */
  readonly portable: PortableCompute;
  /** Events of this process that are stored and, as far as it knows, not sealed. */
  readonly waiting: AgeQueue;
  /** Events that the sealer does not vouch for. They stay pending, so later batches must reach beyond them. */
  readonly refused: Set<string>;
  /** The head is not to be trusted: nothing is sealed until somebody asks for it. */
  stopped: boolean;
  /** Why the last try to seal failed, or null since one that did not. */
  failure: AuditError | null;
  /** Tells of the last event that is not vouched for. */
  refusal: AuditError | null;
}

/** Seals what this process stored soon after, and what others left once a minute. */
export class Sealer {
  /** Entries that this process has made. */
  sealed = 0;
  /** When a seal last went well. */
  lastSuccess: Date | null = null;
  private readonly logs = new Map<string, LogState>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private sweeper: ReturnType<typeof setInterval> | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private retry = RETRY_MS;
  private stopped = false;
  /** Looks and seals that nobody waits for, until the store is to be closed. */
  private readonly background = new Set<Promise<void>>();

  constructor(private readonly options: SealerOptions) {}

  /** The number of events of this process that are stored and not sealed. */
  get waiting(): number {
    let sum = 0;
    for (const state of this.logs.values()) sum += state.waiting.count;
    return sum;
  }

  /** Since when the oldest of them waits, in milliseconds since 1970-01-01 UTC. */
  get oldest(): number | null {
    let oldest: number | null = null;
    for (const { waiting } of this.logs.values()) {
      if (waiting.oldest !== null && (oldest === null || waiting.oldest < oldest)) oldest = waiting.oldest;
    }
    return oldest;
  }

  /** What keeps a log from being sealed in whole, whatever else goes well; null where nothing does. */
  get failure(): AuditError | null {
    for (const { failure, refusal } of this.logs.values()) {
      if (failure !== null || refusal !== null) return failure ?? refusal;
    }
    return null;
  }

  /** The logs that this process has sealed or is to seal. */
  get logNames(): Iterable<string> {
    return this.logs.keys();
  }

  /** These events are in the store. */
  stored(events: readonly PreparedEvent[]): void {
    if (!this.options.own) return;
    let due = false;
    for (const event of events) {
      const state = this.state(event.log);
      state.waiting.add(1);
      due ||= !state.stopped;
    }
    if (due && this.options.sealAfterMs !== false) this.schedule(this.options.sealAfterMs);
  }

  /** The database is about to hold an event of this log that nobody else tells of: a trigger's. */
  expect(log: string): void {
    if (!this.options.own) return;
    const state = this.state(log);
    state.waiting.add(1);
    if (!state.stopped && this.options.sealAfterMs !== false) this.schedule(this.options.sealAfterMs);
  }

  /** Begins to look for what others left: now, and once a minute. */
  start(): void {
    if (this.options.sealAfterMs === false || this.sweeper !== null) return;
    const sweep = () => this.inBackground(this.sealAll(true));
    this.sweeper = setInterval(sweep, SWEEP_MS).unref();
    setTimeout(() => {
      if (!this.stopped) sweep();
    }, this.options.sealAfterMs).unref();
  }

  /**
   * Seals what is pending in all logs.
   *
   * @param background leaves out logs whose head is not to be trusted
   * @throws AuditError of the first log that could not be sealed, after the others were; `AUDIT_SEALED_ELSEWHERE`
   */
  async sealAll(background = false): Promise<number> {
    if (!this.options.own) {
      throw new AuditError('AUDIT_SEALED_ELSEWHERE', 'core', 'another process seals (`sealing: external`)');
    }
    const logs = await this.options.connection.timed('pendingLogs', (store) => store.pendingLogs());
    let sealed = 0;
    let failure: AuditError | null = null;
    for (const log of logs) {
      if (background && this.stopped) break;
      if (background && this.state(log).stopped) continue;
      try {
        sealed += (await this.sealLog(log)).sealed;
      } catch (error) {
        failure ??= toStoreError(error);
      }
    }
    if (failure !== null) throw failure;
    if (logs.length === 0) this.lastSuccess = new Date();
    return sealed;
  }

  /** Resolves when all that this process stored is sealed. @throws AuditError `AUDIT_STORE_TIMEOUT`, or why it can not be */
  async drain(): Promise<void> {
    const deadline = Date.now() + this.options.drainTimeoutMs;
    for (const [log, state] of this.logs) {
      while (state.waiting.count > 0) {
        if ((await this.sealLog(log)).done) break;
        if (Date.now() > deadline) {
          throw new AuditError(
            'AUDIT_STORE_TIMEOUT',
            'core',
            `the log ${log} can not be sealed: always busy`,
          );
        }
        await pause(jitter(RETRY_MS));
      }
    }
  }

  /** Resolves when nothing of this is on its way to the store any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.sweeper !== null) clearInterval(this.sweeper);
    await this.turn.catch(() => {});
    await Promise.all(this.background);
  }

  private inBackground(work: Promise<unknown>): void {
    const settled = work
      .then(
        () => {},
        (error: unknown) => this.failed(error),
      )
      .finally(() => this.background.delete(settled));
    this.background.add(settled);
  }

  private state(log: string): LogState {
    let state = this.logs.get(log);
    if (state === undefined) {
      const { keys } = this.options;
      const keyedFrom = keyedFromOf(this.options.keyedFrom, log);
      const compute = createSealBatch({
        keys,
        keyedFrom,
        log,
        onRefused: ({ id }, reason) => this.refuse(log, id, reason),
      });
      const portable = describeSealBatch({ keys, keyedFrom, log });
      state = {
        compute,
        portable,
        waiting: new AgeQueue(),
        refused: new Set(),
        stopped: false,
        failure: null,
        refusal: null,
      };
      this.logs.set(log, state);
    }
    return state;
  }

  private schedule(afterMs: number): void {
    if (this.timer !== null || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.inBackground(this.sealOwn());
    }, afterMs).unref();
  }

  private async sealOwn(): Promise<void> {
    let busy = false;
    let failure: unknown = null;
    for (const [log, state] of this.logs) {
      if (this.stopped) return;
      if (state.waiting.count === 0 || state.stopped) continue;
      try {
        busy = !(await this.sealLog(log)).done || busy;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw failure;
    if (busy) this.again();
    else this.retry = RETRY_MS;
  }

  /** One log at a time: the transactions of a store follow each other anyhow. */
  private sealLog(log: string): Promise<{ sealed: number; done: boolean }> {
    const next = this.turn.then(
      () => this.sealNow(log),
      () => this.sealNow(log),
    );
    this.turn = next.catch(() => {});
    return next;
  }

  private async sealNow(log: string): Promise<{ sealed: number; done: boolean }> {
    const state = this.state(log);
    let sealed = 0;
    for (;;) {
      const before = state.waiting.count;
      const refusedBefore = state.refused.size;
      const { compute, portable } = state;
      let size = BATCH;
      let outcome: SealOutcome;
      try {
        outcome = await this.options.connection.timed('seal', (store) => {
          // A batch that was full leaves more behind than this process may know of.
          if (before > BATCH || sealed > 0) size = store.sealLimit ?? LOADED_BATCH;
          return store.seal({ log, limit: size + refusedBefore, compute, portable });
        });
      } catch (thrown) {
        const error = toStoreError(thrown);
        state.failure = error;
        state.stopped = HOPELESS.has(error.code);
        throw error;
      }
      for (const { id, reason } of outcome.refused ?? []) this.refuse(log, id, reason);
      if (outcome.busy) return { sealed, done: false };
      state.stopped = false;
      state.failure = null;
      sealed += outcome.sealed;
      this.sealed += outcome.sealed;
      this.lastSuccess = new Date();
      state.waiting.remove(outcome.sealed);
      const refused = state.refused.size - refusedBefore;
      if (outcome.sealed + refused < size) {
        // The log was empty: whatever waited before this transaction is sealed, if not by this process.
        const { count } = state.waiting;
        state.waiting.remove(count - Math.min(count, Math.max(0, count + outcome.sealed - before)));
        if (state.waiting.count > 0 && this.options.sealAfterMs !== false)
          this.schedule(this.options.sealAfterMs);
        return { sealed, done: true };
      }
      // What is left stays pending, for others to seal: whoever closes waits for a batch at most.
      if (this.stopped) return { sealed, done: false };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private failed(error: unknown): void {
    this.options.reporter.report(toStoreError(error));
    if ([...this.logs.values()].some((state) => state.waiting.count > 0 && !state.stopped)) this.again();
  }

  private again(): void {
    this.schedule(jitter(this.retry));
    this.retry = Math.min(this.retry * 2, MAX_RETRY_MS);
  }

  private refuse(log: string, id: string, reason: string): void {
    const state = this.state(log);
    if (state.refused.has(id)) return;
    state.refused.add(id);
    const message = `the event ${id} of the log ${log} is not sealed: ${reason}`;
    state.refusal = new AuditError('AUDIT_EVENT_REFUSED', 'core', message);
    this.options.reporter.report(state.refusal);
  }
}

function jitter(ms: number): number {
  return ms * (0.5 + Math.random());
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
