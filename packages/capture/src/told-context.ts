import type { AmbientContext } from '@indelible/core';
import { captureFailure } from './capture-failure.js';
import type { CaptureSession } from './dialect.js';
import type { EngineParts } from './engine-parts.js';

/** What the database's own recorders know, in one transaction, of who acts. */
export class ToldContext {
  #text: string | undefined;
  readonly #logs = new Set<string>();

  /** @param id of the transaction, which is the operation that its events name */
  constructor(
    private readonly parts: EngineParts,
    private readonly session: CaptureSession,
    private id: string,
  ) {}

  /** Called before each write: who acts may be known only now. */
  async tell(ambient: AmbientContext | undefined): Promise<void> {
    const { audit, dialect } = this.parts;
    if (dialect.tells?.() !== true) return;
    try {
      const { text, log } = await audit().describeOperation(this.id, ambient);
      if (text === this.#text) return;
      await this.session.tell?.(text);
      this.#text = text;
      this.#logs.add(log);
    } catch (error) {
      if (dialect.isBusy(error)) throw error;
      if (audit().policy('data') === 'strict') throw captureFailure(this.parts, error);
      audit().reportError(captureFailure(this.parts, error));
    }
  }

  /** Another transaction begins. */
  renew(id: string): void {
    this.id = id;
    this.#text = undefined;
  }

  /** A savepoint was rolled back, and may have taken with it what was told. */
  forget(): void {
    this.#text = undefined;
  }

  /** Events may wait for the sealer that nobody here has seen. */
  committed(): void {
    for (const log of this.#logs) this.parts.audit().operationCommitted(log);
  }

  clear(): void {
    this.#text = undefined;
    this.#logs.clear();
  }
}
