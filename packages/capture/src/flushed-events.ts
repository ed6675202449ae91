import type { JoinTarget, PreparedEvent } from '@indelible/core';
import { captureFailure, flushFailure } from './capture-failure.js';
import type { CaptureConnection } from './dialect.js';
import type { EngineParts } from './engine-parts.js';
import { type HeldEvents, tryHoldEvents } from './held-events.js';
import { deliverLater, writeEvents } from './write-events.js';

/** Around the events' own statement, where its failure must not take the caller's transaction with it. */
const SAVEPOINT = 'indelible_events';

/** The events of one transaction that were written into it, and those that could not be. */
export class FlushedEvents {
  #written: readonly PreparedEvent[] = [];
  #target: JoinTarget | undefined;
  #undelivered: readonly PreparedEvent[] = [];

  constructor(
    private readonly parts: EngineParts,
    private readonly connection: CaptureConnection,
  ) {}

  /**
   * @param isFresh no id of them can stand there already
   * @param isLast COMMIT comes right behind, and may take them along
   * @throws where the policy is strict
   */
  async write(
    events: readonly PreparedEvent[],
    isFresh: boolean,
    isLast: boolean,
  ): Promise<HeldEvents | undefined> {
    const { parts, connection } = this;
    const mayFail = parts.dialect.abortsOnError && parts.audit().policy('data') !== 'strict';
    let held: HeldEvents | undefined;
    try {
      if (mayFail) await connection.execute(`SAVEPOINT ${SAVEPOINT}`);
      this.#target = await parts.store(connection);
      const { transactional } = this.#target;
      if (isLast && isFresh && !mayFail) held = tryHoldEvents(connection, transactional, events);
      if (held === undefined) await writeEvents(connection, transactional, events, isFresh);
      this.#written = [...this.#written, ...events];
    } catch (error) {
      if (parts.audit().policy('data') === 'strict') throw flushFailure(parts, error);
      if (mayFail) await connection.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      this.#undelivered = [...this.#undelivered, ...events];
      parts.audit().reportError(captureFailure(parts, error));
    }
    return held;
  }

  committed(): void {
    if (this.#written.length > 0) this.#target?.committed(this.#written);
    if (this.#undelivered.length > 0) deliverLater(this.parts, this.#undelivered);
  }

  discard(): void {
    this.#written = [];
    this.#undelivered = [];
  }
}
