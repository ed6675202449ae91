import type { AppendOutcome, PreparedEvent, SealOutcome, SealRequest } from '@indelible/core';
import { appendEvents } from './append.js';
import { deadlineIn } from './busy-retry.js';
import type { ConnectionHolder } from './connection-holder.js';
import { tryGetAnnouncedLibrary } from './library-registry.js';
import { sealBatch } from './seal.js';
import { BusyError } from './sqlite-error.js';
import { WorkerWriter } from './worker-writer.js';

/** `auto`: under load, and never for a file that an ORM of this process has. */
export type WorkerChoice = boolean | 'auto';

/** Writes for so many milliseconds of one second make a thread worth its memory and its start. */
const LOAD_MS = 100;
const WINDOW_MS = 1_000;

/** Appends and seals: in this thread, or in one of its own where that pays and is allowed. */
export class Writer {
  #worker: WorkerWriter | undefined;
  #windowStart = 0;
  #windowMs = 0;

  constructor(
    private readonly holder: ConnectionHolder,
    private readonly choice: WorkerChoice,
    private readonly timeoutMs: number,
  ) {}

  async append(events: readonly PreparedEvent[]): Promise<AppendOutcome> {
    this.holder.refuseEnded();
    const worker = this.#workerNow();
    if (worker !== undefined) return worker.append(events, this.timeoutMs);
    return this.holder.use(
      (connection) => this.#measured(() => appendEvents(connection, events)),
      deadlineIn(this.timeoutMs),
    );
  }

  async seal(request: SealRequest): Promise<SealOutcome> {
    this.holder.refuseEnded();
    const worker = request.portable === undefined ? undefined : this.#workerNow();
    if (worker !== undefined && request.portable !== undefined) {
      return worker.seal(request.log, request.limit, request.portable);
    }
    try {
      return this.holder.useOnce((connection) => this.#measured(() => sealBatch(connection, request)));
    } catch (error) {
      if (error instanceof BusyError) return { sealed: 0, busy: true };
      throw error;
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.close();
  }

  #workerNow(): WorkerWriter | undefined {
    const { choice, holder } = this;
    if (choice === false) return undefined;
    // A thread's transaction lasts while this thread goes on, so an ORM here would meet its lock.
    if (tryGetAnnouncedLibrary(holder.file.path) !== undefined) {
      void this.close();
      return undefined;
    }
    if (this.#worker?.dead) {
      // A thread that never came up, because a bundler has left its file behind, say, is not tried again.
      if (choice === 'auto' && !this.#worker.ready) return undefined;
      this.#worker = undefined;
    }
    if (this.#worker === undefined) this.#start();
    return choice === 'auto' && !this.#worker?.ready ? undefined : this.#worker;
  }

  #start(): void {
    const { choice, holder } = this;
    if (choice === 'auto' && this.#windowMs < LOAD_MS) return;
    const library = holder.tryGetLibraryName();
    if (library === undefined) return;
    this.#worker = new WorkerWriter({ path: holder.file.path, library, synchronous: holder.synchronous });
  }

  #measured<T>(work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      const end = performance.now();
      if (end - this.#windowStart > WINDOW_MS) {
        this.#windowStart = start;
        this.#windowMs = 0;
      }
      this.#windowMs += end - start;
    }
  }
}
