import type { Anchor } from './anchor.js';
import type { Catalogue } from './catalogue.js';
import type { AmbientContext } from './context-provider.js';
import type { Category, EventInput, PreparedEvent } from './event.js';
import type { Health } from './health.js';
import type { KeyedFrom } from './keyed-from.js';
import type { MadeCheckpoint } from './make-checkpoint.js';
import type { NoteSigner, RemoteKey } from './note-signer.js';
import type { ToldOperation } from './operation.js';
import type { RedactionOptions } from './redaction.js';
import type { AuditStore, MigrationOutcome, TransactionalAppend } from './store.js';
import type { Verdict } from './verdict.js';
import type { VerifyOptions } from './verify-log.js';

/** What happens when the audit write fails. */
export type FailurePolicy = 'strict' | 'spool' | 'continue';

export interface AuditOptions {
  /** A store, or a URL such as `file:./audit.db`. @default AUDIT_DATABASE_URL, else the first audited ORM's database, else `file:./audit.db` */
  readonly store?: AuditStore | string;
  /** The secret, at least 32 bytes: text, or `base64:…` or `hex:…`. @default AUDIT_HMAC_KEY */
  readonly hmacKey?: string | Uint8Array;
  /**
   * The index from which on entries must be keyed, for logs that are older than the key: one for all, or
   * `{ 'audit/north': 120 }`, where a log that is not named must be keyed as a whole. @default 0 where there is a key
   */
  readonly keyedFrom?: KeyedFrom;
  /** The name of the log; a tenant's log is `<origin>/<encoded tenant>`. Letters, digits, `.`, `-`, `_`, `/`. @default 'audit' */
  readonly origin?: string;
  readonly redaction?: RedactionOptions;
  /** The application's own actions, from `defineActions()`. @default the built-in ones, and any other name */
  readonly actions?: Catalogue;
  /** Per category. @default data: strict, everything else: spool */
  readonly policy?: Partial<Record<Category, FailurePolicy>>;
  readonly spool?: {
    /** @default './.indelible/spool' */
    readonly directory?: string;
    /** All files of this process together. @default 64 MiB */
    readonly maxBytes?: number;
    /** Events in them. @default 1_000_000 */
    readonly maxEvents?: number;
  };
  /** At most so many events wait in memory. A full buffer is a failure of the store. @default 10_000 */
  readonly maxBuffered?: number;
  /** A store that takes longer has failed. @default 2_000 */
  readonly storeTimeoutMs?: number;
  /**
   * Who seals. `own`: this process. `external`: another one, `indelible seal --watch` say. Then this process needs neither
   * the key nor any right but to insert events, `flush()` resolves when they are in the store, and `seal()` is refused with
   * `AUDIT_SEALED_ELSEWHERE`.
   *
   * @default 'own'
   */
  readonly sealing?: 'own' | 'external';
  /**
   * For an ORM whose database is not the store's. The events of its transactions then go to an outbox in its own database,
   * in the very transactions, and from there to the store: brought by this process (`own`), or by another one (`external`,
   * `indelible relay` say). The audit tables have to be there too: `migrate()` makes them in both. Without it such an ORM is
   * refused with `AUDIT_STORE_ELSEWHERE`.
   *
   * @default false
   */
  readonly relay?: 'own' | 'external' | false;
  /**
   * Makes signed checkpoints of what is sealed, in the store: of the application's own log each time, after a `log.heartbeat` where
   * nothing else was recorded, and of tenants' logs where they have grown. For the process that seals.
   *
   * @default none are made
   */
  readonly checkpoints?: CheckpointOptions;
  /** Seals this long after an append; false: only when `seal()` is called. @default 50 */
  readonly sealAfterMs?: number | false;
  /**
   * The tenants whose logs one process writes to at most. A tenant that is read from a request is what its sender likes, and
   * each makes a log. Events of further tenants go to the log `<origin>/~overflow`, with their tenant on them; `onError` is
   * told once, and health counts them.
   *
   * @default 10_000
   */
  readonly maxLogs?: number;
  /**
   * How long `flush()` and `close()` wait for the seal of their events while another process holds the log's lock. What is
   * not sealed then is in the store and stays pending: whoever seals next seals it. @default 30_000
   */
  readonly drainTimeoutMs?: number;
  /** Cuts an event's values beyond so many bytes and marks them. @default 65_536 */
  readonly maxEventBytes?: number;
  /** Bytes up to this length are kept as base64, longer ones as a SHA-256 digest. @default 1_024 */
  readonly maxBinaryBytes?: number;
  /** What an event without any actor means. @default 'system' */
  readonly onMissingActor?: 'system' | 'throw';
  /** Told of every failure that does not reach a caller, once per failure. @default one line on stderr */
  readonly onError?: (error: Error) => void;
  /** Records `audit.started` and `audit.stopped`. @default true */
  readonly lifecycleEvents?: boolean;
}

export interface CheckpointOptions {
  /**
   * The Ed25519 key: PEM, `file:<path>` of one, or something that signs elsewhere. Its public half is what an auditor is given.
   *
   * @default AUDIT_SIGNING_KEY
   */
  readonly signer?: string | RemoteKey | NoteSigner;
  /** @default 60_000 */
  readonly everyMs?: number;
  /** Each checkpoint is kept there too, in all of them. @default none: then a checkpoint is worth what the database is */
  readonly anchors?: readonly Anchor[];
}

export interface RecordOptions {
  /** The ORM's transaction that the event joins. */
  readonly tx?: unknown;
}

export interface Recorded {
  readonly id: string;
  /**
   * Where the event is safe now: in the store, in the spool, in the caller's transaction until it commits, or nowhere
   * (`lost` under `continue`; `paused` inside `withoutAudit`).
   */
  readonly where: 'store' | 'spool' | 'transaction' | 'lost' | 'paused';
}

/** How an ORM package offers its database as the store, before anything was recorded. */
export interface StoreOffer {
  readonly url: string;
  /** Passed to the store package's `openStore` with the URL. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Where an ORM package writes the events of its transactions. */
export interface JoinTarget {
  readonly transactional: TransactionalAppend;
  /** These events are committed there. */
  committed(events: readonly PreparedEvent[]): void;
}

/** One audit: one store, its logs, and what writes to them. */
export interface Audit {
  /** Records one event. Resolves when it is durable. */
  record(input: EventInput, options?: RecordOptions): Promise<Recorded>;
  /** Records several in one transaction of the store. */
  recordAll(inputs: readonly EventInput[], options?: RecordOptions): Promise<readonly Recorded[]>;
  /**
   * Runs `fn` without recording what it does: `withoutAudit()` of `@indelible/context`, which must be loaded. The pause itself
   * is recorded in this audit, with its reason, before `fn` starts and after it ended.
   *
   * @throws AuditError `AUDIT_CONTEXT_MISSING` without `@indelible/context`
   * @throws TypeError without a reason
   */
  without<T>(fn: () => T | PromiseLike<T>, options: { readonly reason: string }): Promise<Awaited<T>>;
  /**
   * Resolves when everything that this process recorded before the call is in the store and sealed. Where another process
   * seals (`sealing: 'external'`, `sealAfterMs: false`): in the store.
   *
   * @throws AuditError `AUDIT_STORE_TIMEOUT` if it can not be sealed within `drainTimeoutMs`, or why the store failed
   */
  flush(): Promise<void>;
  /**
   * Seals what is pending in all logs, whoever wrote it.
   *
   * @returns how many events
   * @throws AuditError `AUDIT_SEALED_ELSEWHERE` with `sealing: 'external'`
   */
  seal(): Promise<number>;
  /**
   * Makes a checkpoint of a log as it is now, and keeps it in the store.
   *
   * @param log @default the application's own
   * @returns null where the log has no entries
   * @throws AuditError `AUDIT_CONFIG_INVALID` without the option `checkpoints`; `AUDIT_CHECKPOINT_REFUSED`, `AUDIT_HEAD_INVALID`,
   * `AUDIT_KEY_MISSING` if the log is not what it says; `AUDIT_SIGNATURE_INVALID` if the signer fails
   */
  checkpoint(log?: string): Promise<MadeCheckpoint | null>;
  /** Verifies one log, or all of them. */
  verify(options?: VerifyOptions): Promise<readonly Verdict[]>;
  migrate(): Promise<MigrationOutcome>;
  /** What this process knows without asking anybody: cheap, and never throws. */
  health(): Health;
  /** Asks the store too, for at most `storeTimeoutMs`. Never rejects: a store that is down is an answer. */
  checkHealth(): Promise<Health>;
  /**
   * Drains, records `audit.stopped`, closes the store if this audit opened it. Idempotent, and never rejects: what can not be
   * drained, in the store's time limits and `drainTimeoutMs`, reaches `onError` and is left in the spool or pending.
   */
  close(): Promise<void>;
  /** The store, opened on first use. */
  store(): Promise<AuditStore>;

  /**
   * For framework packages: records without a promise, many to one write. What fails follows the policy and reaches
   * `onError`; `flush()` and `close()` wait for it.
   *
   * @param ambient the context of the event, where the call is made outside of it
   */
  recordLater(input: EventInput, ambient?: AmbientContext): void;

  /**
   * For ORM packages: the database to use where no store is configured. The first offer counts. A function is called
   * when the store is first needed: some ORMs know their database only once they connect.
   */
  offerStore(offer: StoreOffer | (() => Promise<StoreOffer>)): void;
  /**
   * For ORM packages: the outbox in the ORM's own database, which the offer names; undefined where `relay` is off. The same
   * offer gives the same outbox.
   *
   * @throws AuditError `AUDIT_STORE_ELSEWHERE` where such a database has no outbox
   */
  outbox(offer: () => Promise<StoreOffer>): Promise<JoinTarget | undefined>;
  /**
   * For ORM packages: makes the bytes of events that they write in the caller's transaction. None inside
   * `withoutAudit`.
   */
  prepare(inputs: readonly EventInput[], ambient?: AmbientContext): Promise<readonly PreparedEvent[]>;
  /** For ORM packages: these events are committed; they are counted and sealed soon. */
  committed(events: readonly PreparedEvent[]): void;
  /**
   * For packages whose database records by itself: what its triggers are told of who acts, in the present context. Inside
   * `withoutAudit` too, because triggers are not paused.
   *
   * @param id of the operation, which is one transaction of the database: a UUIDv7 that is used for no other
   * @throws AuditError `AUDIT_ACTOR_MISSING`, `AUDIT_CLOSED`
   */
  describeOperation(id: string, ambient?: AmbientContext): Promise<ToldOperation>;
  /** For packages whose database records by itself: an operation of this log is committed; what it left is sealed soon. */
  operationCommitted(log: string): void;
  /** For ORM packages: the policy of a category. */
  policy(category: Category): FailurePolicy;
  /** For ORM packages: beyond which size an event holds no value as it is, in bytes. */
  limits(): { readonly maxEventBytes: number; readonly maxBinaryBytes: number };
  /** For ORM packages: events whose transaction is over go the way of `record()`, under the policy of their category. */
  deliver(events: readonly PreparedEvent[]): Promise<readonly Recorded[]>;
  /** Reports a failure that has no caller. */
  reportError(error: Error): void;
}
