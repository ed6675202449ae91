import { type Anchor, anchorKey } from './anchor.js';
import { AuditError } from './audit-error.js';
import { parseCheckpoint } from './checkpoint.js';
import type { CheckpointStore, StoredCheckpoint } from './checkpoint-store.js';
import { equalBytes } from './equal-bytes.js';
import { type ErrorReporter, toStoreError } from './error-reporter.js';
import { type KeyedFrom, keyedFromOf } from './keyed-from.js';
import type { AuditKeys } from './keys.js';
import { type MadeCheckpoint, makeCheckpoint } from './make-checkpoint.js';
import { CompactRange } from './merkle-tree.js';
import { type NoteSigner, signerKey } from './note-signer.js';
import { checkpointRefused } from './rehash-log.js';
import { openNote } from './signed-note.js';
import type { AuditStore } from './store.js';

/** Sealed where nothing else was, so that each checkpoint is a new one: that none comes any more then shows. */
export const HEARTBEAT = 'log.heartbeat';

export interface CheckpointerOptions {
  readonly store: () => Promise<AuditStore>;
  readonly reporter: ErrorReporter;
  readonly keys: AuditKeys | undefined;
  readonly keyedFrom: KeyedFrom | undefined;
  readonly signer: NoteSigner;
  readonly everyMs: number;
  readonly anchors: readonly Anchor[];
  /** How long `stop` waits for a store that does not answer. */
  readonly drainTimeoutMs: number;
  /** The application's own log: it gets a checkpoint each time, and that is a new one each time. */
  readonly origin: string;
  /** Seals a `log.heartbeat` into this log. */
  readonly heartbeat: (log: string) => Promise<void>;
  /** Other logs that may have grown. */
  readonly logs: () => Iterable<string>;
}

/** Makes checkpoints on an interval, in the process that seals. */
export class Checkpointer {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private stopped = false;
  /** What this process has signed last: a store that shows less than that was put back. */
  private readonly signed = new Map<string, Pick<MadeCheckpoint, 'size' | 'root'>>();
  /** Why the last try failed, by log: told once, and not each second. */
  private readonly failures = new Map<string, AuditError>();
  /** Checkpoints that not every anchor has taken. */
  private readonly unanchored = new Map<string, MadeCheckpoint>();
  /** When a round last went well. */
  lastSuccess: Date | null = null;

  constructor(private readonly options: CheckpointerOptions) {}

  start(): void {
    if (this.timer !== null || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.round().finally(() => this.start());
    }, this.options.everyMs).unref();
  }

  /** Why a log has no new checkpoint, for as long as it has none; null where all have. */
  get failure(): AuditError | null {
    return this.failures.values().next().value ?? null;
  }

  /** Resolves when nothing of this is on its way to the store any more, or it does not come back. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    let late: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, this.options.drainTimeoutMs);
    });
    await Promise.race([this.turn, patience]).finally(() => clearTimeout(late));
  }

  /** A checkpoint of what this log is now. @throws as `makeCheckpoint`, and what the store throws */
  make(log: string): Promise<MadeCheckpoint | null> {
    return this.inTurn(async () => this.makeNow(await this.options.store(), log, null));
  }

  /** What is due: the application's own log, and those that have grown. */
  private async round(): Promise<void> {
    const { origin, logs } = this.options;
    for (const log of new Set([origin, ...logs()])) {
      if (this.stopped) return;
      await this.inTurn(async () => {
        try {
          await this.makeDue(await this.options.store(), log, log === origin);
          this.failures.delete(log);
        } catch (thrown) {
          this.failed(log, toStoreError(thrown));
        }
      });
    }
    if (this.failures.size === 0) this.lastSuccess = new Date();
  }

  private async makeDue(store: AuditStore, log: string, isOwn: boolean): Promise<void> {
    const { everyMs, heartbeat } = this.options;
    const last = await checkpointsOf(store).latest(log);
    // Another process was quicker. A time in the future is nobody's, and would end all checkpoints.
    const age = last === null ? Number.POSITIVE_INFINITY : Date.now() - Number(last.madeAt / 1000n);
    if (age >= 0 && age < everyMs / 2) return this.anchorAgain(log);
    const head = await store.head(log);
    if (head === null) return;
    if (head.size === last?.size) {
      if (!isOwn) return this.anchorAgain(log);
      await heartbeat(log);
    }
    await this.makeNow(store, log, last);
  }

  private async makeNow(
    store: AuditStore,
    log: string,
    known: StoredCheckpoint | null,
  ): Promise<MadeCheckpoint | null> {
    const { signer, keys, keyedFrom } = this.options;
    const last = known ?? (await checkpointsOf(store).latest(log));
    const since = last === null ? undefined : this.trust(log, last);
    const before = this.signed.get(log);
    if (before !== undefined && before.size > (last?.size ?? 0)) {
      throw checkpointRefused(log, `this process signed ${before.size} entries, and the store has less`);
    }
    const made = await makeCheckpoint(store, log, {
      signer,
      keys,
      keyedFrom: keyedFromOf(keyedFrom, log),
      since,
    });
    if (made === null) return null;
    const { size, range, note } = made;
    const madeAt = BigInt(Date.now()) * 1000n;
    await checkpointsOf(store).add({ log, size, note: Buffer.from(note), range, madeAt });
    this.signed.set(log, made);
    this.unanchored.set(log, made);
    await this.anchor(made);
    return made;
  }

  /** A log of which no new checkpoint is made: its last one may be missing somewhere. */
  private async anchorAgain(log: string): Promise<void> {
    const waiting = this.unanchored.get(log);
    if (waiting !== undefined) await this.anchor(waiting);
  }

  /** Keeps a checkpoint elsewhere: one anchor that fails keeps it from no other one. @throws AuditError of the first that failed */
  private async anchor({ log, size, note }: MadeCheckpoint): Promise<void> {
    const bytes = Buffer.from(note);
    const put = async (anchor: Anchor) => anchor.put(anchorKey(log, size), Uint8Array.from(bytes));
    const outcomes = await Promise.allSettled(this.options.anchors.map(put));
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue;
      if (outcome.reason instanceof AuditError) throw outcome.reason;
      const message = `the anchor ${this.options.anchors[at]?.name} did not take a checkpoint of the log ${log}`;
      throw new AuditError('AUDIT_ANCHOR_FAILED', 'core', message, { cause: outcome.reason });
    }
    this.unanchored.delete(log);
  }

  /** The state that a stored checkpoint states, if its signature is ours and its tree is the one that was signed. */
  private trust(
    log: string,
    stored: StoredCheckpoint,
  ): { readonly size: number; readonly range: Uint8Array } {
    const { text } = openNote(stored.note, [signerKey(this.options.signer, log)]);
    const { origin, size, root } = parseCheckpoint(text);
    const before = this.signed.get(log);
    const isOther = before?.size === size && !equalBytes(before.root, root);
    if (origin !== log || size !== stored.size || isOther) {
      throw checkpointRefused(
        log,
        `the stored checkpoint of ${stored.size} entries is not the one that was signed`,
      );
    }
    const { range } = stored;
    if (!equalBytes(rootOfRange(size, range), root)) {
      throw checkpointRefused(
        log,
        `the tree that is stored with the checkpoint of ${size} entries is another one`,
      );
    }
    return { size, range };
  }

  private failed(log: string, error: AuditError): void {
    const known = this.failures.get(log);
    this.failures.set(log, error);
    if (known?.message !== error.message) this.options.reporter.report(error);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.turn.then(work);
    this.turn = next.catch(() => {});
    return next;
  }
}

function checkpointsOf(store: AuditStore): CheckpointStore {
  if (store.checkpoints !== undefined) return store.checkpoints;
  throw new AuditError('AUDIT_CONFIG_INVALID', 'core', `the store ${store.name} keeps no checkpoints`);
}

function rootOfRange(size: number, range: Uint8Array): Uint8Array {
  try {
    return CompactRange.fromBytes(size, range).root();
  } catch {
    return new Uint8Array();
  }
}
