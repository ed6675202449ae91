import type { Catalogue } from './catalogue.js';
import type { AmbientContext } from './context-provider.js';
import type { Category, EventInput, PreparedEvent } from './event.js';
import type { KeyedFrom } from './keyed-from.js';
import type { RedactionOptions } from './redaction.js';
import type { AuditStore, MigrationOutcome } from './store.js';
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
    /** @default 64 MiB */
    readonly maxBytes?: number;
  };
  /** At most so many events wait in memory. A full buffer is a failure of the store. @default 10_000 */
  readonly maxBuffered?: number;
  /** A store that takes longer has failed. @default 2_000 */
  readonly storeTimeoutMs?: number;
  /** Seals this long after an append; false: another process seals. @default 50 */
  readonly sealAfterMs?: number | false;
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

export interface Health {
  readonly ok: boolean;
  readonly recorded: number;
  readonly pending: number;
  readonly sealed: number;
  readonly spooled: number;
  readonly lost: number;
  /** The last failure, or null since the last success. */
  readonly lastError: Error | null;
}

/** How an ORM package offers its database as the store, before anything was recorded. */
export interface StoreOffer {
  readonly url: string;
  /** Passed to the store package's `openStore` with the URL. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** One audit: one store, its logs, and what writes to them. */
export interface Audit {
  /** Records one event. Resolves when it is durable. */
  record(input: EventInput, options?: RecordOptions): Promise<Recorded>;
  /** Records several in one transaction of the store. */
  recordAll(inputs: readonly EventInput[], options?: RecordOptions): Promise<readonly Recorded[]>;
  /**
   * Resolves when everything that this process recorded before the call is in the store and sealed.
   *
   * @throws AuditError `AUDIT_STORE_TIMEOUT` if it can not be sealed within `drainTimeoutMs`, or why the store failed
   */
  flush(): Promise<void>;
  /** Seals what is pending in all logs, whoever wrote it. @returns how many events */
  seal(): Promise<number>;
  /** Verifies one log, or all of them. */
  verify(options?: VerifyOptions): Promise<readonly Verdict[]>;
  migrate(): Promise<MigrationOutcome>;
  health(): Health;
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
   * For ORM packages: makes the bytes of events that they write in the caller's transaction. None inside
   * `withoutAudit`.
   */
  prepare(inputs: readonly EventInput[], ambient?: AmbientContext): Promise<readonly PreparedEvent[]>;
  /** For ORM packages: these events are committed; they are counted and sealed soon. */
  committed(events: readonly PreparedEvent[]): void;
  /** For ORM packages: the policy of a category. */
  policy(category: Category): FailurePolicy;
  /** For ORM packages: events whose transaction is over go the way of `record()`, under the policy of their category. */
  deliver(events: readonly PreparedEvent[]): Promise<readonly Recorded[]>;
  /** Reports a failure that has no caller. */
  reportError(error: Error): void;
}
