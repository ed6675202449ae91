import type { TransactionalAppend } from './store.js';

/** An event in an outbox. */
export interface OutboxRow {
  readonly id: string;
  /** The bytes of the event, from which everything else follows. */
  readonly body: Uint8Array;
}

export interface DrainRequest {
  /** At most so many rows. */
  readonly limit: number;
  /** Ids of rows that are passed over. */
  readonly except: readonly string[];
  /**
   * Takes the oldest rows, in the order of their ids, and gives those that may be removed: they are durable elsewhere. Where
   * it rejects, nothing is removed, and `drain` rejects with the same error. Not called where there is none.
   */
  readonly deliver: (rows: readonly OutboxRow[]) => Promise<readonly OutboxRow[]>;
}

export interface DrainOutcome {
  /** Rows that were handed to `deliver`. */
  readonly taken: number;
  readonly removed: number;
  /** True where another process drains this outbox now: try again later. */
  readonly busy: boolean;
}

/**
 * A queue of events in the database of an application whose log is elsewhere. Rows are written in the application's own
 * transactions and leave only after `deliver` has resolved for them, so that a process that is killed at any point repeats
 * a delivery and never loses one.
 */
export interface Outbox {
  /** How events are written into it, on the application's connection. */
  readonly transactional: TransactionalAppend;
  /** Several processes may call it: each row is handed out at least once. It MUST NOT wait for another one. */
  drain(request: DrainRequest): Promise<DrainOutcome>;
  /** How many rows wait, of at most 10,000, and when the oldest was made, by its id. */
  inspect(): Promise<OutboxCondition>;
}

export interface OutboxCondition {
  readonly waiting: number;
  readonly oldest: Date | null;
}
