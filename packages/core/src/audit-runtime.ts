import type { Audit, FailurePolicy, JoinTarget, Recorded, RecordOptions, StoreOffer } from './audit.js';
import { AuditError } from './audit-error.js';
import type { AuditSettings } from './audit-settings.js';
import type { Checkpointer } from './checkpointer.js';
import { type AmbientContext, tryGetContext } from './context-provider.js';
import { Delivery } from './delivery.js';
import { ErrorReporter, toError, toStoreError } from './error-reporter.js';
import type { Category, EventInput, PreparedEvent } from './event.js';
import { EventPreparer } from './event-preparer.js';
import { strictestPolicy } from './failure-policy.js';
import { runFlushers } from './flushers.js';
import type { Health, StoreHealth } from './health.js';
import { joinTransaction } from './join-transaction.js';
import { LogNames } from './log-names.js';
import type { MadeCheckpoint } from './make-checkpoint.js';
import { openCheckpointer } from './open-checkpointer.js';
import { describedBy, type ToldOperation, tellOperation } from './operation.js';
import { Outboxes } from './outboxes.js';
import { makeOwnEvent } from './own-event.js';
import type { PrepareSettings } from './prepare-event.js';
import { type HealthParts, readHealth } from './read-health.js';
import { Recovery } from './recovery.js';
import { makeReplayNotices, REPLAYED } from './replay-notice.js';
import { runWithout } from './run-without.js';
import { Sealer } from './sealer.js';
import { Spool } from './spool.js';
import { spoolTarget } from './spool-target.js';
import type { AuditStore, MigrationOutcome } from './store.js';
import { StoreConnection } from './store-connection.js';
import { lookAtStore } from './store-health.js';
import type { Verdict } from './verdict.js';
import { verifyAll } from './verify-all.js';
import type { VerifyOptions } from './verify-log.js';

const PAUSED: Recorded = Object.freeze({ id: '', where: 'paused' });

/** The one implementation of `Audit`; `createAudit` makes it. */
export class AuditRuntime implements Audit {
  private readonly connection: StoreConnection;
  private readonly reporter: ErrorReporter;
  private readonly spool: Spool;
  private readonly recovery: Recovery;
  private readonly sealer: Sealer;
  private readonly delivery: Delivery;
  private readonly outboxes: Outboxes | null;
  private readonly checkpointer: Checkpointer | null;
  private readonly prepared: PrepareSettings;
  private readonly logs: LogNames;
  private readonly preparer: EventPreparer;
  /** Calls whose events are not made yet. */
  private readonly preparing = new Set<Promise<unknown>>();
  private readonly parts: Omit<HealthParts, 'joined' | 'lastLook'>;
  private joined = 0;
  private lastLook: StoreHealth | null = null;
  private started = false;
  private closing: Promise<void> | null = null;

  constructor(private readonly settings: AuditSettings) {
    const { store, keys, keyedFrom, storeTimeoutMs: timeoutMs, sealAfterMs, maxBuffered } = settings;
    const { origin, maxLogs, drainTimeoutMs } = settings;
    const own = settings.sealing === 'own';
    const reporter = new ErrorReporter(settings.onError);
    // Where another process seals, the key is there and not here.
    const keyed = keys !== undefined || sealAfterMs === false;
    const connection = new StoreConnection({ store, keyed, timeoutMs });
    const sealer = new Sealer({ connection, reporter, keys, keyedFrom, own, sealAfterMs, drainTimeoutMs });
    const onStored = (events: readonly PreparedEvent[]) => sealer.stored(events);
    const spool = new Spool({
      directory: settings.spoolDirectory,
      maxBytes: settings.spoolMaxBytes,
      maxEvents: settings.spoolMaxEvents,
      target: spoolTarget(store, origin),
      onDamage: (error, lost) => (lost > 0 ? this.recovery.lose(lost, error) : reporter.report(error)),
    });
    const prepareGap = (lost: number, since: Date) =>
      makeOwnEvent(this.prepared, 'audit.gap', { lost, since: since.toISOString() });
    const prepareNotices = (late: readonly PreparedEvent[]) =>
      makeReplayNotices(late, {
        keys,
        maxEventBytes: settings.prepare.maxEventBytes,
        prepare: (notice, tenant, log) =>
          makeOwnEvent(this.prepared, REPLAYED, { ...notice }, { tenant, log }),
      });
    const recovery = new Recovery({ connection, spool, reporter, prepareGap, prepareNotices, onStored });
    this.outboxes =
      settings.relay === false
        ? null
        : new Outboxes({
            by: settings.relay,
            connection,
            reporter,
            onStored,
            onJoined: (count) => this.countJoined(count),
          });
    this.reporter = reporter;
    this.connection = connection;
    this.sealer = sealer;
    this.spool = spool;
    this.recovery = recovery;
    this.delivery = new Delivery({ connection, spool, recovery, reporter, maxBuffered, timeoutMs, onStored });
    this.logs = new LogNames({ origin, maxLogs, onOverflow: (error) => reporter.report(error) });
    this.prepared = { ...settings.prepare, logs: this.logs };
    const { prepared } = this;
    this.checkpointer = openCheckpointer({ settings, connection, sealer, reporter, prepared });
    const { delivery, outboxes, logs, checkpointer } = this;
    const parts = { settings, reporter, delivery, sealer, checkpointer };
    this.parts = { ...parts, spool, recovery, outboxes, logs };
    this.preparer = new EventPreparer(this.prepared, timeoutMs, (error) => reporter.report(error));
  }

  /** Takes an action and an event as well, as `TypedRecord` types it. */
  record(first: EventInput | string, second?: object, third?: RecordOptions): Promise<Recorded> {
    const input = typeof first === 'string' ? { ...second, action: first } : first;
    const options: RecordOptions | undefined = typeof first === 'string' ? third : second;
    const ambient = tryGetContext();
    if (options?.tx !== undefined || ambient?.paused === true || this.closing !== null) {
      return this.recordTogether([input], options).then(([recorded = PAUSED]) => recorded);
    }
    try {
      this.start();
      const made = this.preparer.prepare([input], ambient);
      return made instanceof Promise ? this.track(made).then((events) => this.send(events)) : this.send(made);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  recordAll(inputs: readonly EventInput[], options?: RecordOptions): Promise<readonly Recorded[]> {
    return this.recordTogether(inputs, options);
  }

  recordLater(input: EventInput, ambient: AmbientContext | undefined = tryGetContext()): void {
    try {
      this.assertOpen();
      if (ambient?.paused === true) return;
      this.start();
      const events = this.preparer.prepare([input], ambient);
      if (!(events instanceof Promise)) {
        this.post(events);
        return;
      }
      this.track(events.then((made) => this.post(made))).catch((error: unknown) =>
        this.recovery.lose(1, error),
      );
    } catch (error) {
      this.recovery.lose(1, error);
    }
  }

  without<T>(fn: () => T | PromiseLike<T>, options: { readonly reason: string }): Promise<Awaited<T>> {
    return runWithout(this, fn, options);
  }

  async flush(): Promise<void> {
    await this.settle();
    for (let tries = 0; !this.recovery.isDone && tries < 3; tries += 1) await this.recovery.attempt();
    await this.outboxes?.drain();
    if (this.settings.sealAfterMs !== false) await this.sealer.drain();
  }

  async seal(): Promise<number> {
    this.assertOpen();
    return this.sealer.sealAll();
  }

  async checkpoint(log: string = this.settings.origin): Promise<MadeCheckpoint | null> {
    this.assertOpen();
    if (this.checkpointer !== null) return this.checkpointer.make(log);
    throw new AuditError('AUDIT_CONFIG_INVALID', 'core', 'the option `checkpoints` has to name a signer');
  }

  async verify(options: VerifyOptions = {}): Promise<readonly Verdict[]> {
    const { keys, keyedFrom, checkpoints } = this.settings;
    const signer = checkpoints?.signer;
    return verifyAll(await this.store(), { ...options, keys, keyedFrom, signer });
  }

  async migrate(): Promise<MigrationOutcome> {
    const outcome = await (await this.store()).migrate();
    await this.outboxes?.migrate(this.connection.offered());
    return outcome;
  }

  health(): Health {
    return readHealth({ ...this.parts, joined: this.joined, lastLook: this.lastLook });
  }

  async checkHealth(): Promise<Health> {
    await this.outboxes?.look();
    this.lastLook = await lookAtStore(this.connection);
    return this.health();
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  async store(): Promise<AuditStore> {
    return this.connection.get();
  }

  offerStore(offer: StoreOffer | (() => Promise<StoreOffer>)): void {
    this.connection.offer(offer);
  }

  async outbox(offer: () => Promise<StoreOffer>): Promise<JoinTarget | undefined> {
    return this.outboxes?.target(offer);
  }

  async prepare(
    inputs: readonly EventInput[],
    ambient: AmbientContext | undefined = tryGetContext(),
  ): Promise<readonly PreparedEvent[]> {
    return ambient?.paused === true ? [] : this.preparer.prepare(inputs, ambient);
  }

  async describeOperation(
    id: string,
    ambient: AmbientContext | undefined = tryGetContext(),
  ): Promise<ToldOperation> {
    this.assertOpen();
    const [event] = await this.preparer.prepare([describedBy(id)], ambient);
    if (event === undefined) throw new TypeError('[indelible/core] no event was prepared');
    return tellOperation(event, id, this.settings.keys, ambient?.paused === true);
  }

  operationCommitted(log: string): void {
    if (this.closing !== null) return;
    this.start();
    this.sealer.expect(log);
  }

  committed(events: readonly PreparedEvent[]): void {
    if (events.length === 0) return;
    this.countJoined(events.length);
    this.sealer.stored(events);
  }

  policy(category: Category): FailurePolicy {
    return this.settings.policies[category];
  }

  limits(): ReturnType<Audit['limits']> {
    const { maxEventBytes, maxBinaryBytes } = this.settings.prepare;
    return { maxEventBytes, maxBinaryBytes };
  }

  async deliver(events: readonly PreparedEvent[]): Promise<readonly Recorded[]> {
    this.assertOpen();
    this.start();
    return Promise.all(events.map((event) => this.send([event])));
  }

  reportError(error: Error): void {
    this.reporter.report(error);
  }

  private async recordTogether(
    inputs: readonly EventInput[],
    options: RecordOptions | undefined,
  ): Promise<readonly Recorded[]> {
    this.assertOpen();
    const ambient = tryGetContext();
    if (ambient?.paused === true)
      return inputs.map(({ id }) => (id === undefined ? PAUSED : { ...PAUSED, id }));
    if (inputs.length === 0) return [];
    if (options?.tx !== undefined) return joinTransaction(options.tx, inputs);
    this.start();
    const made = this.preparer.prepare(inputs, ambient);
    const events = made instanceof Promise ? await this.track(made) : made;
    const policy = strictestPolicy(events, this.settings.policies);
    return this.delivery.deliver(events, policy, (where) => events.map(({ id }) => ({ id, where })));
  }

  private send(events: readonly PreparedEvent[]): Promise<Recorded> {
    const id = events[0]?.id ?? '';
    return this.delivery.deliver(events, strictestPolicy(events, this.settings.policies), (where) => ({
      id,
      where,
    }));
  }

  private post(events: readonly PreparedEvent[]): void {
    this.delivery.post(events, strictestPolicy(events, this.settings.policies));
  }

  private countJoined(count: number): void {
    this.joined += count;
    if (this.closing === null) this.start();
  }

  /** With the first event, so that configuring alone opens nothing. */
  private start(): void {
    if (this.started) return;
    this.started = true;
    this.sealer.start();
    this.checkpointer?.start();
    this.track(this.recovery.watch()).catch((error: unknown) => this.reporter.report(toStoreError(error)));
    const offered = this.outboxes?.openAll(this.connection.offered());
    if (offered !== undefined)
      this.track(offered).catch((error: unknown) => this.reporter.report(toError(error)));
    if (this.settings.lifecycleEvents)
      this.post([makeOwnEvent(this.prepared, 'audit.started', { node: process.version })]);
  }

  /** Everything that was recorded before is durable, or lost and counted. */
  private async settle(): Promise<void> {
    runFlushers((error) => this.reporter.report(toError(error)));
    while (this.preparing.size > 0) await Promise.allSettled(this.preparing);
    await this.delivery.idle();
  }

  private async shutDown(): Promise<void> {
    const attempt = (step: () => Promise<unknown>) => this.reporter.attempt(step);
    await this.settle();
    if (this.started && this.settings.lifecycleEvents) {
      this.post([
        makeOwnEvent(this.prepared, 'audit.stopped', { recorded: this.delivery.recorded + this.joined }),
      ]);
      await this.settle();
    }
    if (!this.recovery.isDone) await attempt(() => this.recovery.attempt());
    await attempt(() => this.recovery.stop());
    await attempt(async () => this.outboxes?.drain());
    if (this.settings.sealAfterMs !== false) await attempt(() => this.sealer.drain());
    await this.checkpointer?.stop();
    await this.sealer.stop();
    await attempt(async () => this.outboxes?.close());
    await attempt(() => this.spool.close());
    await attempt(() => this.connection.close());
  }

  private track<T>(work: Promise<T>): Promise<T> {
    this.preparing.add(work);
    const done = () => {
      this.preparing.delete(work);
    };
    work.then(done, done);
    return work;
  }

  private assertOpen(): void {
    if (this.closing !== null) throw new AuditError('AUDIT_CLOSED', 'core', 'the audit is closed');
  }
}
