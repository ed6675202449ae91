import type { FailurePolicy } from './audit.js';
import type { Category } from './event.js';
import type { LogCount } from './log-names.js';

/**
 * How one process's audit is. The counters are of this process, from its start; a fleet's are the sum of them. Ages are
 * in milliseconds.
 */
export interface Health {
  /** False since the last failure, until things went well again. */
  readonly ok: boolean;
  /** Events that are durable: in the store, in the spool, or in a committed transaction of an ORM. */
  readonly recorded: number;
  /** Events that are not durable yet, and those that this process stored and that are not sealed, as far as it knows. */
  readonly pending: number;
  /** Entries that this process made. 0 where another process seals. */
  readonly sealed: number;
  /** Events in spool files of this process, those it took over included. */
  readonly spooled: number;
  /** Bytes of these files. */
  readonly spooledBytes: number;
  /** Events that this process brought from spool files to the store. */
  readonly replayed: number;
  /** Events that were kept nowhere. The log gets an `audit.gap` with their number. */
  readonly lost: number;
  /** Failures, those that reached a caller and those that `onError` was told of before too. */
  readonly failures: number;
  /** Since when the oldest event waits that this process stored and that is not sealed; null where none does. */
  readonly oldestPendingMs: number | null;
  /** How old the oldest spool file is; null where there is none. */
  readonly oldestSpooledMs: number | null;
  /** The last failure, or null since the last success. */
  readonly lastError: Error | null;
  /** The failure policy in use, by category. */
  readonly policies: Readonly<Record<Category, FailurePolicy>>;
  readonly sealer: SealerHealth;
  /** Null where this process makes none. */
  readonly checkpoints: CheckpointHealth | null;
  readonly logs: LogCount;
  /** Of the outboxes of ORMs whose database is not the store's; null where `relay` is off. */
  readonly relay: RelayHealth | null;
  /** What the last `checkHealth()` found; null before the first one. */
  readonly store: StoreHealth | null;
}

export interface SealerHealth {
  /** Who seals: this process, or another one. */
  readonly by: 'own' | 'external';
  /** When a seal last went well, also one that found nothing to do; null: none has yet. */
  readonly lastSuccess: Date | null;
  /** Why a log could not be sealed in whole, for as long as it can not. */
  readonly lastError: Error | null;
}

export interface CheckpointHealth {
  /** When all that was due was last made; null: not yet. */
  readonly lastSuccess: Date | null;
  /** Why a log has no new checkpoint, for as long as it has none. */
  readonly lastError: Error | null;
}

export interface RelayHealth {
  /** Who brings events to the store: this process, or another one. */
  readonly by: 'own' | 'external';
  /** Events that this process has brought to the store. */
  readonly moved: number;
  /** Events of this process that wait in the outbox, as far as it knows; 0 where another one brings them. */
  readonly waiting: number;
  readonly oldestWaitingMs: number | null;
  /** Events that no store takes: they stay in the outbox. */
  readonly refused: number;
  /** When the outbox was last empty, and why it can not be emptied. */
  readonly lastSuccess: Date | null;
  readonly lastError: Error | null;
  /** What the outboxes held at the last `checkHealth()`, of all processes; null before, and where they can not be read. */
  readonly outbox: { readonly waiting: number; readonly oldestMs: number | null } | null;
}

/** What the store itself says. It counts the events of all processes. */
export interface StoreHealth {
  readonly checkedAt: Date;
  /** False: the store did not answer, or not in time. Everything below is null then. */
  readonly reachable: boolean;
  /** Why it is not reachable, or why what it holds can not be told, as to a role that may only insert. */
  readonly error: Error | null;
  /** Events that wait for their seal; at most 10,000 are counted. */
  readonly pending: number | null;
  /** How long ago the oldest of them was made. */
  readonly oldestPendingMs: number | null;
  /** Months ahead that have a partition; null where the store has no partitions. */
  readonly partitionsAhead: number | null;
}

/** What a store tells of itself with `inspect`. */
export interface StoreCondition {
  /** Events that wait for their seal; a store need not count further than 10,000. */
  readonly pending: number;
  /** When the oldest of them was made, by its id; null where none waits. */
  readonly oldestPending: Date | null;
  /** Months ahead that have a partition. @default none: the store has no partitions */
  readonly partitionsAhead?: number;
}
