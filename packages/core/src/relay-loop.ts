import { AgeQueue } from './age-queue.js';
import type { Relay } from './relay.js';

export interface RelayLoopOptions {
  readonly relay: Relay;
  readonly report: (error: Error) => void;
  readonly recovered: () => void;
}

/** Behind a commit, for others that follow it. */
const SOON_MS = 20;
const SWEEP_MS = 60_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/** Relays what this process wrote into the outbox soon after, and what others left at the start and once a minute. */
export class RelayLoop {
  /** Events of this process that are in the outbox, as far as it knows. */
  readonly waiting = new AgeQueue();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private sweeper: ReturnType<typeof setInterval> | null = null;
  private running: Promise<boolean> | null = null;
  private delay = FIRST_DELAY_MS;
  private stopped = false;

  constructor(private readonly options: RelayLoopOptions) {}

  start(): void {
    this.sweeper ??= setInterval(() => this.wake(0), SWEEP_MS).unref();
    this.wake(0);
  }

  committed(count: number): void {
    this.waiting.add(count);
    this.wake(SOON_MS);
  }

  /** Resolves when the outbox is empty, or another process is at it. @throws AuditError */
  async drain(): Promise<void> {
    await this.running?.catch(() => {});
    await this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.sweeper !== null) clearInterval(this.sweeper);
    await this.running?.catch(() => {});
  }

  private wake(afterMs: number): void {
    if (this.timer !== null || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.run().catch((error: Error) => {
        this.options.report(error);
        this.again();
      });
    }, afterMs).unref();
  }

  /** @returns true where nothing of this process is left */
  private run(): Promise<boolean> {
    this.running ??= this.pass().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async pass(): Promise<boolean> {
    const { relay, recovered } = this.options;
    const hadFailed = relay.lastError !== null;
    const before = this.waiting.count;
    const { moved, busy } = await relay.pass();
    if (hadFailed) recovered();
    this.delay = FIRST_DELAY_MS;
    // An empty outbox: whatever waited before is moved, if not by this process.
    this.waiting.remove(busy ? moved : before);
    if (this.waiting.count > 0) this.wake(busy ? this.delay : SOON_MS);
    return this.waiting.count === 0;
  }

  private again(): void {
    const wait = this.delay * (0.5 + Math.random());
    this.delay = Math.min(this.delay * 2, MAX_DELAY_MS);
    this.wake(wait);
  }
}
