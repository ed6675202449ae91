import type { FindingCode } from './finding-codes.js';

/** One thing that verification holds against a log. */
export interface Finding {
  readonly code: FindingCode;
  readonly log: string;
  /** The entry that the finding is about, or null where it is about the whole log or a pending event. */
  readonly index: number | null;
  readonly eventId: string | null;
  readonly detail: string;
}

/** What a verification did not look at, and why. */
export interface NotChecked {
  /**
   * `unkeyed`: no key; `rollback`: no anchor; `dropped-logs`: a log that left no row; `pending`: events not sealed yet;
   * `delayed`: times of events that waited in a spool; `checkpoints`: no key for their signatures; `no-head`: nothing to
   * compare with; `interrupted`: stopped by its signal.
   */
  readonly what:
    | 'unkeyed'
    | 'rollback'
    | 'dropped-logs'
    | 'pending'
    | 'delayed'
    | 'checkpoints'
    | 'no-head'
    | 'interrupted';
  readonly detail: string;
}

/**
 * `valid`: every check passed. `invalid`: at least one finding. `incomplete`: no finding, but something that this call
 * was asked to check could not be (an interrupted run, no head to compare with).
 */
export interface Verdict {
  readonly result: 'valid' | 'invalid' | 'incomplete';
  readonly log: string;
  /** The number of entries that were read. */
  readonly size: number;
  /** The root of the Merkle tree over the leaves read, 32 bytes. */
  readonly root: Uint8Array;
  readonly findings: readonly Finding[];
  /** True where more findings were found than are listed. */
  readonly truncated: boolean;
  readonly notChecked: readonly NotChecked[];
}
