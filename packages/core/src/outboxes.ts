import type { JoinTarget, StoreOffer } from './audit.js';
import { AuditError } from './audit-error.js';
import { type ErrorReporter, toError, toStoreError } from './error-reporter.js';
import type { PreparedEvent } from './event.js';
import type { RelayHealth } from './health.js';
import { openStore } from './open-store.js';
import type { Outbox } from './outbox.js';
import { Relay } from './relay.js';
import { RelayLoop } from './relay-loop.js';
import type { AuditStore, MigrationOutcome } from './store.js';
import type { StoreConnection } from './store-connection.js';

export interface OutboxesOptions {
  readonly by: 'own' | 'external';
  /** To the store. */
  readonly connection: StoreConnection;
  readonly reporter: ErrorReporter;
  readonly onStored: (events: readonly PreparedEvent[]) => void;
  /** The events are committed in an outbox. */
  readonly onJoined: (count: number) => void;
}

interface OpenOutbox {
  readonly store: AuditStore;
  readonly outbox: Outbox;
  readonly target: JoinTarget;
  readonly relay: Relay;
  readonly loop: RelayLoop;
}

/** The outboxes of one audit: one a database whose ORM writes there. */
export class Outboxes {
  private readonly opening = new Map<() => Promise<StoreOffer>, Promise<OpenOutbox>>();
  private readonly opened: OpenOutbox[] = [];
  private lastLook: RelayHealth['outbox'] = null;
  private closed = false;

  constructor(private readonly options: OutboxesOptions) {}

  async target(offer: () => Promise<StoreOffer>): Promise<JoinTarget> {
    return (await this.open(offer)).target;
  }

  /** So that what an earlier process left is brought to the store before the first write. */
  async openAll(offers: readonly (() => Promise<StoreOffer>)[]): Promise<void> {
    if (this.options.by === 'own') await Promise.all(offers.map((offer) => this.open(offer)));
  }

  async migrate(offers: readonly (() => Promise<StoreOffer>)[]): Promise<MigrationOutcome[]> {
    const outcomes: MigrationOutcome[] = [];
    for (const offer of offers) outcomes.push(await (await this.open(offer)).store.migrate());
    return outcomes;
  }

  /** Resolves when what is in the outboxes is in the store. @throws AuditError */
  async drain(): Promise<void> {
    if (this.options.by === 'external') return;
    for (const { loop } of this.opened) await loop.drain();
  }

  health(now: number): RelayHealth {
    const oldest = this.opened.flatMap(({ loop }) => loop.waiting.oldest ?? []);
    const times = this.opened.flatMap(({ relay }) => relay.lastSuccess?.getTime() ?? []);
    const sum = (read: (one: OpenOutbox) => number) => this.opened.reduce((all, one) => all + read(one), 0);
    return {
      by: this.options.by,
      moved: sum(({ relay }) => relay.moved),
      waiting: sum(({ loop }) => loop.waiting.count),
      oldestWaitingMs: oldest.length === 0 ? null : Math.max(0, now - Math.min(...oldest)),
      refused: sum(({ relay }) => relay.refused.size),
      lastSuccess: times.length === 0 ? null : new Date(Math.min(...times)),
      lastError: this.opened.map(({ relay }) => relay.lastError).find((error) => error !== null) ?? null,
      outbox: this.lastLook,
    };
  }

  /** Asks the outboxes how much waits. Never rejects. */
  async look(): Promise<void> {
    try {
      const found = await Promise.all(this.opened.map(({ outbox }) => outbox.inspect()));
      const oldest = found.flatMap((one) => one.oldest?.getTime() ?? []);
      this.lastLook = {
        waiting: found.reduce((sum, { waiting }) => sum + waiting, 0),
        oldestMs: oldest.length === 0 ? null : Math.max(0, Date.now() - Math.min(...oldest)),
      };
    } catch (error) {
      this.lastLook = null;
      this.options.reporter.report(toStoreError(error));
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { loop, store } of this.opened) {
      await loop.stop();
      await store.close().catch((error: unknown) => this.options.reporter.report(toError(error)));
    }
  }

  private open(offer: () => Promise<StoreOffer>): Promise<OpenOutbox> {
    let opening = this.opening.get(offer);
    if (opening === undefined) {
      opening = this.make(offer).catch((error: unknown) => {
        this.opening.delete(offer);
        throw error;
      });
      this.opening.set(offer, opening);
    }
    return opening;
  }

  private async make(offer: () => Promise<StoreOffer>): Promise<OpenOutbox> {
    if (this.closed) throw new AuditError('AUDIT_CLOSED', 'core', 'the audit is closed');
    const { connection, reporter, by, onStored, onJoined } = this.options;
    const { url, options } = await offer();
    const store = await openStore(url, options);
    const { outbox } = store;
    if (outbox === undefined) {
      await store.close();
      throw new AuditError(
        'AUDIT_STORE_ELSEWHERE',
        'core',
        `the store is not in the database that the ORM writes to, and ${store.name} has no outbox`,
      );
    }
    const relay = new Relay({
      outbox: async () => outbox,
      append: (events) => connection.append(events),
      onMoved: onStored,
      report: (error) => reporter.report(error),
    });
    const loop = new RelayLoop({
      relay,
      report: (error) => reporter.report(error),
      recovered: () => reporter.recovered(),
    });
    const target: JoinTarget = {
      transactional: outbox.transactional,
      committed: (events) => {
        if (events.length === 0) return;
        onJoined(events.length);
        if (by === 'own') loop.committed(events.length);
      },
    };
    if (by === 'own') loop.start();
    const open = { store, outbox, target, relay, loop };
    this.opened.push(open);
    return open;
  }
}
