import type { PreparedEvent } from './event.js';

/** Ids of this process that are remembered, those of all logs together. */
const MAX_OWN = 20_000;
/** Logs whose position is remembered. */
const MAX_LOGS = 1_000;
/** A look at everything that takes longer than so much and its rows walks over dead ones. */
const SLOW_MS = 3;
const ROW_MS = 0.01;
/** Such a look may take so small a part of the time, but comes once a minute. */
const SHARE = 50;
const SWEEP_MS = 60_000;

/** Where the next look at a log's pending events starts. A hint: what it leaves out is found by the sweep. */
export interface Look {
  /** Undefined: everything is looked at. */
  readonly after: string | undefined;
  /** Ids of this process that are not after it. */
  readonly own: readonly string[];
}

interface LogPosition {
  /** The greatest id that was sealed. */
  sealedUpTo: string;
  /** `performance.now()` until which a full look is too expensive; 0: it never was. */
  nextSweep: number;
  idle: boolean;
}

/**
 * Remembers how far this process has come in each log. Rows of `audit_pending` that are sealed stay in its index for as long
 * as some transaction of the database is older than they are, and a look from the beginning walks over all of them.
 *
 * While that is cheap, every look is a full one and nothing here matters. Once it is not, looks begin behind the last id that
 * was sealed, with the ids of this process beside it, and everything is looked at now and then.
 */
export class PendingPositions {
  private readonly logs = new Map<string, LogPosition>();
  /** Ids that this process has written or is about to, oldest first. */
  private readonly own = new Map<string, string>();

  /** These events are in the store, or may be soon. */
  given(events: readonly PreparedEvent[]): void {
    for (const { id, log } of events) this.own.set(id, log);
    for (const id of this.own.keys()) {
      if (this.own.size <= MAX_OWN) break;
      this.own.delete(id);
    }
    for (const { log } of events) this.position(log).idle = false;
  }

  /** True where the last look found nothing and nobody has said since that there is something. */
  isIdle(log: string): boolean {
    return this.position(log).idle;
  }

  nextLook(log: string, now = performance.now()): Look {
    const position = this.position(log);
    if (position.sealedUpTo === '' || now >= position.nextSweep) return { after: undefined, own: [] };
    const own: string[] = [];
    for (const [id, of] of this.own) if (of === log && id <= position.sealedUpTo) own.push(id);
    return { after: position.sealedUpTo, own };
  }

  /** A look at everything gave so many rows in so many milliseconds. */
  lookedFully(log: string, rows: number, tookMs: number, now = performance.now()): void {
    const isSlow = tookMs > SLOW_MS + rows * ROW_MS;
    this.position(log).nextSweep = isSlow ? now + Math.min(SWEEP_MS, tookMs * SHARE) : 0;
  }

  /** A seal was committed. */
  sealed(log: string, ids: readonly string[]): void {
    const position = this.position(log);
    position.idle = ids.length === 0;
    for (const id of ids) {
      this.own.delete(id);
      if (id > position.sealedUpTo) position.sealedUpTo = id;
    }
  }

  private position(log: string): LogPosition {
    let position = this.logs.get(log);
    if (position === undefined) {
      position = { sealedUpTo: '', nextSweep: 0, idle: true };
      this.logs.set(log, position);
      const [oldest] = this.logs.keys();
      if (this.logs.size > MAX_LOGS && oldest !== undefined) this.logs.delete(oldest);
    }
    return position;
  }
}
