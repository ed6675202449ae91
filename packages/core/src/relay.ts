import { AuditError } from './audit-error.js';
import { toStoreError } from './error-reporter.js';
import type { PreparedEvent } from './event.js';
import type { DrainOutcome, Outbox, OutboxRow } from './outbox.js';
import { tryReadPrepared } from './read-prepared.js';

export interface RelayParts {
  readonly outbox: () => Promise<Outbox>;
  /** MUST resolve only when the events are durable, and do nothing for one that is stored already. */
  readonly append: (events: readonly PreparedEvent[]) => Promise<unknown>;
  readonly onMoved: (events: readonly PreparedEvent[]) => void;
  readonly report: (error: Error) => void;
}

const BATCH = 250;
/** What can be the fault of one event, which must not hold up all that are behind it. */
const BY_ONE_EVENT: ReadonlySet<string> = new Set([
  'AUDIT_ID_CONFLICT',
  'AUDIT_EVENT_INVALID',
  'AUDIT_INSERT_ONLY',
  'AUDIT_STORE_UNAVAILABLE',
]);
/** Events that are left in the outbox at most: beyond that the fault is not theirs. */
const MAX_REFUSED = 1_000;

/** Moves events from an outbox to a store, oldest first, each at least once; the store takes each id once. */
export class Relay {
  /** Events that this relay has brought to the store. */
  moved = 0;
  lastSuccess: Date | null = null;
  lastError: Error | null = null;
  /** Ids that no store takes. They stay in the outbox for people to look at. */
  readonly refused = new Set<string>();

  constructor(private readonly parts: RelayParts) {}

  /**
   * Moves what is there now.
   *
   * @returns `busy` where another process is at it
   * @throws AuditError the failure of either database
   */
  async pass(): Promise<{ moved: number; busy: boolean }> {
    const before = this.moved;
    try {
      const busy = await this.moveAll();
      if (!busy) this.lastSuccess = new Date();
      this.lastError = null;
      return { moved: this.moved - before, busy };
    } catch (thrown) {
      this.lastError = toStoreError(thrown);
      throw this.lastError;
    }
  }

  private async moveAll(): Promise<boolean> {
    const outbox = await this.parts.outbox();
    let limit = BATCH;
    for (;;) {
      let outcome: DrainOutcome;
      try {
        outcome = await this.drain(outbox, limit, []);
      } catch (thrown) {
        if (!(thrown instanceof NotDelivered)) throw thrown;
        const { error } = thrown;
        if (!BY_ONE_EVENT.has(error.code)) throw error;
        if (thrown.ids.length > 1) limit = 1;
        else await this.refuseIfAlone(outbox, thrown.ids[0] ?? '', error);
        continue;
      }
      if (outcome.busy) return true;
      if (outcome.taken < limit) return false;
      limit = Math.min(limit * 2, BATCH);
    }
  }

  private drain(outbox: Outbox, limit: number, besides: readonly string[]): Promise<DrainOutcome> {
    return outbox.drain({
      limit,
      except: [...this.refused, ...besides],
      deliver: (rows) => this.deliver(rows),
    });
  }

  private async deliver(rows: readonly OutboxRow[]): Promise<readonly OutboxRow[]> {
    const good: OutboxRow[] = [];
    const events: PreparedEvent[] = [];
    for (const row of rows) {
      const event = tryReadPrepared(row.body);
      if (event === undefined || event.id !== row.id) {
        this.refuse(row.id, 'its bytes are not this event');
      } else {
        good.push(row);
        events.push(event);
      }
    }
    if (events.length === 0) return good;
    try {
      await this.parts.append(events);
    } catch (cause) {
      throw new NotDelivered(
        events.map(({ id }) => id),
        toStoreError(cause),
      );
    }
    this.moved += events.length;
    this.parts.onMoved(events);
    return good;
  }

  /** A store that refuses one event for what it holds takes the next one; a store that is down does not. */
  private async refuseIfAlone(outbox: Outbox, id: string, error: AuditError): Promise<void> {
    const isOfEvent = error.code === 'AUDIT_ID_CONFLICT' || error.code === 'AUDIT_EVENT_INVALID';
    if (!isOfEvent) {
      const next = await this.drain(outbox, 1, [id]).catch(() => undefined);
      if (next === undefined || next.removed === 0) throw error;
    }
    this.refuse(id, error.message);
  }

  private refuse(id: string, reason: string): void {
    if (this.refused.size >= MAX_REFUSED) {
      throw new AuditError('AUDIT_EVENT_REFUSED', 'core', `the store takes none of ${MAX_REFUSED} events`);
    }
    this.refused.add(id);
    const message = `the event ${id} can not be brought from the outbox to the store, and stays there: ${reason}`;
    this.parts.report(new AuditError('AUDIT_EVENT_REFUSED', 'core', message));
  }
}

/** The store did not take these events. */
class NotDelivered extends Error {
  constructor(
    readonly ids: readonly string[],
    readonly error: AuditError,
  ) {
    super(error.message);
  }
}
